import { encodeDeleteSet } from './delete-set.js'
import { cut, GrowingPiece, type Piece } from './piece.js'
import { RangeMap } from './range-map.js'
import type { Block, Scan } from './scan.js'
import { type Clocks, descending } from './state-vector.js'
import { SKIP } from './struct.js'
import { PartsWriter, SHARED_BYTES, type Sink, uintSize, Writer } from './writer.js'

/**
 * The structs of updates up to this size are copied together; those of larger ones stay where they are and are
 * referred to. A reference keeps alive the whole buffer that a message lies in, often 64 KiB of a socket's.
 */
const SMALL_BYTES = 4096
const FIRST_CAPACITY = 128

export interface BuildOptions {
  /** Leave out what one with this state vector has. Default: everything is written. */
  readonly since?: Clocks
  /** An encoded delete set to end with, say the room's. Default: the deletions of the updates added. */
  readonly deleteSet?: Uint8Array
}

/**
 * Puts updates together to one, by their bytes: O(bytes), without a `Y.Doc`.
 *
 * `Y.mergeUpdates` does the same in quadratic time. The result has each client's structs in order of clock, gaps
 * as Skips. Where updates overlap, each clock is written once, and structs are cut to fit as Yjs cuts them; what
 * is held without a gap never changes. Nothing is joined or forgotten: that takes a `Y.Doc`, in compaction.
 *
 * Updates of more than 4 KiB are referred to, not copied: don't change them afterwards.
 */
export class Splicer {
  readonly #pieces = new Map<number, Pieces>()
  readonly #deletes = new RangeMap()
  /** Clients, descending; null when one has come since it was sorted. */
  #order: Float64Array | null = null

  /** Takes an update in. Returns itself. */
  add(scan: Scan): this {
    const { bytes } = scan
    const copy = bytes.length <= SMALL_BYTES
    for (const { client, clock, end, structs, from, to, marks } of scan.blocks) {
      this.#addPiece(client, { clock, end, structs, bytes, from, to, marks }, copy)
    }
    for (const { client, ranges } of scan.deletes) this.#deletes.addAll(client, ranges)
    return this
  }

  /** Takes in `[start, end)` of one of an update's blocks; copied, if it is small. */
  addPart(bytes: Uint8Array, block: Block, start: number, end: number): void {
    const copy = bytes.length <= SMALL_BYTES
    for (const part of cut({ ...block, bytes }, block.client, start, end))
      this.#addPiece(block.client, part, copy)
  }

  /** Takes in what another has now, by reference: as if its updates were added here. Returns itself. */
  addAll(other: Splicer): this {
    for (const [client, pieces] of other.#pieces) {
      if (Array.isArray(pieces)) for (const piece of pieces) this.#addPiece(client, unmoved(piece), false)
      else this.#addPiece(client, unmoved(pieces), false)
    }
    this.#deletes.addMap(other.#deletes)
    return this
  }

  #addPiece(client: number, piece: Piece, copy: boolean): void {
    const held = this.#pieces.get(client)
    if (held === undefined) {
      this.#pieces.set(client, copy ? growing(piece) : piece)
      this.#order = null
      return
    }
    if (Array.isArray(held)) {
      const last = held[held.length - 1]
      if (last === undefined || piece.clock >= last.end) insert(held, held.length, piece, copy)
      else fitIn(held, client, piece, copy)
    } else if (piece.clock < held.end) {
      const pieces = [held]
      fitIn(pieces, client, piece, copy)
      this.#pieces.set(client, pieces)
    } else if (copy && held instanceof GrowingPiece && held.end === piece.clock) held.append(piece)
    else this.#pieces.set(client, [held, copy ? growing(piece) : piece])
  }

  /** Everything added so far as one v1 update, or what {@link BuildOptions} leave of it. */
  build(options: BuildOptions = {}): Uint8Array {
    const plan = this.#plan(options)
    const writer = new Writer(plan.size)
    writeAll(writer, plan)
    return writer.bytes
  }

  /**
   * The same in parts that follow each other, for large documents: most of it isn't copied, but views of what was
   * added.
   */
  parts(options: BuildOptions = {}): readonly Uint8Array[] {
    const plan = this.#plan(options)
    let { size } = plan
    if (plan.deleteSet.length >= SHARED_BYTES) size -= plan.deleteSet.length
    for (const pieces of plan.pieces) {
      if (Array.isArray(pieces)) for (const piece of pieces) size -= sharedBytes(piece)
      else size -= sharedBytes(pieces)
    }
    const writer = new PartsWriter(size)
    writeAll(writer, plan)
    return writer.parts
  }

  #plan(options: BuildOptions): Plan {
    const deleteSet = options.deleteSet ?? encodeDeleteSet(this.#deletes)
    this.#order ??= descending(this.#pieces.keys(), this.#pieces.size)
    const clients: number[] = []
    const lists: Pieces[] = []
    let size = deleteSet.length
    for (const client of this.#order) {
      const pieces = after(this.#pieces.get(client), client, options.since?.get(client) ?? 0)
      if (pieces === null) continue
      clients.push(client)
      lists.push(pieces)
      size += sizeOf(client, pieces)
    }
    return { clients, pieces: lists, deleteSet, size: size + uintSize(clients.length) }
  }
}

/**
 * What is there of one client: ascending, disjoint; two may touch. Nearly always it is one piece, which takes no list:
 * there may be 100,000 clients.
 */
