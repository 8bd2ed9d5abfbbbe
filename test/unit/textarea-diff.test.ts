import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diff } from '../../client/textarea/diff.js'

const replace = (text: string, splice: ReturnType<typeof diff>): string =>
  splice ? text.slice(0, splice.start) + splice.insert + text.slice(splice.end) : text

const isWhole = (text = ''): boolean => !/\p{Surrogate}/u.test(text)

describe('textarea 1: one prefix and suffix diff, bounded by the caret', () => {
  it('is nothing for the same text', () => {
    expect(diff('abc', 'abc', 1)).toBeNull()
  })

  it.each([
    ['a letter typed in a run of it', 'aaaa', 'aaaaa', 2, { start: 1, end: 1, insert: 'a' }],
    ['a letter typed before a run of it', 'aaaa', 'aaaaa', 1, { start: 0, end: 0, insert: 'a' }],
    ['a letter typed behind a run of it', 'aaaa', 'aaaaa', 5, { start: 4, end: 4, insert: 'a' }],
    ['one of a run deleted', 'aaaa', 'aaa', 1, { start: 1, end: 2, insert: '' }],
    ['a repeated word pasted', 'ab ab ', 'ab ab ab ', 3, { start: 0, end: 0, insert: 'ab ' }],
    ['a word replaced far from the caret', 'teh cat', 'the cat', 7, { start: 1, end: 3, insert: 'he' }],
    ['everything deleted', 'abc', '', 0, { start: 0, end: 3, insert: '' }],
  ])('%s', (_, before, after, caret, expected) => {
    expect(diff(before, after, caret)).toEqual(expected)
  })

  it('leads from one text to the other and is never longer than without a caret', () => {
    const text = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', '😀', '😁', '\n') })
    fc.assert(
      fc.property(text, text, fc.option(fc.nat(24)), (before, after, at) => {
        const caret = at === null ? null : Math.min(at, after.length)
        const splice = diff(before, after, caret)
        expect(replace(before, splice)).toBe(after)
        const plain = diff(before, after)
        // Not cutting a pair may take one unit more on either side.
        expect(splice?.insert.length ?? 0).toBeLessThanOrEqual((plain?.insert.length ?? 0) + 2)
      }),
      { numRuns: 3000 },
    )
  })

  it('finds what was typed wherever the caret was', () => {
    const text = fc.string({ maxLength: 10, unit: fc.constantFrom('a', 'b') })
    fc.assert(
      fc.property(text, text, fc.nat(10), fc.nat(3), (before, insert, at, remove) => {
        const start = Math.min(at, before.length)
        const end = Math.min(start + remove, before.length)
        const after = before.slice(0, start) + insert + before.slice(end)
        const splice = diff(before, after, start + insert.length)
        if (!splice) return
        // The change lies within what the user selected and typed.
        expect(splice.start).toBeGreaterThanOrEqual(start)
        expect(splice.end).toBeLessThanOrEqual(end)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('textarea 3: a surrogate pair is never cut', () => {
  it.each([
    ['the low half differs', '😀', '😁'],
    ['the high half differs', '\u{1f600}', '\u{1fa00}'],
    ['a pair typed behind one with the same high half', 'a😀b', 'a😀😁b'],
    ['a pair typed before one with the same low half', 'a\u{1f600}b', 'a\u{1fa00}\u{1f600}b'],
    ['one of several deleted', '😀😁😂', '😀😂'],
  ])('%s', (_, before, after) => {
    for (let caret = 0; caret <= after.length; caret++) {
      const splice = diff(before, after, caret)
      expect(replace(before, splice)).toBe(after)
      expect(isWhole(splice?.insert)).toBe(true)
      expect(isWhole(before.slice(splice?.start, splice?.end))).toBe(true)
    }
  })

  it('holds for any two texts', () => {
    const text = fc.string({ maxLength: 6, unit: fc.constantFrom('a', '😀', '😁', '\u{1fa00}', '\u{1fa01}') })
    fc.assert(
      fc.property(text, text, fc.option(fc.nat(12)), (before, after, caret) => {
        const splice = diff(before, after, caret)
        expect(replace(before, splice)).toBe(after)
        expect(isWhole(splice?.insert)).toBe(true)
        expect(isWhole(before.slice(splice?.start, splice?.end))).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})
