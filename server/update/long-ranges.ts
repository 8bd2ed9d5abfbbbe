import { addRange, coversRange, endOf, firstEndingAt, meetsRange, type Ranges, startOf } from './ranges.js'

/** Numbers in a chunk, at most: two for each range. To move them takes less than a microsecond. */
const MOST = 1024

/** Whether these are too many ranges to be kept in one array. */
export const isLong = (ranges: Ranges): boolean => ranges.length > MOST

/**
 * Many ranges, in chunks: who deletes here and there from the end of a document to its start, or in any order, puts
 * each range in front of others. In one array all of these would be moved each time, in time that grows with the square
 * of their number; here, those of one chunk.
 *
 * @example
 *   const ranges = new LongRanges([0, 1, 5, 6])
 *   ranges.add(3, 4) // true: it is new
 *   ranges.flat() // [0, 1, 3, 4, 5, 6]
 */
export class LongRanges {
  /** Each as in {@link Ranges}, and so one behind the other; none is empty. */
  readonly #chunks: number[][]
  #size: number

  /** @param ranges at least one; they are copied. */
  constructor(ranges: Ranges) {
    this.#chunks = cut(ranges)
    this.#size = ranges.length >> 1
  }

  /** Number of ranges. */
  get size(): number {
    return this.#size
  }

  /** Adds `[start, end)`; returns whether any of it was new. */
  add(start: number, end: number): boolean {
    const chunks = this.#chunks
    const at = Math.min(this.#endingAt(start), chunks.length - 1)
    const chunk = this.#chunk(at)
    if (chunk.length >= MOST && start > lastOf(chunk)) {
      // Behind all others: what is added in order leaves full chunks behind.
      chunks.push([start, end])
      this.#size++
      return true
    }
    if (at + 1 < chunks.length && startOf(this.#chunk(at + 1), 0) <= end) return this.#join(at, start, end)
    const before = chunk.length
    const added = addRange(chunk, start, end)
    this.#size += (chunk.length - before) >> 1
    if (chunk.length > MOST) chunks.splice(at + 1, 0, chunk.splice(MOST >> 1))
    return added
  }

  /** Whether all of `[start, end)` is held. */
  covers(start: number, end: number): boolean {
    const at = this.#endingAt(end)
    return at < this.#chunks.length && coversRange(this.#chunk(at), start, end)
  }

  /** Whether any of `[start, end)` is held. */
  meets(start: number, end: number): boolean {
    const at = this.#endingAt(start + 1)
    return at < this.#chunks.length && meetsRange(this.#chunk(at), start, end)
  }

  /** Whether all of `others` (ascending, disjoint) is held: logarithmic for a few, linear for many. */
  coversAll(others: Ranges): boolean {
    let at = 0
    let index = 0
    for (let other = 0; other < others.length >> 1; other++) {
      const end = endOf(others, other)
      if (lastOf(this.#chunk(at)) < end) {
        at = this.#endingAt(end, at + 1)
        index = 0
        if (at === this.#chunks.length) return false
      }
      const chunk = this.#chunk(at)
      index = firstEndingAt(chunk, end, index)
      if (startOf(chunk, index) > startOf(others, other)) return false
    }
    return true
  }

  /** How far one gets from `clock` without a gap: `clock` itself when it is not held. */
  reach(clock: number): number {
    const at = this.#endingAt(clock)
    if (at === this.#chunks.length) return clock
    const chunk = this.#chunk(at)
    const index = firstEndingAt(chunk, clock)
    return startOf(chunk, index) <= clock ? endOf(chunk, index) : clock
  }

  /** All of them in one array, a copy. */
  flat(): number[] {
    return this.#chunks.flat()
  }

  /**
   * Adds a range that reaches into the chunk after the one at `at`, or over it: whatever it covers becomes one range.
   */
  #join(at: number, start: number, end: number): boolean {
    let after = at + 1
    while (after < this.#chunks.length && startOf(this.#chunk(after), 0) <= end) after++
    const joined = this.#chunks.slice(at, after).flat()
    const before = joined.length
    addRange(joined, start, end)
    this.#size += (joined.length - before) >> 1
    this.#chunks.splice(at, after - at, ...cut(joined))
    return true
  }

  /** Index of the first chunk, at or after index `from`, that ends at `clock` or later; their number if none does. */
  #endingAt(clock: number, from = 0): number {
    let low = from
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (lastOf(this.#chunk(middle)) < clock) low = middle + 1
      else high = middle
    }
    return low
  }

  #chunk(at: number): number[] {
    return this.#chunks[at] as number[]
  }
}

const lastOf = (chunk: Ranges): number => chunk[chunk.length - 1] as number

const cut = (ranges: Ranges): number[][] => {
  const chunks: number[][] = []
  for (let at = 0; at < ranges.length; at += MOST) chunks.push(ranges.slice(at, at + MOST))
  return chunks
}
