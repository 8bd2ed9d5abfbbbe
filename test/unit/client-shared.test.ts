import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { type InkwireOptions, InkwireProvider, type WebSocketLike } from '../../client/index.js'
import { shared } from '../../client/shared/index.js'
import { decodeMessage, decodeTrunkMessage, encodeMessage, encodeTrunkMessage } from '../../shared/codec.js'
import type { Message, TrunkMessage } from '../../shared/messages.js'

const G = 'a'.repeat(32)
const hello: Message = {
  type: 'hello',
  generation: G,
  seq: 1,
  access: 'write',
  durability: 'fsync',
  maxMessageBytes: 1 << 20,
}
const greeting: readonly Message[] = [
  hello,
  { type: 'syncStep1', stateVector: Uint8Array.of(0) },
  { type: 'syncStep2', update: Uint8Array.of(0, 0) },
  { type: 'ack', received: 1, durable: 1 },
]

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
  readonly sent: (Message | TrunkMessage)[] = []

  constructor(
    readonly url: string,
    readonly protocols: string[] = [],
  ) {
    if (/bad/.test(url)) throw new SyntaxError('no URL')
    FakeSocket.made.push(this)
  }

  send(data: Uint8Array): void {
    this.sent.push(decodeTrunkMessage(data) ?? decodeMessage(data))
  }

  close(): void {
    this.readyState = 3
  }

  open(protocol = this.protocols.at(-1) ?? ''): void {
    this.readyState = 1
    this.protocol = protocol
    this.onopen?.({} as never)
  }

  /** Opens as a server does that has shared connections. */
  greet(channels = 10): this {
    this.open()
    this.say({ type: 'shared', channels })
    return this
  }

  say(...messages: TrunkMessage[]): void {
    for (const each of messages) this.onmessage?.({ data: encodeTrunkMessage(each).slice().buffer } as never)
  }

  hear(...messages: Message[]): void {
    for (const each of messages) this.onmessage?.({ data: encodeMessage(each).slice().buffer } as never)
  }

  /** Answers on a channel as a server does to a client that is let in. */
  welcome(channel: number): void {
    this.say({ type: 'channel', channel })
    this.hear(...greeting)
  }

  lose(code = 1006, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason } as never)
  }

  /** What was opened, in order. */
  get opened(): string[] {
    return this.sent.flatMap((each) => (each.type === 'open' ? [each.target] : []))
  }
}

const undo: (() => void)[] = []
const create = (name = 'doc', options: InkwireOptions = {}, server = url) => {
  const doc = new Y.Doc()
  undo.push(() => doc.destroy())
  const provider = new InkwireProvider(server, name, doc, {
    WebSocketPolyfill: FakeSocket,
    connection: shared,
    disableBc: true,
    ...options,
  })
  undo.unshift(() => provider.destroy())
  return { provider, doc, text: doc.getText('t') }
}
const made = (index = -1): FakeSocket => {
  const one = FakeSocket.made.at(index)
  if (!one) throw new Error('no socket was made')
  return one
}
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

