import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import { condense, condenseInSteps } from '../../server/update/condense.js'
import { KNOWN_LIMITS } from '../../server/update/limits.js'
import { scanUpdate } from '../../server/update/scan.js'
import { Slicer, sliceStruct } from '../../server/update/slice.js'
import { countedBytes } from '../support/counted.js'
import { below, pick, seeded } from '../support/random-edits.js'

const CLIENT = 42

/** What a struct holds, by its clocks, and how Yjs would write some of them: from JavaScript values, not by bytes. */
interface Content {
  readonly kind: number
  readonly length: number
  write(encoder: encoding.Encoder, from: number, to: number): void
}

const text = (string: string): Content => ({
  kind: 4,
  length: string.length,
  // Half a surrogate pair is U+FFFD to an encoder of UTF-8.
  write: (encoder, from, to) =>
    encoding.writeVarUint8Array(encoder, new TextEncoder().encode(string.slice(from, to))),
})

const json = (values: readonly string[]): Content => ({
  kind: 2,
  length: values.length,
  write: (encoder, from, to) => {
    encoding.writeVarUint(encoder, to - from)
    for (const value of values.slice(from, to)) encoding.writeVarString(encoder, value)
  },
})

const any = (values: readonly unknown[]): Content => ({
  kind: 8,
  length: values.length,
  write: (encoder, from, to) => {
    encoding.writeVarUint(encoder, to - from)
    for (const value of values.slice(from, to)) encoding.writeAny(encoder, value as undefined)
  },
})

const deleted = (length: number): Content => ({
  kind: 1,
  length,
  write: (encoder, from, to) => encoding.writeVarUint(encoder, to - from),
})

/** What stands before the content of a struct at clock 0, by its flags. */
const FLAGS = [0, 32, 64, 128, 192]

const writeFirstHead = (encoder: encoding.Encoder, flags: number, kind: number): void => {
  encoding.writeUint8(encoder, flags | kind)
  if ((flags & 128) !== 0) writeId(encoder, 7, 1)
  if ((flags & 64) !== 0) writeId(encoder, 9, 300)
  if ((flags & 192) !== 0) return
  encoding.writeVarUint(encoder, 1)
  encoding.writeVarString(encoder, 'root')
  if ((flags & 32) !== 0) encoding.writeVarString(encoder, 'key')
}

const writeId = (encoder: encoding.Encoder, client: number, clock: number): void => {
  encoding.writeVarUint(encoder, client)
  encoding.writeVarUint(encoder, clock)
}

const writePart = (encoder: encoding.Encoder, flags: number, content: Content, from: number, to: number) => {
  if (from === 0) writeFirstHead(encoder, flags, content.kind)
  else {
    encoding.writeUint8(encoder, (flags & 96) | 128 | content.kind)
    writeId(encoder, CLIENT, from - 1)
    if ((flags & 64) !== 0) writeId(encoder, 9, 300)
  }
  content.write(encoder, from, to)
}

const partOf = (flags: number, content: Content, from: number, to: number): Uint8Array =>
  encoding.encode((encoder) => writePart(encoder, flags, content, from, to))

const CHARACTERS = ['a', 'ö', '語', '😀', '\u{10ffff}', ' ']
const JSON_VALUES = ['1', 'undefined', '"ü"', '{"a":[1,{"b":null}]}', '[]']
const ANY_VALUES = [1, -70, 1.5, null, undefined, true, 'é😀', { key: [1, 'x'] }, new Uint8Array(3)]

const randomContent = (random: () => number): Content => {
  // One of the values is undefined, which `pick` doesn't give.
  const many = <T>(of: readonly T[]): T[] =>
    Array.from({ length: 1 + below(random, 30) }, () => of[below(random, of.length)] as T)
  return pick(random, [
    () => text(many(CHARACTERS).join('')),
    () => text(many(CHARACTERS).join('')),
    () => json(many(JSON_VALUES)),
    () => any(many(ANY_VALUES)),
    () => deleted(1 + below(random, 300)),
  ])()
}

/** Ascending places from 0 to a length, both included. */
const randomCuts = (random: () => number, length: number): number[] => {
  const share = random()
  const cuts = [0]
  for (let at = 1; at < length; at++) if (random() < share) cuts.push(at)
  return [...cuts, length]
}

const SEEDS = Array.from({ length: 300 }, (_, i) => i + 1)

describe('slicing a struct', () => {
  it('makes of each part what its values are written as, whatever is skipped', () => {
    for (const seed of SEEDS) {
      const random = seeded(seed)
      const [content, flags] = [randomContent(random), pick(random, FLAGS)]
      const before = new Uint8Array(below(random, 4)).fill(255)
      const bytes = Buffer.concat([before, partOf(flags, content, 0, content.length), Uint8Array.of(0, 255)])
      const place = { bytes, pos: before.length, client: CLIENT, clock: 0 }
      const slicer = new Slicer(place)
      const cuts = randomCuts(random, content.length)
      for (let i = 1; i < cuts.length; i++) {
        const [from, to] = [cuts[i - 1] as number, cuts[i] as number]
        const expected = partOf(flags, content, from, to)
        expect(sliceStruct(place, from, to), `seed ${seed}`).toEqual(expected)
        if (random() < 0.3) slicer.skip(to)
        else expect(slicer.take(to), `seed ${seed}`).toEqual(expected)
      }
    }
  })

  it('has no parts of what counts one', () => {
    const bytes = Uint8Array.of(3, 1, 1, 0x74, 1, 0)
    expect(() => sliceStruct({ bytes, pos: 0, client: CLIENT, clock: 0 }, 0, 1)).toThrow(RangeError)
  })
})

