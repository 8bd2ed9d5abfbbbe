import { describe, expect, it, vi } from 'vitest'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { create, goLive, socket, withFakeSockets } from '../support/fake-socket.js'

withFakeSockets()

describe('presence', () => {
  const sentPresence = (): number => socket().sent.filter(({ type }) => type === 'awareness').length

  it('is announced with a new clock on each connection, and only our own is ever sent', () => {
    const { provider } = create()
    const { awareness } = provider
    const clock = (): number => awareness.meta.get(awareness.clientID)?.clock ?? -1
    const before = clock()
    goLive()
    expect(clock()).toBe(before + 1)
    expect(sentPresence()).toBe(1)
    const theirs = new Awareness(new Y.Doc())
    theirs.setLocalStateField('name', 'them')
    socket().hear({ type: 'awareness', update: encodeAwarenessUpdate(theirs, [theirs.clientID]) })
    expect(awareness.getStates().has(theirs.clientID)).toBe(true)
    expect(sentPresence()).toBe(1)
    socket().lose()
    expect(awareness.getStates().has(theirs.clientID)).toBe(false)
    vi.advanceTimersByTime(2_500)
    goLive()
    // The same clock as before, and yet they are seen again.
    socket().hear({ type: 'awareness', update: encodeAwarenessUpdate(theirs, [theirs.clientID]) })
    expect(awareness.getStates().has(theirs.clientID)).toBe(true)
    expect(clock()).toBe(before + 2)
    theirs.doc.destroy()
  })

  it('a given awareness outlives the provider, its own does not', () => {
    const doc = new Y.Doc()
    const mine = new Awareness(doc)
    const { provider } = create({ awareness: mine }, doc)
    provider.destroy()
    expect(mine.getLocalState()).toEqual({})
    const other = create()
    goLive()
    other.provider.destroy()
    expect(other.provider.awareness.getLocalState()).toBe(null)
    expect(socket().sent.at(-1)).toMatchObject({ type: 'awareness' })
  })
})
