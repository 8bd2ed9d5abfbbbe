import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { type InkwireOptions, InkwireProvider, type WebSocketLike } from '../../client/index.js'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'

const G = 'a'.repeat(32)
const hello: Message = {
  type: 'hello',
  generation: G,
  seq: 1,
  access: 'write',
  durability: 'fsync',
  maxMessageBytes: 1 << 20,
}
const step1: Message = { type: 'syncStep1', stateVector: Uint8Array.of(0) }
const step2: Message = { type: 'syncStep2', update: Uint8Array.of(0, 0) }

/** A WebSocket whose other end is the test. */
class FakeSocket implements WebSocketLike {
  static made: FakeSocket[] = []
  binaryType = 'blob'
  readyState = 0
  protocol = ''
  bufferedAmount = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly sent: Message[] = []

  constructor(
    readonly url: string,
    readonly protocols: string[] = [],
  ) {
    FakeSocket.made.push(this)
  }

  send(data: Uint8Array): void {
    this.sent.push(decodeMessage(data))
  }

  close(): void {
    this.readyState = 3
  }

  open(protocol = this.protocols.at(-1) ?? ''): void {
    this.readyState = 1
    this.protocol = protocol
    this.onopen?.({} as never)
  }

  hear(...messages: Message[]): void {
    for (const message of messages) {
      this.onmessage?.({ data: encodeMessage(message).slice().buffer } as never)
    }
  }

  lose(code = 1006, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason } as never)
  }
}

const undo: (() => void)[] = []
const create = (options: InkwireOptions = {}, doc = new Y.Doc()) => {
  const provider = new InkwireProvider('ws://h/', 'doc', doc, { WebSocketPolyfill: FakeSocket, ...options })
  const events: unknown[][] = []
  for (const name of ['status', 'sync', 'closed', 'save', 'access', 'connection-close'] as const) {
    provider.on(name, (first: unknown) => void events.push([name, first]))
  }
  undo.push(
    () => provider.destroy(),
    () => doc.destroy(),
  )
  return { provider, doc, text: doc.getText('t'), events }
}
/** The newest socket. */
const socket = (): FakeSocket => {
  const last = FakeSocket.made.at(-1)
  if (!last) throw new Error('no socket was made')
  return last
}
const goLive = (): FakeSocket => {
  const one = socket()
  one.open()
  one.hear(hello, step1, step2, { type: 'ack', received: 1, durable: 1 })
  return one
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made = []
})
afterEach(() => {
  for (const step of undo.splice(0)) step()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

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

describe('reconnecting', () => {
  it('waits longer each time, with the longest given', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999999)
    create({ maxBackoffTime: 1_000 })
    goLive()
    const waits: number[] = []
    for (let i = 0; i < 5; i++) {
      socket().lose()
      const before = FakeSocket.made.length
      const started = Date.now()
      while (FakeSocket.made.length === before) vi.advanceTimersByTime(10)
      waits.push(Date.now() - started)
    }
    expect(waits).toEqual([200, 400, 800, 1_000, 1_000])
  })

  it('C2: stops at 4400–4499 and says why; connect() tries again', () => {
    const { provider, events } = create()
    goLive()
    socket().lose(4403, 'forbidden')
    expect(provider.shouldConnect).toBe(false)
    expect(events).toContainEqual(['closed', { code: 4403, reason: 'forbidden' }])
    vi.advanceTimersByTime(60_000)
    expect(FakeSocket.made.length).toBe(1)
    provider.connect()
    expect(FakeSocket.made.length).toBe(2)
  })

  it('shouldReconnect decides, if given', () => {
    const { provider } = create({ shouldReconnect: ({ code }) => code === 4403 })
    goLive()
    socket().lose(4403)
    expect(provider.shouldConnect).toBe(true)
    vi.advanceTimersByTime(2_500)
    socket().open()
    socket().lose(1012)
    expect(provider.shouldConnect).toBe(false)
  })

  it('W6: 30 s without a sign of life end a connection', () => {
    const { provider } = create()
    goLive()
    vi.advanceTimersByTime(29_000)
    expect(provider.synced).toBe(true)
    socket().hear({ type: 'awareness', update: Uint8Array.of(0) })
    vi.advanceTimersByTime(29_000)
    expect(provider.synced).toBe(true)
    vi.advanceTimersByTime(5_000)
    expect(provider.synced).toBe(false)
  })

  it('an attempt that hangs is given up, too', () => {
    create()
    vi.advanceTimersByTime(34_000)
    expect(FakeSocket.made.length).toBe(2)
  })

  it('X2: another generation than the remembered one stops before anything is merged', () => {
    const { provider, text, events } = create({ generation: 'b'.repeat(32) })
    socket().open()
    const theirs = new Y.Doc()
    theirs.getText('t').insert(0, 'theirs')
    socket().hear(hello, step1, { type: 'syncStep2', update: Y.encodeStateAsUpdate(theirs) })
    expect(text.toString()).toBe('')
    expect(events).toContainEqual(['closed', { code: 4409, reason: 'generation-changed' }])
    expect(provider.shouldConnect).toBe(false)
  })
})