/** A document of one struct, of which these are deleted: start, end, start, end, … */
const withDeletions = (flags: number, content: Content, ranges: readonly number[]): Uint8Array =>
  encoding.encode((encoder) => {
    for (const number of [1, 1, CLIENT, 0]) encoding.writeVarUint(encoder, number)
    writePart(encoder, flags, content, 0, content.length)
    writeDeletions(encoder, ranges)
  })

const writeDeletions = (encoder: encoding.Encoder, ranges: readonly number[]): void => {
  for (const number of [1, CLIENT, ranges.length >> 1]) encoding.writeVarUint(encoder, number)
  for (let i = 0; i < ranges.length; i += 2) {
    const [start, end] = [ranges[i] as number, ranges[i + 1] as number]
    for (const number of [start, end - start]) encoding.writeVarUint(encoder, number)
  }
}

/** The same condensed: parts that are there and parts that are deleted, by turns. */
const condensed = (flags: number, content: Content, ranges: readonly number[]): Uint8Array => {
  const cuts = [...new Set([0, ...ranges, content.length])].sort((one, other) => one - other)
  return encoding.encode((encoder) => {
    for (const number of [1, cuts.length - 1, CLIENT, 0]) encoding.writeVarUint(encoder, number)
    for (let i = 1; i < cuts.length; i++) {
      const [from, to] = [cuts[i - 1] as number, cuts[i] as number]
      const gone = ranges.some(
        (start, at) => at % 2 === 0 && start <= from && to <= (ranges[at + 1] as number),
      )
      writePart(encoder, flags, gone ? deleted(content.length) : content, from, to)
    }
    writeDeletions(encoder, ranges)
  })
}

/** Every second one of so many. */
const everySecond = (length: number): number[] => {
  const ranges: number[] = []
  for (let at = 1; at < length; at += 2) ranges.push(at, at + 1)
  return ranges
}

describe('condensing a struct that is deleted here and there', () => {
  it('leaves the parts that are there, to the byte, halves of surrogate pairs among them', () => {
    for (const seed of SEEDS) {
      const random = seeded(seed)
      const [content, flags] = [randomContent(random), pick(random, FLAGS)]
      const cuts = randomCuts(random, content.length)
      const first = below(random, 2)
      const ranges = cuts.slice(first, first + ((cuts.length - first) & ~1))
      if (ranges.length === 0 || content.kind === 1) continue
      const update = withDeletions(flags, content, separate(ranges))
      const expected = condensed(flags, content, separate(ranges))
      expect(condense(scanUpdate(update)).update, `seed ${seed}`).toEqual(expected)
      expect(inSteps(update, 1).update, `seed ${seed}`).toEqual(expected)
    }
  })

  it.each([
    ['text', text('aö語😀'.repeat(2_000))],
    ['JSON', json(Array.from({ length: 4_000 }, (_, i) => `"${i}"`))],
    ['values', any(Array.from({ length: 10_000 }, (_, i) => i))],
  ])('goes over its %s a few times, not once for each part', (_what, content) => {
    const update = withDeletions(0, content, everySecond(content.length))
    const counted = countedBytes(update)
    const { structs } = condense({ ...scanUpdate(update), bytes: counted.bytes })
    expect(structs).toBe(content.length)
    expect(counted.looks()).toBeLessThan(6 * update.length)
  })

  it('does so in steps, within one struct, too', () => {
    const content = text('ab'.repeat(5_000))
    const update = withDeletions(0, content, everySecond(10_000))
    const { steps, update: result } = inSteps(update, 256 * 1000)
    expect(result).toEqual(condense(scanUpdate(update)).update)
    expect(steps).toBeGreaterThanOrEqual(10)
    expect(steps).toBeLessThan(12)
  })
})

/** Ranges that touch are one. */
const separate = (ranges: readonly number[]): number[] => {
  const joined: number[] = []
  for (let i = 0; i < ranges.length; i += 2) {
    if (joined.at(-1) === ranges[i]) joined.pop()
    else joined.push(ranges[i] as number)
    joined.push(ranges[i + 1] as number)
  }
  return joined
}

const inSteps = (update: Uint8Array, stepBytes: number): { update: Uint8Array; steps: number } => {
  const condensing = condenseInSteps(scanUpdate(update, KNOWN_LIMITS), stepBytes)
  for (let steps = 1; ; steps++) {
    const { done, value } = condensing.next()
    if (done) return { update: value.update, steps }
  }
}
