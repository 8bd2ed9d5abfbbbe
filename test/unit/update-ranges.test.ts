import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeMap } from '../../server/update/range-map.js'
import {
  addRange,
  coversRange,
  coversRanges,
  meetsRange,
  mergeRanges,
  missingRanges,
  type Ranges,
  uncoveredRanges,
} from '../../server/update/ranges.js'

/** The same as a plain set of clocks. */
const clocksOf = (ranges: Ranges): Set<number> => {
  const clocks = new Set<number>()
  for (let i = 0; i < ranges.length; i += 2) {
    for (let clock = ranges[i] ?? 0; clock < (ranges[i + 1] ?? 0); clock++) clocks.add(clock)
  }
  return clocks
}

const rangesOf = (clocks: ReadonlySet<number>): number[] => {
  const ranges: number[] = []
  for (const clock of [...clocks].sort((left, right) => left - right)) {
    if (ranges.at(-1) === clock) ranges[ranges.length - 1] = clock + 1
    else ranges.push(clock, clock + 1)
  }
  return ranges
}

const range = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 12 }))
  .map(([start, length]) => [start, start + length] as const)
const ranges = fc.array(fc.nat(80), { maxLength: 60 }).map((clocks) => rangesOf(new Set(clocks)))

describe('ranges', () => {
  it('tell which of others they lack, each in full', () => {
    fc.assert(
      fc.property(ranges, ranges, (held, others) => {
        const lacking: number[] = []
        for (let i = 0; i < others.length; i += 2) {
          const [start = 0, end = 0] = others.slice(i, i + 2)
          if (!coversRange(held, start, end)) lacking.push(start, end)
        }
        expect(uncoveredRanges(held, others)).toEqual(lacking)
      }),
    )
  })

  it('tell what of a range is missing in them, and whether anything is there', () => {
    fc.assert(
      fc.property(ranges, range, (held, [start, end]) => {
        const missing = clocksOf([start, end])
        for (const clock of clocksOf(held)) missing.delete(clock)
        expect(missingRanges(held, start, end)).toEqual(rangesOf(missing))
        expect(meetsRange(held, start, end)).toBe(missing.size < end - start)
      }),
    )
  })

  it('hold what was added, sorted, disjoint, not touching; and tell whether it was new', () => {
    fc.assert(
      fc.property(fc.array(range), (additions) => {
        const held: number[] = []
        const model = new Set<number>()
        for (const [start, end] of additions) {
          const before = model.size
          for (let clock = start; clock < end; clock++) model.add(clock)
          expect(addRange(held, start, end)).toBe(model.size > before)
          expect(held).toEqual(rangesOf(model))
        }
      }),
    )
  })

  it('cover what they hold all of', () => {
    fc.assert(
      fc.property(ranges, range, (held, [start, end]) => {
        const clocks = clocksOf(held)
        const all = [...clocksOf([start, end])].every((clock) => clocks.has(clock))
        expect(coversRange(held, start, end)).toBe(all)
      }),
    )
    fc.assert(
      fc.property(ranges, ranges, (held, others) => {
        const clocks = clocksOf(held)
        expect(coversRanges(held, others)).toBe([...clocksOf(others)].every((clock) => clocks.has(clock)))
        expect(coversRanges(mergeRanges(held, others), others)).toBe(true)
      }),
    )
  })

  it('merge to the union', () => {
    fc.assert(
      fc.property(ranges, ranges, (left, right) => {
        expect(mergeRanges(left, right)).toEqual(rangesOf(new Set([...clocksOf(left), ...clocksOf(right)])))
      }),
    )
  })
})

describe('RangeMap', () => {
  it('is ranges for each client, and counts them', () => {
    const step = fc.oneof(
      fc.record({ client: fc.nat(3), one: range }),
      fc.record({ client: fc.nat(3), many: ranges }),
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const map = new RangeMap()
        const model = new Map<number, Set<number>>()
        for (const each of steps) {
          const more = 'one' in each ? each.one : each.many
          const clocks = model.get(each.client) ?? new Set<number>()
          const before = clocks.size
          for (const clock of clocksOf(more)) clocks.add(clock)
          if (clocks.size > 0) model.set(each.client, clocks)
          const added = 'one' in each ? map.add(each.client, ...each.one) : map.addAll(each.client, more)
          expect(added).toBe(clocks.size > before)
          expect(map.coversAll(each.client, more)).toBe(true)
        }
        const expected = new Map([...model].map(([client, clocks]) => [client, rangesOf(clocks)]))
        expect(new Map([...map.ids()].map((client) => [client, map.get(client)]))).toEqual(expected)
        expect(map.clients).toBe(expected.size)
        expect(map.size).toBe([...expected.values()].reduce((sum, each) => sum + each.length / 2, 0))
      }),
    )
  })

  it('tells how far one gets from a clock without a gap', () => {
    const map = new RangeMap()
    map.addAll(1, [0, 5, 8, 10])
    expect([0, 4, 5, 6, 8, 9, 10, 11].map((clock) => map.reach(1, clock))).toEqual([
      5, 5, 5, 6, 10, 10, 10, 11,
    ])
    expect(map.reach(2, 7)).toBe(7)
  })

  it('does not share its arrays with what was added or with a clone', () => {
    for (const ranges of [
      [0, 1],
      [5, 7],
      [5, 7, 9, 12],
    ]) {
      const added = ranges.slice()
      const map = new RangeMap()
      map.addAll(1, added)
      const clone = map.clone()
      map.add(1, 1, 6)
      map.add(1, 20, 21)
      expect(added).toEqual(ranges)
      expect(clone.get(1)).toEqual(ranges)
      expect(clone.size).toBe(ranges.length / 2)
    }
  })
})
