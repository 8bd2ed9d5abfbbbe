import { describe, expect, it } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { type Channel, CrossTab } from '../../client/cross-tab.js'
import { ownPresence } from '../../client/presence.js'

/** Channels that deliver at once, in order, to all others; and what was posted. */
const createHub = () => {
  const open = new Set<Channel>()
  const posts: unknown[] = []
  const queue: (() => void)[] = []
  let delivering = false
  const join = (): Channel => {
    const channel: Channel = {
      onmessage: null,
      postMessage: (message) => {
        const data = structuredClone(message)
        posts.push(data)
        for (const other of open) {
          const receive = other.onmessage as ((event: { data: unknown }) => void) | null
          if (other !== channel) queue.push(() => receive?.({ data }))
        }
        if (delivering) return
        delivering = true
        for (let next = queue.shift(); next; next = queue.shift()) next()
        delivering = false
      },
      close: () => void open.delete(channel),
    }
    open.add(channel)
    return channel
  }
  return { join, posts }
}

const openTab = (
  hub: ReturnType<typeof createHub>,
  { generation = null as string | null, content = '' } = {},
) => {
  const doc = new Y.Doc()
  const awareness = new Awareness(doc)
  awareness.setLocalStateField('name', content)
  if (content) doc.getText('t').insert(0, content)
  const replica = { doc, awareness, generation }
  const merged: (string | null)[] = []
  const fromTabs: boolean[] = []
  let tabs: CrossTab | null = null
  doc.on('update', (update: Uint8Array, from: unknown) => {
    fromTabs.push(tabs?.applying ?? false)
    if (from !== replica) tabs?.update(update)
  })
  tabs = new CrossTab(hub.join(), replica, (of) => merged.push(of))
  return { doc, text: doc.getText('t'), awareness, tabs, merged, fromTabs, destroy: () => doc.destroy() }
}

describe('tabs of one browser', () => {
  it('have the same content once both are open, deletions included', () => {
    const hub = createHub()
    const a = openTab(hub, { content: 'abc' })
    a.text.delete(0, 1)
    const b = openTab(hub, { content: 'xyz' })
    expect(b.text.toString()).toBe(a.text.toString())
    expect(a.text.length).toBe(5)
    b.text.insert(0, '!')
    expect(a.text.toString()).toBe(b.text.toString())
    a.destroy()
    b.destroy()
  })

  it('do not echo each other, and know whose update they apply', () => {
    const hub = createHub()
    const [a, b] = [openTab(hub), openTab(hub)]
    const before = hub.posts.length
    a.text.insert(0, 'x')
    expect(hub.posts.length).toBe(before + 1)
    expect(b.fromTabs).toEqual([true])
    expect(a.fromTabs).toEqual([false])
    expect(b.tabs.applying).toBe(false)
    a.destroy()
    b.destroy()
  })

  it('see each other', () => {
    const hub = createHub()
    const [a, b] = [openTab(hub, { content: 'A' }), openTab(hub, { content: 'B' })]
    expect(b.awareness.getStates().get(a.awareness.clientID)).toEqual({ name: 'A' })
    b.tabs.presence(ownPresence(b.awareness))
    expect(a.awareness.getStates().get(b.awareness.clientID)).toEqual({ name: 'B' })
    a.destroy()
    b.destroy()
  })

  it('with different generations leave each other alone; one that has none takes it over', () => {
    const hub = createHub()
    const old = openTab(hub, { generation: '1', content: 'old' })
    const current = openTab(hub, { generation: '2', content: 'new' })
    expect(old.text.toString()).toBe('old')
    expect(current.text.toString()).toBe('new')
    old.destroy()
    old.tabs.close()
    const fresh = openTab(hub)
    expect(fresh.text.toString()).toBe('new')
    expect(fresh.merged).toContain('2')
    current.destroy()
    fresh.destroy()
  })

  it('hear nothing after closing, and nothing from strangers on the channel', () => {
    const hub = createHub()
    const [a, b] = [openTab(hub), openTab(hub)]
    const stranger = hub.join()
    for (const post of [null, 'text', {}, { inkwire: 2, message: { type: 'update', update: 'x' } }])
      stranger.postMessage(post)
    b.tabs.close()
    a.text.insert(0, 'x')
    expect(b.text.toString()).toBe('')
    a.destroy()
    b.destroy()
  })
})
