import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { contentsOf } from '../../server/tools/contents.js'
import { randomSession, seeded, shuffled } from '../support/random-edits.js'

const reloaded = (updates: readonly Uint8Array[]): Y.Doc => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update)
  })
  return doc
}

const shown = (make: (doc: Y.Doc) => void): unknown => {
  const doc = new Y.Doc()
  doc.clientID = 1
  make(doc)
  // As it comes from a store: no root's type is known.
  return contentsOf(reloaded([Y.encodeStateAsUpdate(doc)]))
}

describe('what a document shows', () => {
  it.each<[string, (doc: Y.Doc) => void, (doc: Y.Doc) => void]>([
    ['a text', (doc) => doc.getText('t').insert(0, 'a'), (doc) => doc.getText('t').insert(0, 'b')],
    [
      'a format',
      (doc) => doc.getText('t').insert(0, 'a', { bold: true }),
      (doc) => doc.getText('t').insert(0, 'a', { bold: false }),
    ],
    [
      'where a format ends',
      (doc) => {
        doc.getText('t').insert(0, 'ab')
        doc.getText('t').format(0, 1, { bold: true })
      },
      (doc) => {
        doc.getText('t').insert(0, 'ab')
        doc.getText('t').format(0, 2, { bold: true })
      },
    ],
    [
      'an embed',
      (doc) => doc.getText('t').insertEmbed(0, { image: 'a' }),
      (doc) => doc.getText('t').insertEmbed(0, { image: 'b' }),
    ],
    [
      'a string and a text',
      (doc) => doc.getArray('t').insert(0, ['a']),
      (doc) => doc.getText('t').insert(0, 'a'),
    ],
    [
      'one string and two',
      (doc) => doc.getArray('t').insert(0, ['ab']),
      (doc) => doc.getArray('t').insert(0, ['a', 'b']),
    ],
    ['a value', (doc) => doc.getMap('m').set('k', 1), (doc) => doc.getMap('m').set('k', '1')],
    [
      'bytes',
      (doc) => doc.getMap('m').set('k', Uint8Array.of(1)),
      (doc) => doc.getMap('m').set('k', Uint8Array.of(2)),
    ],
    ['a key', (doc) => doc.getMap('m').set('k', 1), (doc) => doc.getMap('m').set('l', 1)],
    ['__proto__', (doc) => doc.getMap('m').set('__proto__', 1), (doc) => doc.getMap('m').set('__proto__', 2)],
    [
      'a nested type',
      (doc) => doc.getMap('m').set('k', new Y.Map([['a', 1]])),
      (doc) => doc.getMap('m').set('k', new Y.Map([['a', 2]])),
    ],
    [
      'which type is nested',
      (doc) => doc.getMap('m').set('k', new Y.Map()),
      (doc) => doc.getMap('m').set('k', new Y.Array()),
    ],
    [
      'an element',
      (doc) => doc.getXmlFragment('x').insert(0, [new Y.XmlElement('p')]),
      (doc) => doc.getXmlFragment('x').insert(0, [new Y.XmlElement('q')]),
    ],
    [
      'an attribute',
      (doc) => {
        const element = new Y.XmlElement('p')
        element.setAttribute('class', 'a')
        doc.getXmlFragment('x').insert(0, [element])
      },
      (doc) => {
        const element = new Y.XmlElement('p')
        element.setAttribute('class', 'b')
        doc.getXmlFragment('x').insert(0, [element])
      },
    ],
    [
      'a subdocument',
      (doc) => doc.getMap('m').set('k', new Y.Doc({ guid: 'a' })),
      (doc) => doc.getMap('m').set('k', new Y.Doc({ guid: 'b' })),
    ],
    ['a root', (doc) => doc.getText('a').insert(0, 'x'), (doc) => doc.getText('b').insert(0, 'x')],
  ])('tells %s from another', (_, left, right) => {
    expect(isDeepStrictEqual(shown(left), shown(left))).toBe(true)
    expect(isDeepStrictEqual(shown(left), shown(right))).toBe(false)
  })

  it('is the same in whatever order and pieces it arrived', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { updates } = randomSession(seed)
      const one = contentsOf(reloaded(updates))
      const other = contentsOf(reloaded(shuffled(seeded(seed), updates)))
      const whole = contentsOf(reloaded([Y.encodeStateAsUpdate(reloaded(updates))]))
      expect(isDeepStrictEqual(one, other), `seed ${seed}`).toBe(true)
      expect(isDeepStrictEqual(one, whole), `seed ${seed}`).toBe(true)
    }
  })
})
