import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import {
  create,
  FakeSocket,
  G,
  goLive,
  hello,
  socket,
  step1,
  withFakeSockets,
} from '../support/fake-socket.js'

withFakeSockets()

describe('other tabs', () => {
  /** A BroadcastChannel that delivers at once. */
  class FakeChannel {
    static open = new Set<FakeChannel>()
    onmessage: ((event: { data: unknown }) => void) | null = null
    constructor(readonly name: string) {
      FakeChannel.open.add(this)
    }
    postMessage(data: unknown): void {
      for (const other of FakeChannel.open) {
        if (other !== this && other.name === this.name) other.onmessage?.({ data: structuredClone(data) })
      }
    }
    close(): void {
      FakeChannel.open.delete(this)
    }
  }
  beforeEach(() => {
    FakeChannel.open.clear()
    vi.stubGlobal('BroadcastChannel', FakeChannel)
    vi.stubGlobal('location', {})
  })

  it('share edits without a server, and each offers all of them to its own', () => {
    const [a, b] = [create(), create()]
    expect(a.provider.bcconnected).toBe(true)
    a.text.insert(0, 'from a')
    expect(b.text.toString()).toBe('from a')
    expect(b.provider.saveState).toMatchObject({ status: 'device', pending: 1 })
    // Tab a is closed before it ever reached the server; nothing is lost.
    a.provider.destroy()
    socket().open()
    socket().hear(hello, step1)
    const answer = socket().sent.find(({ type }) => type === 'syncStep2')
    const server = new Y.Doc()
    if (answer?.type === 'syncStep2') Y.applyUpdate(server, answer.update)
    expect(server.getText('t').toString()).toBe('from a')
  })

  it.each([
    [
      'refuses it',
      class {
        constructor() {
          throw new DOMException('The operation is insecure.', 'SecurityError')
        }
      },
    ],
    ['has none', undefined],
  ])('are not talked to where the browser %s, and all else goes on', (_, Channel) => {
    vi.stubGlobal('BroadcastChannel', Channel)
    const { provider, text } = create()
    expect(provider.bcconnected).toBe(false)
    const live = goLive()
    text.insert(0, 'x')
    expect(live.sent.at(-1)?.type).toBe('update')
    live.hear({ type: 'ack', received: 2, durable: 2 })
    expect(provider.saveState.status).toBe('saved')
  })

  it('pass on what they type while live, once each', () => {
    const [a, b] = [create(), create()]
    const live = goLive()
    live.sent.length = 0
    a.text.insert(0, 'x')
    expect(live.sent.filter(({ type }) => type === 'update').length).toBe(1)
    expect(b.provider.saveState.pending).toBe(1)
    live.hear({ type: 'ack', received: 2, durable: 2 })
    expect(b.provider.saveState.status).toBe('saved')
    expect(a.provider.saveState.status).toBe('device')
  })

  it('learn the generation from each other', () => {
    const a = create()
    goLive()
    const b = create()
    b.text.insert(0, 'x')
    expect(a.provider.generation).toBe(G)
    expect(b.provider.generation).toBe(G)
  })

  it('stay present when the connection to the server is lost', () => {
    const a = create()
    goLive()
    const b = create()
    const seen = (): boolean => a.provider.awareness.getStates().has(b.provider.awareness.clientID)
    expect(seen()).toBe(true)
    FakeSocket.made[0]?.lose()
    expect(seen()).toBe(true)
    b.provider.disconnect()
    expect(seen()).toBe(false)
  })

  it('hear of us at once, and whoever listens to presence may call anything', () => {
    const doc = new Y.Doc()
    const awareness = new Awareness(doc)
    const { provider } = create({ awareness, connect: false }, doc)
    awareness.on('update', () => provider.disconnect())
    provider.connect()
    expect(provider.ws).toBe(null)
    expect(FakeSocket.made.filter(({ readyState }) => readyState !== 3)).toEqual([])
  })

  it('are left alone with disableBc, after disconnect, and outside of a page', () => {
    const a = create({ disableBc: true })
    const b = create()
    b.provider.disconnect()
    vi.stubGlobal('location', undefined)
    const c = create()
    expect([a, b, c].map(({ provider }) => provider.bcconnected)).toEqual([false, false, false])
    expect(FakeChannel.open.size).toBe(0)
  })
})
