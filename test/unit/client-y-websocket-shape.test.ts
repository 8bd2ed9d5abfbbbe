import { beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { InkwireProvider } from '../../client/index.js'
import { create, FakeSocket, G, goLive, socket, undo, withFakeSockets } from '../support/fake-socket.js'

withFakeSockets()

describe('y-websocket’s shape', () => {
  it('has its properties, through a connection’s life', () => {
    const { provider, events } = create({ params: { a: 'b' }, protocols: ['mine'] })
    expect(provider).toMatchObject({
      roomname: 'doc',
      serverUrl: 'ws://h',
      url: 'ws://h/doc?a=b',
      shouldConnect: true,
    })
    expect(provider).toMatchObject({ wsconnecting: true, wsconnected: false, synced: false })
    expect(socket().protocols).toEqual(['mine', 'inkwire.1'])
    goLive()
    expect(provider).toMatchObject({
      wsconnecting: false,
      wsconnected: true,
      synced: true,
      access: 'write',
      generation: G,
    })
    expect(provider.ws).toBe(socket())
    socket().lose()
    expect(provider).toMatchObject({ wsconnected: false, synced: false, ws: null, shouldConnect: true })
    provider.disconnect()
    expect(provider.shouldConnect).toBe(false)
    expect(events.filter(([name]) => name === 'status' || name === 'sync')).toEqual([
      ['status', { status: 'connected' }],
      ['sync', true],
      ['sync', false],
      ['status', { status: 'disconnected' }],
    ])
  })

  it('new params go into the next connection’s URL', () => {
    const { provider } = create()
    provider.params = { token: 'new' }
    provider.disconnect()
    provider.connect()
    expect(socket().url).toBe('ws://h/doc?token=new')
  })

  it('connect: false waits for connect(), and asks no global for anything', () => {
    const { provider } = create({ connect: false })
    expect(FakeSocket.made).toEqual([])
    provider.connect()
    expect(FakeSocket.made.length).toBe(1)
  })

  it('never has two sockets, whatever is called', () => {
    const { provider } = create()
    provider.connect()
    provider.connect()
    goLive()
    provider.connect()
    expect(FakeSocket.made.length).toBe(1)
    provider.disconnect()
    provider.connect()
    provider.disconnect()
    provider.connect()
    expect(FakeSocket.made.filter(({ readyState }) => readyState !== 3).length).toBe(1)
  })

  it('made, destroyed and made again, as React’s StrictMode does, has one socket', () => {
    const doc = new Y.Doc()
    create({}, doc).provider.destroy()
    create({}, doc)
    expect(FakeSocket.made.map(({ readyState }) => readyState)).toEqual([3, 0])
    goLive()
    expect(FakeSocket.made.length).toBe(2)
  })

  it('a listener may call anything', () => {
    const { provider } = create()
    let once = true
    provider.on('status', ({ status }) => {
      if (status === 'connected' && once) {
        once = false
        provider.disconnect()
        provider.connect()
      }
    })
    socket().open('')
    expect(FakeSocket.made.length).toBe(2)
    goLive()
    // The first connection's server was a plain one; that must not colour the second's.
    expect(provider.saveState.status).toBe('saved')
  })

  it('resyncInterval asks again and again, while connected', () => {
    create({ resyncInterval: 1_000 })
    goLive()
    socket().sent.length = 0
    vi.advanceTimersByTime(3_000)
    expect(socket().sent.filter(({ type }) => type === 'syncStep1').length).toBe(3)
  })

  it.each([-1, 0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32 + 1])(
    'a resyncInterval of %d asks never again',
    (resyncInterval) => {
      create({ resyncInterval })
      goLive()
      socket().sent.length = 0
      vi.advanceTimersByTime(2_000)
      expect(socket().sent.filter(({ type }) => type === 'syncStep1')).toEqual([])
    },
  )

  it('the document’s end is the provider’s', () => {
    const { doc, provider } = create()
    goLive()
    doc.destroy()
    expect(provider.ws).toBe(null)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('without a WebSocket class', () => {
  beforeEach(() => {
    vi.stubGlobal('WebSocket', undefined)
  })

  it('constructing is fine and stays offline, as in server rendering', () => {
    const doc = new Y.Doc()
    const provider = new InkwireProvider('ws://h', 'doc', doc)
    undo.push(() => provider.destroy())
    expect(provider).toMatchObject({ shouldConnect: false, wsconnecting: false })
    doc.getText('t').insert(0, 'x')
    expect(provider.saveState).toMatchObject({ status: 'device', pending: 1 })
  })

  it('connect() says what is missing', () => {
    const provider = new InkwireProvider('ws://h', 'doc', new Y.Doc())
    undo.push(() => provider.doc.destroy())
    expect(() => provider.connect()).toThrow(expect.objectContaining({ code: 'INKWIRE_BAD_OPTION' }))
    expect(provider.shouldConnect).toBe(false)
  })
})
