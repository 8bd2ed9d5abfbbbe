/**
 * Sets of clocks: per client, sorted disjoint ranges in one flat array [start, end, start, end, …]. A client
 * that types on costs one changed number; a delete set of 10,000 ranges is one array of 20,000 small integers.
 */

/** Start, end, start, end, …; ascending, disjoint, not touching. */
export type Ranges = readonly number[]

/** Index of the first range, at or after range index `from`, that ends at `clock` or later; all before it end earlier. */
const firstEndingAt = (ranges: Ranges, clock: number, from = 0): number => {
  const count = ranges.length >> 1
  // Gallop, then halve: near misses are cheap (walking two sorted lists in step), far ones logarithmic.
  let step = 1
  let low = from
  let high = from
  while (high < count && endOf(ranges, high) < clock) {
    low = high + 1
    high += step
    step *= 2
  }
  if (high > count) high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (endOf(ranges, middle) < clock) low = middle + 1
    else high = middle
  }
  return low
}

const startOf = (ranges: Ranges, index: number): number => ranges[index * 2] ?? Number.POSITIVE_INFINITY
const endOf = (ranges: Ranges, index: number): number => ranges[index * 2 + 1] ?? Number.POSITIVE_INFINITY

/**
 * Adds `[start, end)`, joining it with what it overlaps or touches.
 *
 * @returns whether any of it was new.
 */
export const addRange = (ranges: number[], start: number, end: number): boolean => {
  const lastEnd = ranges[ranges.length - 1]
  if (lastEnd === start) {
    ranges[ranges.length - 1] = end
    return true
  }
  if (lastEnd === undefined || start > lastEnd) {
    ranges.push(start, end)
    return true
  }
  const first = firstEndingAt(ranges, start)
  if (startOf(ranges, first) <= start && end <= endOf(ranges, first)) return false
  let after = first
  let from = start
  let to = end
  while (startOf(ranges, after) <= end) {
    from = Math.min(from, startOf(ranges, after))
    to = Math.max(to, endOf(ranges, after))
    after++
  }
  ranges.splice(first * 2, (after - first) * 2, from, to)
  return true
}

/** Whether all of `[start, end)` is in `ranges`. */
export const coversRange = (ranges: Ranges, start: number, end: number): boolean => {
  const lastEnd = ranges[ranges.length - 1]
  if (lastEnd === undefined || end > lastEnd) return false
  const index = firstEndingAt(ranges, end)
  return startOf(ranges, index) <= start
}

/** Whether all of `others` is in `ranges`. Linear when both are long, logarithmic when `others` is short. */
export const coversRanges = (ranges: Ranges, others: Ranges): boolean => {
  let index = 0
  for (let other = 0; other < others.length >> 1; other++) {
    index = firstEndingAt(ranges, endOf(others, other), index)
    if (index >= ranges.length >> 1 || startOf(ranges, index) > startOf(others, other)) return false
  }
  return true
}

/** Those of `others` of which not all is in `ranges`, in full. In one pass over both. */
export const uncoveredRanges = (ranges: Ranges, others: Ranges): number[] => {
  const uncovered: number[] = []
  let index = 0
  for (let other = 0; other < others.length >> 1; other++) {
    const end = endOf(others, other)
    index = firstEndingAt(ranges, end, index)
    const start = startOf(others, other)
    if (startOf(ranges, index) > start) uncovered.push(start, end)
  }
  return uncovered
}

/** The union of two lists, in one pass over both. */
export const mergeRanges = (left: Ranges, right: Ranges): number[] => {
  const merged: number[] = []
  let l = 0
  let r = 0
  while (l < left.length >> 1 || r < right.length >> 1) {
    const takeLeft = r >= right.length >> 1 || startOf(left, l) <= startOf(right, r)
    const source = takeLeft ? left : right
    const index = takeLeft ? l++ : r++
    const start = startOf(source, index)
    const end = endOf(source, index)
    const lastEnd = merged[merged.length - 1]
    if (lastEnd === undefined || start > lastEnd) merged.push(start, end)
    else if (end > lastEnd) merged[merged.length - 1] = end
  }
  return merged
}

/** Adding so many ranges one by one costs less than a pass over all that are there. */
const FEW = 16

/** {@link Ranges} for every client. */
export class RangeMap {
  readonly #clients = new Map<number, number[]>()
  #size = 0

  get clients(): number {
    return this.#clients.size
  }

  /** Number of ranges, of all clients. */
  get size(): number {
    return this.#size
  }

  /** Adds `[start, end)`; returns whether any of it was new. Constant time where the client's last range ends. */
  add(client: number, start: number, end: number): boolean {
    const ranges = this.#clients.get(client)
    if (ranges === undefined) {
      this.#clients.set(client, [start, end])
      this.#size++
      return true
    }
    const before = ranges.length
    const added = addRange(ranges, start, end)
    this.#size += (ranges.length - before) >> 1
    return added
  }

  /** Adds ranges of one client (ascending, disjoint); returns whether any of it was new. */
  addAll(client: number, more: Ranges): boolean {
    const ranges = this.#clients.get(client)
    if (ranges === undefined) {
      if (more.length === 0) return false
      this.#clients.set(client, more.slice())
      this.#size += more.length >> 1
      return true
    }
    if (coversRanges(ranges, more)) return false
    if (more.length <= FEW * 2) {
      for (let i = 0; i < more.length; i += 2) this.add(client, more[i] ?? 0, more[i + 1] ?? 0)
      return true
    }
    const merged = mergeRanges(ranges, more)
    this.#clients.set(client, merged)
    this.#size += (merged.length - ranges.length) >> 1
    return true
  }

  /** Whether all of `[start, end)` is held. */
  covers(client: number, start: number, end: number): boolean {
    const ranges = this.#clients.get(client)
    return ranges !== undefined && coversRange(ranges, start, end)
  }

  /** Whether all of `ranges` (ascending, disjoint) is held. */
  coversAll(client: number, ranges: Ranges): boolean {
    const held = this.#clients.get(client)
    return held === undefined ? ranges.length === 0 : coversRanges(held, ranges)
  }

  /** How far one gets from `clock` without a gap: `clock` itself when it is not held. */
  reach(client: number, clock: number): number {
    const ranges = this.#clients.get(client)
    if (ranges === undefined) return clock
    const index = firstEndingAt(ranges, clock)
    return startOf(ranges, index) <= clock ? endOf(ranges, index) : clock
  }

  /** A client's ranges; a view, don't keep it across changes. */
  get(client: number): Ranges {
    return this.#clients.get(client) ?? []
  }

  /** All clients and their ranges, in no particular order. */
  entries(): IterableIterator<[number, Ranges]> {
    return this.#clients.entries()
  }

  clone(): RangeMap {
    const clone = new RangeMap()
    for (const [client, ranges] of this.#clients) clone.#clients.set(client, ranges.slice())
    clone.#size = this.#size
    return clone
  }
}
