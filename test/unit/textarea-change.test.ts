import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { apply, type Change, fromDelta, mapIndex, rebase, transform } from '../../client/textarea/change.js'

const part = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.string({ maxLength: 3, unit: fc.constantFrom('x', 'y', 'z') }),
)
const parts = fc.array(part, { maxLength: 8 })

/** The change, cut off where the text ends. */
const clip = (change: Change, length: number): Change => {
  let left = length
  return change.map((piece) => {
    if (typeof piece === 'string') return piece
    const step = Math.min(Math.abs(piece), left)
    left -= step
    return piece < 0 ? -step : step
  })
}

const scene = fc
  .record({ text: fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') }), a: parts, b: parts })
  .map(({ text, a, b }) => ({ text, a: clip(a, text.length), b: clip(b, text.length) }))

describe('a change of a text', () => {
  it('is carried out from left to right', () => {
    expect(apply('abcd', [2, -1, 'xy'])).toBe('abxyd')
    expect(apply('abcd', [])).toBe('abcd')
    expect(apply('', ['x', 0, '', 'y'])).toBe('xy')
  })

  it('says the same as the delta of a Yjs event, an embedded object being one character', () => {
    const ytext = new Y.Doc().getText()
    ytext.insert(0, 'abcd')
    let change: Change = []
    ytext.observe((event) => {
      change = fromDelta(event.delta)
    })
    ytext.applyDelta([{ retain: 1 }, { delete: 2 }, { insert: 'xy' }, { insert: { image: 1 } }])
    expect(change).toEqual([1, -2, 'xy\ufffc'].flatMap((p) => (p === 'xy\ufffc' ? ['xy', '\ufffc'] : [p])))
    expect(apply('abcd', change)).toBe('axy\ufffcd')
  })

  it('moves past another made at the same time, and both orders give the same text', () => {
    fc.assert(
      fc.property(scene, ({ text, a, b }) => {
        const viaA = apply(apply(text, a), transform(b, a, false))
        const viaB = apply(apply(text, b), transform(a, b, true))
        expect(viaA).toBe(viaB)
      }),
      { numRuns: 2000 },
    )
  })

  it('puts the first of two insertions at one place first', () => {
    expect(apply('-B-', transform([1, 'A'], [1, 'B'], true))).toBe('-AB-')
    expect(apply('-B-', transform([1, 'A'], [1, 'B'], false))).toBe('-BA-')
  })
})

describe('an index after a change', () => {
  it.each([
    ['an insertion at it, holding on to the left', [2, 'xy'], 2, false, 2],
    ['an insertion at it, holding on to the right', [2, 'xy'], 2, true, 4],
    ['an insertion before it', [1, 'xy'], 2, false, 4],
    ['a deletion around it', [1, -2], 2, false, 1],
    ['a replacement before it', [1, -1, 'xyz'], 2, false, 1],
    ['an insertion right before a deletion before it', [1, 'xyz', -1], 2, false, 4],
    ['an insertion at the start', ['xy'], 0, false, 0],
    ['an insertion at the end', [4, 'xy'], 4, true, 6],
  ] as [string, Change, number, boolean, number][])('%s', (_, change, index, right, expected) => {
    expect(mapIndex(change, index, right)).toBe(expected)
  })

  it('is where a Yjs relative position with the same association is', () => {
    const edits = fc.array(
      fc.record({ at: fc.nat(20), remove: fc.nat(3), insert: fc.constantFrom('', 'x', 'yz') }),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(edits, edits, fc.nat(12), fc.boolean(), (history, remote, at, right) => {
        const doc = new Y.Doc()
        const ytext = doc.getText()
        const perform = (list: typeof edits extends fc.Arbitrary<infer T> ? T : never) =>
          doc.transact(() => {
            for (const { at, remove, insert } of list) {
              const index = Math.min(at, ytext.length)
              ytext.delete(index, Math.min(remove, ytext.length - index))
              ytext.insert(index, insert)
            }
          })
        ytext.insert(0, 'abcdefghijkl')
        perform(history)
        const index = Math.min(at, ytext.length)
        const position = Y.createRelativePositionFromTypeIndex(ytext, index, right ? 0 : -1)
        const before = ytext.toString()
        let change: Change = []
        ytext.observe((event) => {
          change = fromDelta(event.delta)
        })
        perform(remote)
        expect(apply(before, change)).toBe(ytext.toString())
        expect(mapIndex(change, index, right)).toBe(
          Y.createAbsolutePositionFromRelativePosition(position, doc)?.index,
        )
      }),
      { numRuns: 2000 },
    )
  })
})

describe('textarea 5: a local edit while remote changes wait', () => {
  it('is moved past them, and they past it', () => {
    const [moved, waiting] = rebase([1, 'n'], [['XX'], [3, 'Y']])
    expect(apply('XXaYb', moved)).toBe('XXanYb')
    expect(waiting.reduce(apply, 'anb')).toBe('XXanYb')
  })

  it('leads to the shared text again whatever waits', () => {
    const remotes = fc.array(parts, { maxLength: 4 })
    fc.assert(
      fc.property(scene, remotes, ({ text, a, b }, others) => {
        const waiting: Change[] = []
        let shared = text
        for (const other of [b, ...others]) {
          const change = clip(other, shared.length)
          waiting.push(change)
          shared = apply(shared, change)
        }
        const [moved, past] = rebase(a, waiting)
        expect(past.reduce(apply, apply(text, a))).toBe(apply(shared, moved))
      }),
      { numRuns: 2000 },
    )
  })
})
