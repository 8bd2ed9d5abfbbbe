import { UPDATE_PREFIX } from '../../shared/codec.js'
import { headerSize, writeHeader } from '../websocket/frame.js'

const FIRST_CHUNK = 1024
const LARGEST_CHUNK = 64 * 1024

interface Chunk {
  /** Where this chunk starts in the tail's stream of bytes. */
  readonly base: number
  readonly bytes: Uint8Array
  used: number
}

/**
 * The updates of a room since its snapshot, kept as the very bytes that go out: each a WebSocket frame with an
 * update message (PROTOCOL W5) in it, one behind the other in append-only chunks. A broadcast, a slow reader's
 * catch-up and a joiner's missing end are all views of these bytes; nothing is framed or copied twice.
 *
 * Chunks are never written to again where a view was handed out, so views stay valid as long as somebody holds them.
 */
export class Tail {
  #first: number
  /** Stream offset of each update's frame, by `seq - first`. */
  #starts: number[] = []
  #chunks: Chunk[] = []
  #end = 0

  /** @param after the last `seq` before the tail: the snapshot's, or 0. */
  constructor(after: number) {
    this.#first = after + 1
  }

  /** `seq` of the first update that is still here, or would be. */
  get firstSeq(): number {
    return this.#first
  }

  /** `seq` of the last update; `firstSeq - 1` when there is none. */
  get lastSeq(): number {
    return this.#first + this.#starts.length - 1
  }

  /** How many bytes of frames there are from `seq` on, which must be held or the next one. */
  bytesFrom(seq: number): number {
    return seq > this.lastSeq ? 0 : this.#end - this.#start(seq)
  }

  /** Copies an update to the end; returns the copy, a view of the tail's own bytes. */
  append(update: Uint8Array): Uint8Array {
    const payload = UPDATE_PREFIX.length + varUintSize(update.length) + update.length
    const size = headerSize(payload) + payload
    const chunk = this.#roomFor(size)
    const { bytes } = chunk
    let at = writeHeader(bytes, chunk.used, payload)
    bytes.set(UPDATE_PREFIX, at)
    at = writeVarUint(bytes, at + UPDATE_PREFIX.length, update.length)
    bytes.set(update, at)
    this.#starts.push(this.#end)
    chunk.used += size
    this.#end += size
    return bytes.subarray(at, at + update.length)
  }

  /** The frames of updates `from` to `to`, both included, as few views in order. Both must be held. */
  frames(from: number, to: number): Uint8Array[] {
    if (to < from) return []
    const start = this.#start(from)
    const end = to === this.lastSeq ? this.#end : this.#start(to + 1)
    const views: Uint8Array[] = []
    for (let i = this.#chunkAt(start); i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i] as Chunk
      if (chunk.base >= end) break
      views.push(
        chunk.bytes.subarray(Math.max(0, start - chunk.base), Math.min(chunk.used, end - chunk.base)),
      )
    }
    return views
  }

  /** The last `seq` (at most `to`, at least `from`) for which the frames from `from` on take no more than `bytes`. */
  within(from: number, to: number, bytes: number): number {
    const limit = this.#start(from) + bytes
    let low = from
    let high = to
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const end = middle === this.lastSeq ? this.#end : this.#start(middle + 1)
      if (end <= limit) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The bare updates `from` to `to`, both included, as views. */
  *updates(from: number, to: number): Generator<Uint8Array> {
    for (let seq = from; seq <= to; seq++) {
      const start = this.#start(seq)
      const chunk = this.#chunks[this.#chunkAt(start)] as Chunk
      const end = seq === this.lastSeq ? this.#end : this.#start(seq + 1)
      const frame = chunk.bytes.subarray(start - chunk.base, end - chunk.base)
      yield frame.subarray(updateOffset(frame))
    }
  }

  /** Drops everything up to and including `seq`, but for the last `keepBytes` of it. */
  trim(seq: number, keepBytes = 0): void {
    const end = Math.min(seq, this.lastSeq)
    let count = end - this.#first + 1
    if (keepBytes > 0 && count > 0) {
      const from = (this.#starts[count] ?? this.#end) - keepBytes
      while (count > 0 && (this.#starts[count - 1] as number) >= from) count--
    }
    if (count <= 0) return
    this.#first += count
    this.#starts = this.#starts.slice(count)
    const keepFrom = this.#starts[0] ?? this.#end
    const keep = this.#starts.length === 0 ? this.#chunks.length : this.#chunkAt(keepFrom)
    this.#chunks = this.#chunks.slice(keep)
  }

  #start(seq: number): number {
    const start = this.#starts[seq - this.#first]
    if (start === undefined) throw new RangeError(`update ${seq} is not in the tail`)
    return start
  }

  /** Index of the chunk that holds stream offset `at`. Most questions are about the end, so search from there. */
  #chunkAt(at: number): number {
    let i = this.#chunks.length - 1
    while (i > 0 && (this.#chunks[i] as Chunk).base > at) i--
    return i
  }

  #roomFor(size: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last && last.bytes.length - last.used >= size) return last
    // Grows with the room: thousands of quiet rooms must not hold 64 KiB each.
    const next = Math.min(LARGEST_CHUNK, last ? last.bytes.length * 2 : FIRST_CHUNK)
    const chunk: Chunk = { base: this.#end, bytes: new Uint8Array(Math.max(next, size)), used: 0 }
    this.#chunks.push(chunk)
    return chunk
  }
}

/** Where the update starts in one of our own frames: behind header, tag and length. */
const updateOffset = (frame: Uint8Array): number => {
  const short = (frame[1] as number) & 0x7f
  let at = (short < 126 ? 2 : short === 126 ? 4 : 10) + UPDATE_PREFIX.length
  while ((frame[at] as number) >= 0x80) at++
  return at + 1
}

const varUintSize = (value: number): number => {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

const writeVarUint = (target: Uint8Array, at: number, value: number): number => {
  let rest = value
  let to = at
  while (rest >= 0x80) {
    target[to++] = (rest & 0x7f) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[to++] = rest
  return to
}
