import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apply } from '../../client/textarea/change.js'
import { diff } from '../../client/textarea/diff.js'

const isWhole = (text: string): boolean => !/\p{Surrogate}/u.test(text)

describe('textarea 1: one prefix and suffix diff, bounded by the caret', () => {
  it('is nothing for the same text', () => {
    expect(diff('abc', 'abc', 1).slice(1)).toEqual([0, ''])
  })

  it.each([
    ['a letter typed in a run of it', 'aaaa', 'aaaaa', 2, [1, 0, 'a']],
    ['a letter typed before a run of it', 'aaaa', 'aaaaa', 1, [0, 0, 'a']],
    ['a letter typed behind a run of it', 'aaaa', 'aaaaa', 5, [4, 0, 'a']],
    ['one of a run deleted', 'aaaa', 'aaa', 1, [1, -1, '']],
    ['a repeated word pasted', 'ab ab ', 'ab ab ab ', 3, [0, 0, 'ab ']],
    ['a word replaced far from the caret', 'teh cat', 'the cat', 7, [1, -2, 'he']],
    ['everything deleted', 'abc', '', 0, [0, -3, '']],
  ])('%s', (_, before, after, caret, expected) => {
    expect(diff(before, after, caret)).toEqual(expected)
  })

  it('leads from one text to the other and is never longer than without a caret', () => {
    const text = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', '😀', '😁', '\n') })
    fc.assert(
      fc.property(text, text, fc.option(fc.nat(24)), (before, after, at) => {
        const caret = at === null ? null : Math.min(at, after.length)
        const splice = diff(before, after, caret)
        expect(apply(before, splice)).toBe(after)
        const plain = diff(before, after)
        // Not cutting a pair may take one unit more on either side.
        expect(splice[2].length).toBeLessThanOrEqual(plain[2].length + 2)
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
        if (before === after) return
        const [from, minusRemoved] = diff(before, after, start + insert.length)
        // The change lies within what the user selected and typed.
        expect(from).toBeGreaterThanOrEqual(start)
        expect(from - minusRemoved).toBeLessThanOrEqual(end)
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
      expect(apply(before, splice)).toBe(after)
      expect(isWhole(splice[2])).toBe(true)
      expect(isWhole(before.slice(splice[0], splice[0] - splice[1]))).toBe(true)
    }
  })

  it('holds for any two texts', () => {
    const text = fc.string({ maxLength: 6, unit: fc.constantFrom('a', '😀', '😁', '\u{1fa00}', '\u{1fa01}') })
    fc.assert(
      fc.property(text, text, fc.option(fc.nat(12)), (before, after, caret) => {
        const splice = diff(before, after, caret)
        expect(apply(before, splice)).toBe(after)
        expect(isWhole(splice[2])).toBe(true)
        expect(isWhole(before.slice(splice[0], splice[0] - splice[1]))).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})