type Pieces = Piece | Piece[]

/** Puts updates together to one; see {@link Splicer}. */
export const splice = (scans: readonly Scan[], options?: BuildOptions): Uint8Array => {
  const splicer = new Splicer()
  for (const scan of scans) splicer.add(scan)
  return splicer.build(options)
}

/** Puts a piece at `index`, where it fits. A copy goes to the end of the piece before if that can grow. */
const insert = (pieces: Piece[], index: number, piece: Piece, copy: boolean): void => {
  if (!copy) {
    pieces.splice(index, 0, piece)
    return
  }
  const before = pieces[index - 1]
  if (before instanceof GrowingPiece && before.end === piece.clock) {
    before.append(piece)
    return
  }
  pieces.splice(index, 0, growing(piece))
}

/** A copy of a piece, to which others may be appended. */
const growing = (piece: Piece): GrowingPiece => {
  const growing = new GrowingPiece(piece.clock, Math.max(FIRST_CAPACITY, piece.to - piece.from))
  growing.append(piece)
  return growing
}

/** A piece as it is now. */
const unmoved = (piece: Piece): Piece => (piece instanceof GrowingPiece ? piece.view() : piece)

/** How many of its bytes are referred to, not copied, when it is written in parts. */
const sharedBytes = ({ from, to }: Piece): number => (to - from >= SHARED_BYTES ? to - from : 0)

/**
 * Fits a piece in between others. What is held without a gap from its start stays, and it goes up to one that
 * sticks out over its end. Those wholly inside, which lay behind a gap that it closes, give way to it: so it is
 * cut at its two ends at most, however many there are, and clients take it in the same order.
 */
const fitIn = (pieces: Piece[], client: number, piece: Piece, copy: boolean): void => {
  let start = piece.clock
  let index = firstEndingAfter(pieces, start)
  let other = pieces[index]
  while (other !== undefined && other.clock <= start && start < piece.end) {
    start = other.end
    other = pieces[++index]
  }
  if (start >= piece.end) return
  let after = index
  while (other !== undefined && other.end <= piece.end) other = pieces[++after]
  const end = Math.min(piece.end, other?.clock ?? piece.end)
  pieces.splice(index, after - index)
  for (const part of cut(piece, client, start, end)) {
    insert(pieces, index, part, copy)
    index = firstEndingAfter(pieces, part.end)
  }
}

const firstEndingAfter = (pieces: readonly Piece[], clock: number): number => {
  let low = 0
  let high = pieces.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pieces[middle]?.end ?? 0) <= clock) low = middle + 1
    else high = middle
  }
  return low
}

/** What of `pieces` is at `clock` or later; null if nothing is. */
const after = (pieces: Pieces | undefined, client: number, clock: number): Pieces | null => {
  if (pieces === undefined || !Array.isArray(pieces)) {
    if (pieces === undefined || pieces.end <= clock) return null
    return pieces.clock >= clock ? pieces : [...cut(pieces, client, clock, pieces.end)]
  }
  if (clock === 0) return pieces
  const index = firstEndingAfter(pieces, clock)
  const first = pieces[index]
  if (first === undefined) return null
  if (first.clock >= clock) return pieces.slice(index)
  return [...cut(first, client, clock, first.end), ...pieces.slice(index + 1)]
}

/** A whole update. */
interface Plan {
  /** Descending, each with its pieces at the same place. */
  readonly clients: readonly number[]
  readonly pieces: readonly Pieces[]
  readonly deleteSet: Uint8Array
  /** Bytes. */
  readonly size: number
}

/** How many bytes a client's structs take, with what says whose they are. */
const sizeOf = (client: number, pieces: Pieces): number => {
  const head = uintSize(structsIn(pieces)) + uintSize(client)
  if (!Array.isArray(pieces)) return head + uintSize(pieces.clock) + pieces.to - pieces.from
  let end = pieces[0]?.clock ?? 0
  let size = head + uintSize(end)
  for (const piece of pieces) {
    if (piece.clock > end) size += 1 + uintSize(piece.clock - end)
    size += piece.to - piece.from
    end = piece.end
  }
  return size
}

/** Number of structs, Skips counted in. */
const structsIn = (pieces: Pieces): number => {
  if (!Array.isArray(pieces)) return pieces.structs
  let structs = 0
  let end = pieces[0]?.clock ?? 0
  for (const piece of pieces) {
    structs += piece.clock > end ? piece.structs + 1 : piece.structs
    end = piece.end
  }
  return structs
}

const writeAll = (writer: Sink, { clients, pieces, deleteSet }: Plan): void => {
  writer.uint(clients.length)
  for (let i = 0; i < clients.length; i++) write(writer, clients[i] as number, pieces[i] as Pieces)
  writer.copy(deleteSet, 0, deleteSet.length)
}

const write = (writer: Sink, client: number, pieces: Pieces): void => {
  writer.uint(structsIn(pieces))
  writer.uint(client)
  if (!Array.isArray(pieces)) {
    writer.uint(pieces.clock)
    writer.copy(pieces.bytes, pieces.from, pieces.to)
    return
  }
  let end = pieces[0]?.clock ?? 0
  writer.uint(end)
  for (const piece of pieces) {
    if (piece.clock > end) {
      writer.uint8(SKIP)
      writer.uint(piece.clock - end)
    }
    writer.copy(piece.bytes, piece.from, piece.to)
    end = piece.end
  }
}
