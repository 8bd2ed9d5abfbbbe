import { Cursor } from './cursor.js'
import { TRUSTED_LIMITS } from './limits.js'
import { type Block, MARK_EVERY, type Mark } from './scan.js'
import { sliceStruct } from './slice.js'
import { skipStruct } from './struct.js'

/** Structs of one client without a gap, and the bytes they lie in. */
export interface Piece extends Omit<Block, 'client'> {
  readonly bytes: Uint8Array
}

/** One struct of a piece. */
interface Found {
  readonly clock: number
  readonly end: number
  readonly pos: number
  /** Where the next struct begins. */
  readonly next: number
  /** Structs of the piece before it. */
  readonly index: number
}

/** The struct that holds `clock`; it must be one of the piece's. */
const find = (piece: Piece, client: number, clock: number): Found => {
  let place: Mark = lastMarkAt(piece.marks, clock) ?? { clock: piece.clock, pos: piece.from, index: 0 }
  const cursor = new Cursor(piece.bytes, place.pos, TRUSTED_LIMITS.maxDepth, true)
  for (;;) {
    const info = cursor.byte()
    const end = place.clock + skipStruct(cursor, info, client, place.clock)
    if (end > clock) return { ...place, end, next: cursor.pos }
    place = { clock: end, pos: cursor.pos, index: place.index + 1 }
  }
}

/** The last mark that is not past `clock`. */
const lastMarkAt = (marks: readonly Mark[], clock: number): Mark | undefined => {
  let low = 0
  let high = marks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((marks[middle]?.clock ?? 0) <= clock) low = middle + 1
    else high = middle
  }
  return marks[low - 1]
}

/**
 * The part `[start, end)` of a piece, as one to three pieces: whole structs are views of its bytes, structs that
 * stick out at either end are cut (as Yjs cuts them).
 */
export const cut = (piece: Piece, client: number, start: number, end: number): readonly Piece[] => {
  if (start <= piece.clock && end >= piece.end) return [piece]
  const parts: Piece[] = []
  const first = find(piece, client, start)
  let from: Mark = first
  if (first.clock < start) {
    const to = Math.min(first.end, end)
    parts.push(
      single(
        sliceStruct({ bytes: piece.bytes, pos: first.pos, client, clock: first.clock }, start, to),
        start,
        to,
      ),
    )
    if (to === end) return parts
    from = { clock: first.end, pos: first.next, index: first.index + 1 }
  }
  const last: Mark =
    end === piece.end ? { clock: piece.end, pos: piece.to, index: piece.structs } : find(piece, client, end)
  if (from.clock < last.clock) parts.push(between(piece, from, last))
  if (last.clock < end) {
    const bytes = sliceStruct(
      { bytes: piece.bytes, pos: last.pos, client, clock: last.clock },
      last.clock,
      end,
    )
    parts.push(single(bytes, last.clock, end))
  }
  return parts
}

const single = (bytes: Uint8Array, clock: number, end: number): Piece => ({
  clock,
  end,
  structs: 1,
  bytes,
  from: 0,
  to: bytes.length,
  marks: [],
})

const between = (piece: Piece, from: Mark, to: Mark): Piece => ({
  clock: from.clock,
  end: to.clock,
  structs: to.index - from.index,
  bytes: piece.bytes,
  from: from.pos,
  to: to.pos,
  marks: piece.marks
    .filter((mark) => mark.index > from.index && mark.index < to.index)
    .map((mark) => ({ ...mark, index: mark.index - from.index })),
})

/**
 * A piece that grows at its end: where keystroke after keystroke goes, so that thousands of updates become one
 * run of bytes and their messages' buffers can be let go.
 */
export class GrowingPiece implements Piece {
  readonly clock: number
  readonly from = 0
  readonly marks: Mark[] = []
  bytes: Uint8Array
  end: number
  structs = 0
  to = 0

  constructor(clock: number, capacity: number) {
    this.clock = clock
    this.end = clock
    this.bytes = new Uint8Array(capacity)
  }

  /** Appends a piece that begins where this one ends. */
  append(piece: Piece): void {
    const size = piece.to - piece.from
    if (this.to + size > this.bytes.length) this.#grow(this.to + size)
    if (this.structs - (this.marks.at(-1)?.index ?? 0) >= MARK_EVERY) {
      this.marks.push({ clock: this.end, pos: this.to, index: this.structs })
    }
    for (const { clock, pos, index } of piece.marks) {
      this.marks.push({ clock, pos: pos - piece.from + this.to, index: index + this.structs })
    }
    this.bytes.set(piece.bytes.subarray(piece.from, piece.to), this.to)
    this.to += size
    this.end = piece.end
    this.structs += piece.structs
  }

  /** What is here now, unmoved by what is appended later. */
  view(): Piece {
    const { clock, end, structs, bytes, from, to } = this
    return { clock, end, structs, bytes, from, to, marks: this.marks.slice() }
  }

  #grow(atLeast: number): void {
    const bytes = new Uint8Array(Math.max(atLeast, this.bytes.length * 2))
    bytes.set(this.bytes.subarray(0, this.to))
    this.bytes = bytes
  }
}