describe('whenSynced', () => {
  it('rejects with INKWIRE_STOPPED and the reason when the server refused for good', async () => {
    const { provider } = create()
    const waiting = expect(provider.whenSynced).rejects.toMatchObject({
      code: 'INKWIRE_STOPPED',
      cause: { code: 4404, reason: 'gone' },
    })
    socket().open()
    socket().lose(4404, 'gone')
    await waiting
    await expect(provider.whenSynced).rejects.toMatchObject({ code: 'INKWIRE_STOPPED' })
    provider.connect()
    const again = provider.whenSynced
    goLive()
    await again
  })
})

describe('token (PROTOCOL X7, X8)', () => {
  const asked: Message = { type: 'authenticate' }
  /** The newest socket's tokens, once the app's function has answered. */
  const shown = async (): Promise<string[]> => {
    await vi.advanceTimersByTimeAsync(0)
    return socket().sent.flatMap((message) => (message.type === 'token' ? [message.token] : []))
  }

  it('is asked for only when the server wants one, and is in no URL', async () => {
    const token = vi.fn(async () => 'secret')
    const { provider, events } = create({ token })
    goLive()
    expect(token).not.toHaveBeenCalled()
    socket().lose()
    vi.advanceTimersByTime(2_500)
    socket().open()
    socket().hear(asked)
    expect(provider.connection.name).toBe('authorizing')
    expect(await shown()).toEqual(['secret'])
    socket().hear(hello, step1, step2)
    expect(provider.synced).toBe(true)
    expect(FakeSocket.made.map(({ url }) => url).join()).not.toContain('secret')
    expect(JSON.stringify(events)).not.toContain('secret')
  })

  it('when the server wants one and there is none, stops at once', () => {
    const { provider, events } = create()
    socket().open()
    socket().hear(asked)
    expect(provider.connection).toMatchObject({ name: 'stopped', code: 4401 })
    expect(events).toContainEqual(['closed', { code: 4401, reason: 'token needed' }])
  })

  it('4401: a fresh one is tried once before giving up, each asked for anew', async () => {
    let count = 0
    const { provider } = create({ token: () => `token ${++count}` })
    for (let i = 1; i <= 2; i++) {
      socket().open()
      socket().hear(asked)
      expect(await shown()).toEqual([`token ${i}`])
      socket().lose(4401, 'the token is not valid')
      vi.advanceTimersByTime(2_500)
    }
    expect(FakeSocket.made.length).toBe(2)
    expect(provider.connection).toMatchObject({ name: 'stopped', code: 4401 })
  })

  it('4401 on a connection that lasted leads to another, with a fresh one', async () => {
    const { provider } = create({ token: () => 'secret' })
    for (let i = 1; i <= 3; i++) {
      socket().open()
      socket().hear(asked)
      expect(await shown()).toEqual(['secret'])
      socket().hear(hello, step1, step2)
      vi.advanceTimersByTime(10_000)
      expect(provider.synced).toBe(true)
      socket().lose(4401, 'the permission has expired')
      vi.advanceTimersByTime(2_500)
      expect(FakeSocket.made.length).toBe(i + 1)
    }
  })

  it('that fails is told, and the connection tried again with backoff, for as long as it takes', async () => {
    let down = true
    const failure = new Error('the token service is down')
    const { provider } = create({
      token: async () => {
        if (down) throw failure
        return 'secret'
      },
    })
    const failures: unknown[] = []
    provider.on('token-error', (error) => failures.push(error))
    for (let i = 1; i <= 5; i++) {
      socket().open()
      socket().hear(asked)
      await shown()
      expect(failures).toEqual(Array(i).fill(failure))
      expect(provider.connection).toMatchObject({ name: 'backingOff', failures: i })
      vi.advanceTimersByTime(2_500)
    }
    down = false
    socket().open()
    socket().hear(asked)
    await shown()
    socket().hear(hello, step1, step2)
    expect(provider.synced).toBe(true)
  })

  it('that takes so long that the server gives up is no refusal', async () => {
    const { provider } = create({ token: () => new Promise<string>(() => {}) })
    for (let i = 1; i <= 4; i++) {
      socket().open()
      socket().hear(asked)
      await shown()
      socket().lose(4401, 'a token is needed')
      expect(provider.shouldConnect).toBe(true)
      vi.advanceTimersByTime(2_500)
    }
  })

  it('is shown again when the server asks for another on a live connection', async () => {
    let count = 0
    const { provider } = create({ token: () => `token ${++count}` })
    const live = goLive()
    live.hear(asked)
    expect(await shown()).toEqual(['token 1'])
    live.hear({ ...hello, access: 'read' } as Message)
    expect(provider).toMatchObject({ synced: true, access: 'read' })
    live.hear(asked)
    expect(await shown()).toEqual(['token 1', 'token 2'])
  })
})

