/**
 * Sets of clocks: sorted disjoint ranges in one flat array [start, end, start, end, …]. What is added at the end costs
 * one changed number; what goes in between, a move of all that comes after it. Many are kept in {@link LongRanges}.
 */

/** Start, end, start, end, …; ascending, disjoint, not touching. */
export type Ranges = readonly number[]

/**
 * Index of the first range, at or after range index `from`, that ends at `clock` or later; all before it end earlier.
 */
export const firstEndingAt = (ranges: Ranges, clock: number, from = 0): number => {
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

/** Where a range starts; past all clocks when there is none. */
export const startOf = (ranges: Ranges, index: number): number =>
  ranges[index * 2] ?? Number.POSITIVE_INFINITY
/** Where a range ends; past all clocks when there is none. */
export const endOf = (ranges: Ranges, index: number): number =>
  ranges[index * 2 + 1] ?? Number.POSITIVE_INFINITY

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

/** Whether any of `[start, end)` is in `ranges`. */
export const meetsRange = (ranges: Ranges, start: number, end: number): boolean =>
  startOf(ranges, firstEndingAt(ranges, start + 1)) < end

/** What of `[start, end)` isn't in `ranges`. */
export const missingRanges = (ranges: Ranges, start: number, end: number): number[] => {
  const missing: number[] = []
  let from = start
  for (let index = firstEndingAt(ranges, start + 1); startOf(ranges, index) < end; index++) {
    if (startOf(ranges, index) > from) missing.push(from, startOf(ranges, index))
    from = endOf(ranges, index)
  }
  if (from < end) missing.push(from, end)
  return missing
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
