import { describe, expect, it } from 'vitest'
import { isLong, LongRanges } from '../../server/update/long-ranges.js'
import { RangeMap } from '../../server/update/range-map.js'
import { addRange, coversRange, coversRanges, type Ranges } from '../../server/update/ranges.js'
import { fuzz } from '../support/fuzz.js'
import { below, shuffled } from '../support/random-edits.js'

/** Ranges of two clocks, with gaps of two. */
const apart = (count: number): number[] => {
  const ranges: number[] = []
  for (let i = 0; i < count; i++) ranges.push(i * 4, i * 4 + 2)
  return ranges
}

type Pairs = readonly (readonly [start: number, end: number])[]

const ORDERS: Readonly<Record<string, (ranges: Pairs, random: () => number) => Pairs>> = {
  'in order': (ranges) => ranges,
  'from the end to the start': (ranges) => ranges.toReversed(),
  'in any order': (ranges, random) => shuffled(random, ranges),
}

const pairs = (ranges: Ranges): Pairs => {
  const all: [start: number, end: number][] = []
  for (let i = 0; i < ranges.length; i += 2) all.push([ranges[i] ?? 0, ranges[i + 1] ?? 0])
  return all
}

describe('many ranges', () => {
  it('say and hold the same as in one array, whatever is added', async () => {
    await fuzz(20, (random) => {
      const clocks = 5000 + below(random, 5000)
      const flat = apart(600)
      const long = new LongRanges(flat)
      for (let i = 0; i < 3000; i++) {
        const start = below(random, clocks)
        // Most are short, some go over many chunks.
        const end = start + 1 + below(random, random() < 0.01 ? 3000 : 3)
        const wanted = coversRange(flat, start, end)
        expect(long.covers(start, end)).toBe(wanted)
        expect(long.add(start, end)).toBe(!wanted)
        addRange(flat, start, end)
        expect(long.size).toBe(flat.length / 2)
        if (i % 500 === 0) expect(long.flat()).toEqual(flat)
      }
      expect(long.flat()).toEqual(flat)
    })
  })

  it('cover others, and are held without a gap, as in one array', async () => {
    await fuzz(20, (random) => {
      const flat = apart(2000)
      const long = new LongRanges(flat)
      const map = new RangeMap()
      map.addAll(1, flat)
      for (let i = 0; i < 200; i++) {
        const others: number[] = []
        for (let clock = below(random, 3000); clock < 8100; clock += 4 * (1 + below(random, 1500))) {
          const start = clock - (clock % 4) + (random() < 0.1 ? 1 : 0)
          addRange(others, start, start + (random() < 0.05 ? 3 : 1))
        }
        expect(long.coversAll(others)).toBe(coversRanges(flat, others))
        const clock = below(random, 8100)
        expect(long.reach(clock)).toBe(clock % 4 <= 2 && clock < 8000 ? clock - (clock % 4) + 2 : clock)
        expect(map.reach(1, clock)).toBe(long.reach(clock))
      }
    })
  })

  it.each(Object.entries(ORDERS))('come to the same one by one, %s', async (_name, inOrder) => {
    await fuzz(3, (random) => {
      const flat = apart(3000)
      expect(isLong(flat)).toBe(true)
      const each = inOrder(pairs(flat), random)
      const map = new RangeMap()
      for (const [start, end] of each) expect(map.add(1, start, end)).toBe(true)
      expect(map.get(1)).toEqual(flat)
      expect(map.size).toBe(3000)
      for (const [start, end] of each) expect(map.add(1, start, end)).toBe(false)
      // The gaps, in the same order: all of it is one range in the end.
      for (const [start, end] of each) expect(map.add(1, end, start + 4)).toBe(true)
      expect(map.get(1)).toEqual([0, 12_000])
      expect(map.size).toBe(1)
    })
  })

  it('grow at the end by what touches the last one, however full its chunk is', () => {
    for (let count = 1; count <= 1100; count++) {
      const flat = apart(count)
      const long = new LongRanges(flat)
      const end = count * 4 - 2
      expect(long.add(end, end + 1)).toBe(true)
      expect(long.flat()).toEqual([...flat.slice(0, -1), end + 1])
    }
  })

  it('take a list of others, long or short, and share nothing with it or with a clone', () => {
    const flat = apart(3000)
    const map = new RangeMap()
    map.addAll(1, flat)
    const clone = map.clone()
    expect(map.addAll(1, [2, 3, 8002, 8003])).toBe(true)
    expect(map.size).toBe(3000)
    const behind = apart(1000).map((clock) => clock + 14_000)
    expect(map.addAll(1, behind)).toBe(true)
    expect(map.addAll(1, behind)).toBe(false)
    expect(map.size).toBe(4000)
    expect(clone.get(1)).toEqual(apart(3000))
    expect(flat).toEqual(apart(3000))
    expect(map.addAll(1, [0, 20_000])).toBe(true)
    expect(map.get(1)).toEqual([0, 20_000])
  })
})