describe('recover: reset', () => {
  it('doesn’t wait for an hour when the clock is set back by one', async () => {
    const { provider } = create({ recover: 'reset' })
    let resets = 0
    const follow = (each: InkwireProvider): void => {
      each.doc.getText('t').insert(0, 'a template')
      each.on('reset', ({ provider: next }) => {
        resets++
        undo.push(() => next.destroy())
        follow(next)
      })
    }
    goLive()
    follow(provider)
    for (let count = 1; count <= 2; count++) {
      socket().hear({ type: 'rejection', message: 2, code: 4403, reason: 'read-only' })
      await vi.dynamicImportSettled()
      await vi.advanceTimersByTimeAsync(10_000)
      goLive()
      await vi.advanceTimersByTimeAsync(0)
      expect(resets).toBe(count)
      vi.setSystemTime(Date.now() - 3_600_000)
    }
  })

  it('happens at most every 10 s, however often the app writes what is refused', async () => {
    const refuse = async (): Promise<void> => {
      socket().hear({ type: 'rejection', message: 2, code: 4403, reason: 'read-only' })
      await vi.dynamicImportSettled()
      await vi.advanceTimersByTimeAsync(0)
    }
    const resets: number[] = []
    const bind = (provider: InkwireProvider): void => {
      provider.doc.getText('t').insert(0, 'a template')
      provider.on('reset', ({ provider: next }) => {
        resets.push(Date.now())
        undo.push(() => next.destroy())
        bind(next)
      })
    }
    const { provider } = create({ recover: 'reset' })
    goLive()
    bind(provider)
    await refuse()
    for (let i = 1; i <= 4; i++) {
      goLive()
      await vi.advanceTimersByTimeAsync(0)
      expect(resets.length).toBe(i)
      await refuse()
      await vi.advanceTimersByTimeAsync(9_000)
      expect(FakeSocket.made.length).toBe(i + 1)
      await vi.advanceTimersByTimeAsync(1_000)
      expect(FakeSocket.made.length).toBe(i + 2)
      expect(FakeSocket.made.filter(({ readyState }) => readyState !== 3).length).toBe(1)
    }
  })
})

describe('saveState', () => {
  it('is the same object until something changes, and each change is told', () => {
    const { provider, text, events } = create()
    const live = goLive()
    events.length = 0
    const before = provider.saveState
    expect(provider.saveState).toBe(before)
    text.insert(0, 'a')
    live.hear({ type: 'ack', received: 2, durable: 1 }, { type: 'ack', received: 2, durable: 2 })
    const states = events.filter(([name]) => name === 'save').map(([, state]) => state)
    expect(states).toMatchObject([{ status: 'device' }, { status: 'received' }, { status: 'saved' }])
    expect(provider.saveState).toBe(states.at(-1))
  })

  it('counts what the document held already as unsaved', () => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'from before')
    const { provider } = create({}, doc)
    expect(provider.saveState).toMatchObject({ status: 'device', pending: 1 })
    goLive()
    expect(provider.saveState).toMatchObject({ status: 'saved', pending: 0 })
  })
})

