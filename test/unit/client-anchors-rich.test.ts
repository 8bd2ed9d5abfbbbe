import { Schema } from 'prosemirror-model'
import { describe, expect, it } from 'vitest'
import {
  absolutePositionToRelativePosition,
  initProseMirrorDoc,
  relativePositionToAbsolutePosition,
} from 'y-prosemirror'
import * as Y from 'yjs'
import { anchorFromPosition, positionFromAnchor } from '../../client/anchors/index.js'

const schema = new Schema({
  nodes: {
    doc: { content: 'block+' },
    paragraph: { group: 'block', content: 'text*' },
    quote: { group: 'block', content: 'block+' },
    text: {},
  },
})

/** A rich text of paragraphs; the last stands in a quote. */
const richText = (...paragraphs: string[]) => {
  const doc = new Y.Doc()
  const fragment = doc.getXmlFragment('rich')
  const blocks = paragraphs.map((content) => {
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.insert(0, [new Y.XmlText(content)])
    return paragraph
  })
  const quote = new Y.XmlElement('quote')
  quote.insert(0, blocks.splice(-1))
  fragment.insert(0, [...blocks, quote])
  const textOf = (index: number): Y.XmlText => {
    const block = fragment.get(index) as Y.XmlElement
    const paragraph = block.nodeName === 'quote' ? (block.get(0) as Y.XmlElement) : block
    return paragraph.get(0) as Y.XmlText
  }
  return {
    doc,
    fragment,
    textOf,
    /** Where the editor has a piece of text. */
    find(piece: string): { from: number; to: number } {
      let from = -1
      initProseMirrorDoc(fragment, schema).doc.descendants(({ text = '' }, at) => {
        if (text.includes(piece)) from = at + text.indexOf(piece)
      })
      return { from, to: from + piece.length }
    },
    hold(at: number, side?: 'left' | 'right') {
      const { mapping } = initProseMirrorDoc(fragment, schema)
      return anchorFromPosition(doc, absolutePositionToRelativePosition(at, fragment, mapping), side)
    },
    /** What the editor has between two anchors; null for nothing. */
    between(start: unknown, end: unknown): string | null {
      const { doc: shown, mapping } = initProseMirrorDoc(fragment, schema)
      const [from, to] = [start, end].map((anchor) => {
        const position = positionFromAnchor(doc, anchor)
        return position && relativePositionToAbsolutePosition(doc, fragment, position, mapping)
      })
      if (typeof from !== 'number' || typeof to !== 'number' || from >= to) return null
      return shown.textBetween(from, to, '|')
    },
  }
}

describe('an anchor in a rich text', () => {
  it('holds a range within a paragraph, whatever happens around and at its ends', () => {
    const { doc, textOf, find, hold, between } = richText('one two three', 'four', 'five')
    const { from, to } = find('two')
    const [start, end] = [hold(from), hold(to, 'left')]
    textOf(0).insert(8, 's here')
    expect(between(start, end)).toBe('two')
    textOf(0).insert(7, '!')
    textOf(0).insert(4, '>')
    textOf(0).insert(0, 'zero ')
    textOf(0).insert(11, '-')
    expect(between(start, end)).toBe('t-wo')
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    copy.getXmlFragment('rich')
    expect(positionFromAnchor(copy, start)).not.toBeNull()
  })

  it('holds one across paragraphs, into a quote', () => {
    const { fragment, textOf, find, hold, between } = richText('one two', 'three', 'four five')
    const [start, end] = [hold(find('two').from), hold(find('four').to, 'left')]
    textOf(0).insert(0, 'zero ')
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.insert(0, [new Y.XmlText('new')])
    fragment.insert(1, [paragraph])
    expect(between(start, end)).toBe('two|new|three|four')
  })

  it('is an empty range once everything in it is deleted, and comes back with an undo', () => {
    const { textOf, find, hold, between } = richText('one two three', 'four')
    const [start, end] = [hold(find('two').from), hold(find('two').to, 'left')]
    const undo = new Y.UndoManager(textOf(0))
    textOf(0).delete(5, 2)
    expect(between(start, end)).toBe('t')
    undo.stopCapturing()
    textOf(0).delete(4, 1)
    expect(between(start, end)).toBeNull()
    undo.undo()
    expect(between(start, end)).toBe('t')
  })

  it('is nowhere once its paragraph, or a block around that, is deleted', () => {
    const { fragment, find, hold, doc } = richText('one', 'two', 'three')
    const [first, last] = [hold(find('one').from), hold(find('three').from)]
    fragment.delete(0, 1)
    expect(positionFromAnchor(doc, first)).toBeNull()
    expect(positionFromAnchor(doc, last)).not.toBeNull()
    fragment.delete(1, 1)
    expect(positionFromAnchor(doc, last)).toBeNull()
  })

  it('is nowhere if that is so without garbage collection, too', () => {
    const { doc, fragment, find, hold } = richText('one', 'two')
    doc.gc = false
    const last = hold(find('two').from)
    fragment.delete(1, 1)
    expect(positionFromAnchor(doc, last)).toBeNull()
  })

  it.each([undefined, null, 7, '', 'no anchor', '!!', {}])('is nowhere if it is %j', (anchor) => {
    expect(positionFromAnchor(richText('one').doc, anchor)).toBeNull()
  })

  it('is nowhere before its text has arrived', () => {
    const { find, hold } = richText('one')
    const anchor = hold(find('one').from)
    expect(positionFromAnchor(new Y.Doc(), anchor)).toBeNull()
  })
})
