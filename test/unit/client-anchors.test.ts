import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createAnchor, createRangeAnchor, resolveAnchor, resolveRange } from '../../client/anchors/index.js'

const textOf = (content: string): Y.Text => {
  const text = new Y.Doc().getText('t')
  text.insert(0, content)
  return text
}

/** As a comment's place comes back from a store. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

const lines = (text: Y.Text, range: unknown): string | null => {
  const found = resolveRange(text, range)
  return found && text.toString().slice(found.start, found.end)
}

describe('an anchor', () => {
  it('moves with what is around it', () => {
    const text = textOf('hello world')
    const anchor = stored(createAnchor(text, 6))
    text.insert(0, 'oh, ')
    expect(resolveAnchor(text, anchor)).toBe(10)
    text.delete(0, 5)
    expect(resolveAnchor(text, anchor)).toBe(5)
  })

  it('stays with the element on its side when something is inserted right there', () => {
    const text = textOf('ab')
    const [left, right] = [createAnchor(text, 1, 'left'), createAnchor(text, 1, 'right')]
    text.insert(1, '---')
    expect([resolveAnchor(text, left), resolveAnchor(text, right)]).toEqual([1, 4])
  })

  it('without an element on its side is the start or the end, for ever', () => {
    const text = textOf('ab')
    const [start, end] = [createAnchor(text, 0, 'left'), createAnchor(text, 2, 'right')]
    text.insert(0, '<')
    text.insert(text.length, '>')
    expect([resolveAnchor(text, start), resolveAnchor(text, end)]).toEqual([0, 4])
    text.delete(0, 4)
    expect([resolveAnchor(text, start), resolveAnchor(text, end)]).toEqual([0, 0])
  })

  it.each(['left', 'right'] as const)('is null once the element on its %s is deleted', (side) => {
    const text = textOf('abcd')
    const anchor = createAnchor(text, 2, side)
    text.delete(side === 'left' ? 2 : 1, 1)
    expect(resolveAnchor(text, anchor)).not.toBeNull()
    text.delete(1, 1)
    expect(resolveAnchor(text, anchor)).toBeNull()
  })

  it('comes back when an undo brings its element back', () => {
    const text = textOf('abcd')
    const undo = new Y.UndoManager(text)
    const anchor = createAnchor(text, 2)
    text.delete(1, 2)
    expect(resolveAnchor(text, anchor)).toBeNull()
    undo.undo()
    expect(resolveAnchor(text, anchor)).toBe(2)
  })

  it('means the same on another device, once the text is there', () => {
    const text = textOf('abcd')
    const anchor = createAnchor(text, 2)
    const other = new Y.Doc().getText('t')
    expect(resolveAnchor(other, anchor)).toBeNull()
    Y.applyUpdate(other.doc as Y.Doc, Y.encodeStateAsUpdate(text.doc as Y.Doc))
    other.insert(0, '!')
    expect(resolveAnchor(other, anchor)).toBe(3)
  })

  it('works in arrays, and in types within types until those are deleted', () => {
    const outer = new Y.Doc().getArray<Y.Array<string>>('a')
    const inner = new Y.Array<string>()
    outer.insert(0, [inner])
    inner.insert(0, ['x', 'y'])
    const [at, end] = [createAnchor(inner, 1), createAnchor(inner, 2)]
    inner.insert(0, ['w'])
    expect([resolveAnchor(inner, at), resolveAnchor(inner, end)]).toEqual([2, 3])
    outer.delete(0, 1)
    expect([resolveAnchor(inner, at), resolveAnchor(inner, end)]).toEqual([null, null])
  })

  it('of another text, and anything that is no anchor, is null', () => {
    const text = textOf('abc')
    const doc = text.doc as Y.Doc
    doc.getText('u').insert(0, 'abc')
    const bad = [createAnchor(doc.getText('u'), 1), '', '?', 'AAAA', 'gICAgICAgICAgICA', '_____', null, 7, {}]
    for (const each of bad) expect(resolveAnchor(text, each), String(each)).toBeNull()
  })

  it('can be made only in a document', () => {
    expect(() => createAnchor(new Y.Text(), 0)).toThrow(TypeError)
  })
})

describe('a range', () => {
  it('takes in what is inserted within it, and not what is inserted at its ends', () => {
    const text = textOf('one two three')
    const range = stored(createRangeAnchor(text, 4, 7))
    text.insert(7, '!')
    text.insert(4, '"')
    text.insert(6, '-')
    expect(text.toString()).toBe('one "t-wo! three')
    expect(lines(text, range)).toBe('t-wo')
  })

  it('shrinks with what is deleted of it, and is null when nothing is left', () => {
    const text = textOf('one two three')
    const range = createRangeAnchor(text, 4, 7)
    text.delete(2, 3)
    expect(lines(text, range)).toBe('wo')
    text.delete(3, 5)
    expect(lines(text, range)).toBe('w')
    text.delete(0, 4)
    expect(lines(text, range)).toBeNull()
  })

  it('comes back with an undo', () => {
    const text = textOf('one two three')
    const undo = new Y.UndoManager(text)
    const range = createRangeAnchor(text, 4, 7)
    text.delete(0, 13)
    expect(lines(text, range)).toBeNull()
    undo.undo()
    expect(lines(text, range)).toBe('two')
  })

  it('must not be empty', () => {
    expect(() => createRangeAnchor(textOf('abc'), 1, 1)).toThrow(RangeError)
  })

  it('that is none is null', () => {
    const text = textOf('abc')
    for (const each of [null, undefined, 'x', {}, { start: 1, end: 2 }])
      expect(resolveRange(text, each)).toBeNull()
  })
})