describe('whenSaved', () => {
  it('resolves for the edits made until then, not for later ones', async () => {
    const { provider, text } = create()
    const live = goLive()
    text.insert(0, 'a')
    const saved = provider.whenSaved()
    text.insert(0, 'b')
    live.hear({ type: 'ack', received: 3, durable: 2 })
    await saved
    expect(provider.saveState.pending).toBe(1)
  })

  it('rejects with INKWIRE_TIMEOUT, leaving no timer', async () => {
    const { provider, text } = create()
    text.insert(0, 'a')
    const saved = expect(provider.whenSaved({ timeout: 50 })).rejects.toMatchObject({
      code: 'INKWIRE_TIMEOUT',
    })
    vi.advanceTimersByTime(50)
    await saved
  })

  it('rejects with INKWIRE_DESTROYED, and so does whenSynced', async () => {
    const { provider } = create()
    const both = [provider.whenSaved({ timeout: 50 }), provider.whenSynced].map((one) =>
      expect(one).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' }),
    )
    provider.destroy()
    await Promise.all(both)
    await expect(provider.whenSynced).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' })
  })

  it('rejects with INKWIRE_NOT_SAVED when it can never be', async () => {
    const { provider, text } = create()
    const live = goLive()
    text.insert(0, 'a')
    const refused = expect(provider.whenSaved()).rejects.toMatchObject({ code: 'INKWIRE_NOT_SAVED' })
    live.hear({ type: 'rejection', message: 2, code: 4413, reason: 'full' })
    await refused
    const other = create()
    const stopped = expect(other.provider.whenSaved()).rejects.toMatchObject({ code: 'INKWIRE_NOT_SAVED' })
    socket().open()
    socket().lose(4404)
    await stopped
  })
})

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

