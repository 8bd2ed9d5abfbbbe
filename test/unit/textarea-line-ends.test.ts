import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apply } from '../../client/textarea/change.js'
import { diff } from '../../client/textarea/diff.js'
import {
  HIDDEN_IN_INPUT,
  HIDDEN_IN_TEXTAREA,
  toTextChange,
  toTextIndex,
  toValue,
} from '../../client/textarea/line-ends.js'

const text = fc.string({ maxLength: 10, unit: fc.constantFrom('a', 'b', '\r', '\n', '\r\n') })
const kinds = fc.constantFrom(HIDDEN_IN_TEXTAREA, HIDDEN_IN_INPUT)

describe('textarea 7: line ends', () => {
  it('shows every kind as LF in a textarea and none in an input', () => {
    expect(toValue('a\r\nb\rc\nd', HIDDEN_IN_TEXTAREA)).toBe('a\nb\nc\nd')
    expect(toValue('a\r\nb\rc\nd', HIDDEN_IN_INPUT)).toBe('abcd')
  })

  it('maps indices there and back, never between CR and LF', () => {
    fc.assert(
      fc.property(text, kinds, (shared, hidden) => {
        const value = toValue(shared, hidden)
        for (let index = 0; index <= value.length; index++) {
          const at = toTextIndex(shared, index, hidden)
          expect(toValue(shared.slice(0, at), hidden).length).toBe(index)
          expect(hidden === HIDDEN_IN_TEXTAREA && shared[at - 1] === '\r' && shared[at] === '\n').toBe(false)
        }
      }),
    )
  })

  it('carries any edit of the value over, and never inserts a CR', () => {
    // A lone CR joins an LF that comes to stand behind it, whoever puts it there.
    const paired = fc.string({ maxLength: 10, unit: fc.constantFrom('a', 'b', '\n', '\r\n') })
    const typed = fc.string({ maxLength: 3, unit: fc.constantFrom('x', '\n', '😁') })
    fc.assert(
      fc.property(paired, kinds, typed, fc.nat(10), fc.nat(4), (shared, hidden, insert, at, remove) => {
        const value = toValue(shared, hidden)
        const start = Math.min(at, value.length)
        const plain = hidden === HIDDEN_IN_INPUT ? insert.replaceAll('\n', '') : insert
        const edited = value.slice(0, start) + plain + value.slice(start + remove)
        const splice = diff(value, edited, start + plain.length)
        const change = toTextChange(shared, splice, hidden)
        const next = apply(shared, change)
        expect(toValue(next, hidden)).toBe(edited)
        expect(change.some((part) => typeof part === 'string' && part.includes('\r'))).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('textarea 3: half a surrogate pair', () => {
  it('is written as U+FFFD, as the others would get it', () => {
    expect(toTextChange('', [0, 0, 'a\ud83d'], HIDDEN_IN_TEXTAREA)).toEqual([0, 0, 'a\ufffd'])
    expect(toTextChange('', [0, 0, '😀'], HIDDEN_IN_TEXTAREA)).toEqual([0, 0, '😀'])
  })
})
