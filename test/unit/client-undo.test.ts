import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createUndo } from '../../client/undo/index.js'

/** A document, and what somebody else writes into it. */
const scene = () => {
  const doc = new Y.Doc()
  const other = new Y.Doc()
  const provider = {}
  const remote = (change: (doc: Y.Doc) => void, origin: unknown = provider): void => {
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    change(other)
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), origin)
  }
  return { doc, text: doc.getText('t'), map: doc.getMap('m'), remote, provider }
}

describe('undo', () => {
  it('takes back the own edits only, wherever they are now', () => {
    const { text, remote } = scene()
    const undo = createUndo(text)
    undo.edit(() => text.insert(0, 'mine'))
    remote((doc) => doc.getText('t').insert(0, 'theirs '))
    expect(text.toString()).toBe('theirs mine')
    expect([undo.canUndo, undo.canRedo]).toEqual([true, false])
    expect(undo.undo()).toBe(true)
    expect(text.toString()).toBe('theirs ')
    expect(undo.undo()).toBe(false)
    expect(undo.redo()).toBe(true)
    expect(text.toString()).toBe('theirs mine')
  })

  it.each([
    ['an origin', {}],
    ['no origin', undefined],
  ])('never takes back an update with %s', (_, origin) => {
    const { text, remote } = scene()
    const undo = createUndo(text, { origins: [null, undefined, origin] })
    remote((doc) => doc.getText('t').insert(0, 'stored'), origin)
    expect(undo.canUndo).toBe(false)
  })

  it('is about its scope, not about the rest of the document', () => {
    const { text, map } = scene()
    const undo = createUndo([text])
    text.insert(0, 'a')
    map.set('k', 1)
    undo.undo()
    expect([text.toString(), map.get('k')]).toEqual(['', 1])
    const both = createUndo([text, map], { captureTimeoutMs: 0 })
    text.insert(0, 'b')
    map.set('k', 2)
    both.undo()
    both.undo()
    expect([text.toString(), map.get('k')]).toEqual(['', 1])
  })

  it('knows whose edits: those of the origins it was given, and its own', () => {
    const { doc, text } = scene()
    const [form, script] = [{}, {}]
    const undo = createUndo(text, { origins: [form], captureTimeoutMs: 0 })
    doc.transact(() => text.insert(0, 's'), script)
    text.insert(1, 'n')
    expect(undo.canUndo).toBe(false)
    doc.transact(() => text.insert(2, 'f'), form)
    expect(undo.edit(() => text.insert(3, 'o'))).toBeUndefined()
    undo.undo()
    expect(text.toString()).toBe('snf')
    undo.undo()
    expect(text.toString()).toBe('sn')
    expect(undo.canUndo).toBe(false)
  })

  it('does not mix scopes: each has steps of its own', () => {
    const { doc } = scene()
    const [title, body] = [doc.getText('title'), doc.getText('body')]
    const [inTitle, inBody] = [createUndo(title), createUndo(body)]
    title.insert(0, 'T')
    body.insert(0, 'B')
    inTitle.undo()
    expect([title.toString(), body.toString()]).toEqual(['', 'B'])
    expect([inTitle.canRedo, inBody.canUndo]).toEqual([true, true])
  })

  it('takes quick edits back as one step, unless told to begin another', () => {
    const { text } = scene()
    const undo = createUndo(text)
    text.insert(0, 'a')
    text.insert(1, 'b')
    undo.breakStep()
    text.insert(2, 'c')
    undo.undo()
    expect(text.toString()).toBe('ab')
    undo.undo()
    expect(text.toString()).toBe('')
  })

  it('selects what was selected before a step, and after it on redo', () => {
    const { text, remote } = scene()
    let selected = 'start'
    const undo = createUndo(text, {
      captureTimeoutMs: 10_000,
      selection: {
        get: () => selected,
        set: (selection) => {
          selected = selection
        },
      },
    })
    undo.edit(() => {
      text.insert(0, 'a')
      selected = 'after a'
    })
    selected = 'moved'
    remote((doc) => doc.getText('t').insert(0, 'X'))
    undo.edit(() => {
      text.insert(1, 'b')
      selected = 'after b'
    })
    undo.breakStep()
    selected = 'elsewhere'
    undo.edit(() => text.insert(0, 'c'))

    undo.undo()
    expect(selected).toBe('elsewhere')
    undo.undo()
    expect([text.toString(), selected]).toEqual(['X', 'start'])
    undo.redo()
    expect(selected).toBe('after b')
    undo.undo()
    expect(selected).toBe('start')
  })

  it('tells when there may be other steps, until it is told not to', () => {
    const { text } = scene()
    const undo = createUndo(text)
    const seen: boolean[] = []
    const unsubscribe = undo.subscribe(() => seen.push(undo.canUndo))
    text.insert(0, 'a')
    undo.undo()
    expect(seen.at(0)).toBe(true)
    expect(seen.at(-1)).toBe(false)
    const { length } = seen
    unsubscribe()
    text.insert(0, 'b')
    expect(seen.length).toBe(length)
  })

  it('leaves nothing behind', () => {
    const { doc, text } = scene()
    const before = doc._observers.size
    const undo = createUndo(text, { selection: { get: () => 0, set: () => {} } })
    undo.subscribe(() => {})
    text.insert(0, 'a')
    undo.destroy()
    expect(doc._observers.size).toBe(before)
    expect(undo.manager._observers.size).toBe(0)
  })

  it('needs a scope within a document', () => {
    expect(() => createUndo(new Y.Text())).toThrow(TypeError)
  })
})