describe('in a page', () => {
  let page = new EventTarget()
  beforeEach(() => {
    page = new EventTarget()
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  })
  const fire = (type: string, fields: object = {}): void => {
    page.dispatchEvent(Object.assign(new Event(type), fields))
  }
  const setVisible = (visible: boolean): void => {
    vi.stubGlobal('document', { visibilityState: visible ? 'visible' : 'hidden' })
    fire('visibilitychange')
  }

  it('being online again makes the next attempt at once', () => {
    create()
    goLive()
    socket().lose()
    fire('online')
    expect(FakeSocket.made.length).toBe(2)
  })

  it('hidden, it tries ever more slowly; shown again, at once', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999999)
    create()
    goLive()
    setVisible(false)
    const waits: number[] = []
    for (let i = 0; i < 11; i++) {
      socket().lose()
      const before = FakeSocket.made.length
      const started = Date.now()
      while (FakeSocket.made.length === before) vi.advanceTimersByTime(100)
      waits.push(Date.now() - started)
    }
    expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000])
    socket().lose()
    const before = FakeSocket.made.length
    setVisible(true)
    expect(FakeSocket.made.length).toBe(before + 1)
    socket().lose()
    setVisible(false)
    expect(FakeSocket.made.length).toBe(before + 1)
  })

  it('waking finds a link that was silent for too long without waiting for a timer', () => {
    const { provider } = create()
    goLive()
    vi.setSystemTime(Date.now() + 60_000)
    fire('visibilitychange')
    expect(provider.synced).toBe(false)
  })

  const wakings: [string, () => void][] = [
    ['shown', () => setVisible(true)],
    ['online', () => fire('online')],
    ['after its timers have slept', () => void vi.setSystemTime(Date.now() + 20_000)],
    ['after its clock was set back', () => void vi.setSystemTime(Date.now() - 3_600_000)],
  ]
  it.each(wakings)('%s, it finds a dead link within seconds', (_, wake) => {
    const { provider } = create()
    goLive()
    socket().sent.length = 0
    wake()
    vi.advanceTimersByTime(3_000)
    expect(socket().sent).toEqual([{ type: 'queryAwareness' }])
    expect(provider.synced).toBe(true)
    vi.advanceTimersByTime(7_000)
    expect(FakeSocket.made.length).toBe(2)
  })

  it.each(wakings)('%s, it keeps a link that answers', (_, wake) => {
    const { provider } = create()
    goLive()
    wake()
    vi.advanceTimersByTime(3_000)
    socket().hear({ type: 'awareness', update: Uint8Array.of(0) })
    vi.advanceTimersByTime(20_000)
    expect(provider.synced).toBe(true)
    expect(FakeSocket.made.length).toBe(1)
  })

  it('a server of which less is known is asked for what every server answers', () => {
    create()
    socket().open('')
    socket().hear(step1, step2)
    socket().sent.length = 0
    fire('online')
    expect(socket().sent.map(({ type }) => type)).toEqual(['syncStep1'])
  })

  it('waking again and again does not put off finding a dead link', () => {
    create()
    goLive()
    for (let i = 0; i < 8; i++) {
      fire('online')
      vi.advanceTimersByTime(1_000)
    }
    expect(FakeSocket.made.length).toBe(2)
  })

  it('waking does not give up a link on which a large upload is under way', () => {
    const { provider } = create()
    const live = goLive()
    live.bufferedAmount = 1_000_000
    for (let i = 0; i < 5; i++) {
      fire('online')
      vi.advanceTimersByTime(5_000)
    }
    expect(provider.synced).toBe(true)
    // Silence is still silence.
    vi.advanceTimersByTime(10_000)
    expect(FakeSocket.made.length).toBe(2)
  })

  it('waking gives up an attempt that hangs', () => {
    create()
    fire('online')
    vi.advanceTimersByTime(7_000)
    expect(FakeSocket.made.length).toBe(2)
  })

  it('kept in the back/forward cache it has no socket, and a new one at once when it is back', () => {
    const { provider } = create()
    const first = goLive()
    fire('pagehide', { persisted: true })
    expect(first.sent.at(-1)?.type).toBe('awareness')
    expect(first.readyState).toBe(3)
    expect(provider.connection).toMatchObject({ name: 'backingOff', failures: 0 })
    fire('pageshow', { persisted: true })
    expect(FakeSocket.made.length).toBe(2)
    goLive()
    expect(provider.synced).toBe(true)
    expect(provider.awareness.getLocalState()).toEqual({})
  })

  it('going away is told to the others, and coming back, too', () => {
    const { provider } = create()
    goLive()
    socket().sent.length = 0
    fire('pagehide')
    fire('pageshow')
    const [gone, back] = socket().sent
    expect(provider.awareness.getLocalState()).toEqual({})
    expect([gone?.type, back?.type]).toEqual(['awareness', 'awareness'])
    if (gone?.type === 'awareness') expect(new TextDecoder().decode(gone.update)).toContain('null')
    if (back?.type === 'awareness') expect(new TextDecoder().decode(back.update)).toContain('{}')
  })

  describe('warnBeforeLeaving', () => {
    beforeEach(() => {
      vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
    })
    const asks = (): boolean => !page.dispatchEvent(new Event('beforeunload', { cancelable: true }))

    it('asks while an edit is not on the server’s disk', () => {
      const { text, provider } = create({ warnBeforeLeaving: true })
      const live = goLive()
      expect(asks()).toBe(false)
      text.insert(0, 'a')
      expect(asks()).toBe(true)
      live.hear({ type: 'ack', received: 2, durable: 1 })
      expect(asks()).toBe(true)
      live.hear({ type: 'ack', received: 2, durable: 2 })
      expect(asks()).toBe(false)
      live.lose()
      expect(asks()).toBe(false)
      text.insert(0, 'b')
      expect(asks()).toBe(true)
      provider.destroy()
      expect(asks()).toBe(false)
    })

    it('asks for each provider by itself', () => {
      const [a, b] = [create({ warnBeforeLeaving: true }), create({ warnBeforeLeaving: true })]
      a.text.insert(0, 'a')
      b.text.insert(0, 'b')
      a.provider.destroy()
      expect(asks()).toBe(true)
    })

    it('asks about what was refused, too', () => {
      const { text } = create({ warnBeforeLeaving: true })
      const live = goLive()
      text.insert(0, 'a')
      live.hear(
        { type: 'rejection', message: 2, code: 4403, reason: 'no' },
        { type: 'ack', received: 2, durable: 2 },
      )
      expect(asks()).toBe(true)
    })

    it('with a server that does not say what it saved, asks while there is no connection', () => {
      const { text } = create({ warnBeforeLeaving: true })
      socket().open('')
      socket().hear(step1, step2)
      text.insert(0, 'a')
      expect(asks()).toBe(false)
      socket().lose()
      expect(asks()).toBe(true)
    })

    it('is not the default', () => {
      const { text } = create()
      text.insert(0, 'a')
      expect(asks()).toBe(false)
    })
  })

  it('nothing is left behind by disconnect', () => {
    const { provider } = create()
    provider.disconnect()
    fire('online')
    fire('visibilitychange')
    expect(FakeSocket.made.length).toBe(1)
  })
})