/** Trunks live as long as the page: each test has a server of its own. */
let url = ''
let servers = 0

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.made = []
  url = `ws://h${++servers}`
})
afterEach(async () => {
  for (const step of undo.splice(0)) step()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('X11, X12: one socket', () => {
  it('for all documents of a server: on its address, offering the subprotocol, saying nothing before it is greeted', async () => {
    const all = [create('a'), create('b/ü', { params: { token: 't 1' } }), create('a')]
    expect(FakeSocket.made.map((one) => [one.url, one.protocols])).toEqual([
      [`${url}/`, ['inkwire.shared.1']],
    ])
    made().open()
    expect(made().opened).toEqual([])
    made().say({ type: 'shared', channels: 10 })
    expect(made().opened).toEqual(['a', 'b/%C3%BC?token=t%201', 'a'])
    for (const channel of [1, 2, 3]) made().welcome(channel)
    expect(all.map(({ provider }) => provider.synced)).toEqual([true, true, true])
    const [first, , third] = all
    made().sent.length = 0
    first?.text.insert(0, 'x')
    first?.text.insert(0, 'y')
    third?.text.insert(0, 'z')
    expect(made().sent.map((each) => (each.type === 'channel' ? each.channel : each.type))).toEqual([
      1,
      'update',
      'update',
      3,
      'update',
    ])
    const late = create('late')
    await settle()
    expect(made().opened).toEqual(['late'])
    expect(late.provider.wsconnected).toBe(true)
    expect(FakeSocket.made.length).toBe(1)
  })

  it('another server, prefix or WebSocket class has another', () => {
    class Other extends FakeSocket {}
    create('a')
    create('a', {}, `${url}/prefix/`)
    create('a', { WebSocketPolyfill: Other })
    create('a', {}, url.replace('ws', 'http'))
    expect(FakeSocket.made.map((one) => [one.constructor.name, one.url])).toEqual([
      ['FakeSocket', `${url}/`],
      ['FakeSocket', `${url}/prefix/`],
      ['Other', `${url}/`],
    ])
  })

  it('X14: an end is one document’s, with its code; the others go on', () => {
    const [a, b] = [create('a'), create('b')]
    const socket = made().greet()
    socket.welcome(1)
    socket.welcome(2)
    socket.say({ type: 'end', channel: 1, code: 4403, reason: 'no' })
    expect(a.provider.connection).toMatchObject({ name: 'stopped', code: 4403, reason: 'no' })
    expect(b.provider.synced).toBe(true)
    // What was on its way.
    socket.say({ type: 'channel', channel: 1 })
    socket.hear(hello)
    expect(socket.readyState).toBe(1)
  })

  it('its close is one of all, with its code', () => {
    const [a, b] = [create('a'), create('b')]
    const closes: unknown[] = []
    for (const { provider } of [a, b])
      provider.on('connection-close', (event) => void closes.push([event?.code, event?.reason]))
    made().greet().lose(1012, 'the server restarts')
    expect(closes).toEqual([
      [1012, 'the server restarts'],
      [1012, 'the server restarts'],
    ])
    expect(a.provider.connection).toMatchObject({ name: 'backingOff', failures: 1 })
  })

  it('what a document says when it is closed goes out before, and its end is told', () => {
    const { provider } = create('a')
    create('b')
    const socket = made().greet()
    socket.welcome(1)
    socket.sent.length = 0
    provider.destroy()
    expect(socket.sent.map(({ type }) => type)).toEqual(['awareness', 'end'])
    expect(socket.readyState).toBe(1)
  })

  it('documents beyond what the server takes on one have a socket each', () => {
    for (const name of ['a', 'b', 'c']) create(name)
    made(0).greet(2)
    expect(made(0).opened).toEqual(['a', 'b'])
    expect(FakeSocket.made.map((one) => one.url)).toEqual([`${url}/`, `${url}/c`])
    expect(made().protocols).toEqual(['inkwire.1'])
  })

  it('a URL that the WebSocket class refuses is its error', () => {
    expect(() => create('a', {}, 'ws://bad')).toThrow(SyntaxError)
    expect(FakeSocket.made.length).toBe(0)
  })
})

describe('a connection without documents', () => {
  it('is closed a second after the last one, and not before', () => {
    const [a, b] = [create('a'), create('b')]
    const socket = made().greet()
    a.provider.destroy()
    vi.advanceTimersByTime(5_000)
    b.provider.destroy()
    vi.advanceTimersByTime(999)
    expect(socket.readyState).toBe(1)
    vi.advanceTimersByTime(1)
    expect(socket.readyState).toBe(3)
  })

  it('serves the next one that comes before: mounting twice makes no second socket', async () => {
    create('a').provider.destroy()
    create('a')
    made().greet()
    const { provider } = create('b')
    await settle()
    provider.disconnect()
    provider.connect()
    await settle()
    vi.advanceTimersByTime(2_000)
    expect(FakeSocket.made.length).toBe(1)
    expect(made().opened).toEqual(['a', 'b', 'b'])
    expect(made().readyState).toBe(1)
  })
})

describe('a server that is down', () => {
  it('is dialled once, however many documents there are, with backoff', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const all = Array.from({ length: 100 }, (_, i) => create(`d${i}`))
    for (let i = 0; i < 60; i++) {
      await vi.advanceTimersByTimeAsync(100)
      for (const one of FakeSocket.made) if (one.readyState === 0) one.lose()
    }
    // At most two for each attempt: without sharing it might work.
    expect(FakeSocket.made.length).toBeGreaterThan(4)
    expect(FakeSocket.made.length).toBeLessThan(24)
    for (let i = 0; i < 40 && made().url !== `${url}/`; i++) {
      made().lose()
      await vi.advanceTimersByTimeAsync(100)
    }
    await vi.advanceTimersByTimeAsync(2_500)
    const before = FakeSocket.made.length
    made().greet(200)
    await vi.advanceTimersByTimeAsync(5_000)
    made().say({ type: 'shared', channels: 200 })
    expect(FakeSocket.made.length).toBe(before)
    expect(all.every(({ provider }) => provider.wsconnected)).toBe(true)
  })

  it('after a restart is dialled by the first that wants to come back', async () => {
    const all = [create('a'), create('b'), create('c')]
    made().greet().lose(1012)
    await vi.advanceTimersByTimeAsync(250)
    expect(FakeSocket.made.map((one) => one.url)).toEqual([`${url}/`, `${url}/`])
    made().greet()
    await settle()
    expect(made().opened.sort()).toEqual(['a', 'b', 'c'])
    expect(all.every(({ provider }) => provider.wsconnected)).toBe(true)
  })

  it('that says that it can take nobody now is tried again later, with its code told', async () => {
    const { provider } = create('a')
    const codes: unknown[] = []
    provider.on('connection-close', (event) => void codes.push(event?.code))
    made().open()
    made().lose(4529, 'too many')
    expect(codes).toEqual([4529])
    expect(FakeSocket.made.map((one) => one.url)).toEqual([`${url}/`])
    await vi.advanceTimersByTimeAsync(300)
    expect(made().url).toBe(`${url}/`)
    expect(FakeSocket.made.length).toBe(2)
  })
})

describe('a server without shared connections', () => {
  const expectApart = async (): Promise<void> => {
    await settle()
    expect(FakeSocket.made.slice(-2).map((one) => one.url)).toEqual([`${url}/a`, `${url}/b`])
    expect(made().protocols).toEqual(['inkwire.1'])
    made().open()
    made().hear(...greeting)
    // Remembered.
    create('c')
    expect(made().url).toBe(`${url}/c`)
  }

  it('closes with 4404, as older ones do: each has its own, silently', async () => {
    const { provider } = create('a')
    const told: string[] = []
    for (const name of ['connection-close', 'connection-error', 'closed'] as const)
      provider.on(name, () => void told.push(name))
    create('b')
    made().open()
    made().lose(4404, 'the document name is empty')
    await expectApart()
    expect(told).toEqual([])
  })

  it('selects nothing', async () => {
    create('a')
    create('b')
    made().open('')
    await expectApart()
  })

  it('selects anything, and says something else', async () => {
    create('a')
    create('b')
    made().open()
    made().hear({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    await expectApart()
    expect(made(0).readyState).toBe(3)
    expect(made(0).opened).toEqual([])
  })

  it('refuses the handshake: one tries without, then all have their own', async () => {
    create('a')
    create('b')
    made().lose()
    expect(made().url).toBe(`${url}/a`)
    const scout = made()
    scout.open()
    scout.hear(...greeting)
    // It may just have come up.
    expect(made().url).toBe(`${url}/`)
    made().lose()
    await settle()
    expect(FakeSocket.made.map((one) => one.url)).toEqual([`${url}/`, `${url}/a`, `${url}/`, `${url}/b`])
    create('c')
    expect(made().url).toBe(`${url}/c`)
  })

  it('had just come up when one tried without: the others share', async () => {
    create('a')
    create('b')
    made().lose()
    made().open()
    made().greet()
    expect(made().opened).toEqual(['b'])
    create('c')
    await settle()
    expect(made().opened).toEqual(['b', 'c'])
  })

  it('refuses the handshake, and who tries without is closed meanwhile: the others go on', async () => {
    const { provider } = create('a')
    create('b')
    made().lose()
    expect(made().url).toBe(`${url}/a`)
    // Not every WebSocket class tells that it was closed before it was open.
    provider.destroy()
    await vi.advanceTimersByTimeAsync(500)
    expect(made().url).toBe(`${url}/`)
    made().greet()
    expect(made().opened).toEqual(['b'])
  })

  it('says nothing at all', async () => {
    create('a')
    create('b')
    made().open()
    await vi.advanceTimersByTimeAsync(8_000)
    expect(made(1).url).toBe(`${url}/a`)
  })

  it('is asked again after ten minutes', async () => {
    const { provider } = create('a')
    made().open('')
    provider.disconnect()
    await vi.advanceTimersByTimeAsync(600_000)
    provider.connect()
    expect(made().url).toBe(`${url}/`)
  })
})

describe('a connection that died without a word', () => {
  it('is noticed within seconds when a document is opened, and closed for all', async () => {
    const a = create('a')
    const socket = made().greet()
    socket.welcome(1)
    await vi.advanceTimersByTimeAsync(10_000)
    create('b')
    await vi.advanceTimersByTimeAsync(7_100)
    expect(socket.readyState).toBe(3)
    expect(a.provider.wsconnected).toBe(false)
    expect(made()).not.toBe(socket)
  })

  it('is noticed after 30 s by its silence', async () => {
    const { provider } = create('a')
    const socket = made().greet()
    socket.welcome(1)
    await vi.advanceTimersByTimeAsync(29_000)
    expect(provider.wsconnected).toBe(true)
    await vi.advanceTimersByTimeAsync(6_000)
    expect(socket.readyState).toBe(3)
  })
})

it('W6: a document that nobody speaks to lives on signs of life of the connection', async () => {
  const [quiet, busy] = [create('quiet'), create('busy')]
  const socket = made().greet()
  socket.welcome(1)
  socket.welcome(2)
  for (let i = 0; i < 20; i++) {
    await vi.advanceTimersByTimeAsync(7_500)
    socket.hear({ type: 'awareness', update: Uint8Array.of(0) })
  }
  expect([quiet, busy].map(({ provider }) => provider.synced)).toEqual([true, true])
  expect(FakeSocket.made.length).toBe(1)
})

it('W6, X1: a sign of life before the greeting decides nothing', () => {
  const { provider } = create('a')
  const socket = made().greet()
  socket.say({ type: 'channel', channel: 1 })
  socket.hear({ type: 'awareness', update: Uint8Array.of(0) })
  socket.hear(...greeting)
  expect(provider).toMatchObject({ synced: true, access: 'write' })
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

  it('a network that is back makes the next attempt at once', async () => {
    create('a')
    create('b')
    for (let i = 0; i < 12; i++) {
      await vi.advanceTimersByTimeAsync(200)
      for (const one of FakeSocket.made) if (one.readyState === 0) one.lose()
    }
    const before = FakeSocket.made.length
    fire('online')
    expect(FakeSocket.made.length).toBe(before + 1)
    expect(made().url).toBe(`${url}/`)
  })

  it('waking up finds a dead connection within seconds', async () => {
    create('a')
    const socket = made().greet()
    socket.welcome(1)
    await vi.advanceTimersByTimeAsync(4_000)
    fire('online')
    await vi.advanceTimersByTimeAsync(7_100)
    expect(socket.readyState).toBe(3)
  })

  it('going into the back/forward cache leaves no open socket; back again, there is one', async () => {
    const all = [create('a'), create('b')]
    const first = made().greet()
    for (const channel of [1, 2]) first.welcome(channel)
    fire('pagehide', { persisted: true })
    expect(first.sent.filter(({ type }) => type === 'end').length).toBe(2)
    expect(first.readyState).toBe(3)
    fire('pageshow', { persisted: true })
    expect(FakeSocket.made.length).toBe(2)
    made().greet()
    await settle()
    for (const channel of [1, 2]) made().welcome(channel)
    expect(all.every(({ provider }) => provider.synced)).toBe(true)
  })
})
