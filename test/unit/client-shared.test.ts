import { beforeEach, describe, expect, it, vi } from 'vitest'
import { create, FakeLine, made, settle, url, withFakeLines } from '../support/fake-line.js'
import { greeting, hello, step1, step2 } from '../support/fake-socket.js'

withFakeLines()

describe('X11, X12: one socket', () => {
  it('for all documents of a server: on its address, offering the subprotocol, saying nothing before it is greeted', async () => {
    const all = [create('a'), create('b/ü', { params: { token: 't 1' } }), create('a')]
    expect(FakeLine.made.map((one) => [one.url, one.protocols])).toEqual([[`${url}/`, ['inkwire.shared.1']]])
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
    expect(FakeLine.made.length).toBe(1)
  })

  it('another server, prefix or WebSocket class has another', () => {
    class Other extends FakeLine {}
    create('a')
    create('a', {}, `${url}/prefix/`)
    create('a', { WebSocketPolyfill: Other })
    create('a', {}, url.replace('ws', 'http'))
    expect(FakeLine.made.map((one) => [one.constructor.name, one.url])).toEqual([
      ['FakeLine', `${url}/`],
      ['FakeLine', `${url}/prefix/`],
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
    expect(FakeLine.made.map((one) => one.url)).toEqual([`${url}/`, `${url}/c`])
    expect(made().protocols).toEqual(['inkwire.1'])
  })

  it('a URL that the WebSocket class refuses is its error', () => {
    expect(() => create('a', {}, 'ws://bad')).toThrow(SyntaxError)
    expect(FakeLine.made.length).toBe(0)
  })
})

describe('a document that takes long to come', () => {
  /** One that is there, one of which a large part is on its way. */
  const load = () => {
    const [there, loading] = [create('there'), create('loading')]
    const socket = made().greet()
    socket.welcome(1)
    socket.say({ type: 'channel', channel: 2 })
    socket.hear(hello, step1)
    // Of who is there, too, more may be heard before.
    socket.say({ type: 'channel', channel: 1 })
    socket.hear({ type: 'queryAwareness' })
    return { there, loading, socket }
  }

  it('is waited for two minutes, by all on the connection', () => {
    const { there, loading, socket } = load()
    const told: unknown[] = []
    for (const { provider } of [there, loading])
      provider.on('connection', ({ name }) => void told.push([provider.roomname, name]))
    vi.advanceTimersByTime(110_000)
    socket.say({ type: 'channel', channel: 2 })
    socket.hear(step2)
    expect(told).toEqual([['loading', 'live']])
    vi.advanceTimersByTime(27_000)
    expect(FakeLine.made.length).toBe(1)
    expect(told.length).toBe(1)
    // Then silence is silence again.
    vi.advanceTimersByTime(9_000)
    expect(told).toContainEqual(['there', 'backingOff'])
  })

  it('is not waited for any longer', () => {
    const { there, loading } = load()
    vi.advanceTimersByTime(117_000)
    expect([there.provider.synced, loading.provider.connection.name]).toEqual([true, 'syncing'])
    vi.advanceTimersByTime(9_000)
    expect(there.provider.synced).toBe(false)
    expect(made()).not.toBe(made(0))
  })

  it('is not waited for when nobody wants it any more', () => {
    const { there, loading } = load()
    loading.provider.destroy()
    made().say({ type: 'shared', channels: 10 })
    vi.advanceTimersByTime(36_000)
    expect(there.provider.synced).toBe(false)
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
    expect(FakeLine.made.length).toBe(1)
    expect(made().opened).toEqual(['a', 'b', 'b'])
    expect(made().readyState).toBe(1)
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
  expect(FakeLine.made.length).toBe(1)
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
      for (const one of FakeLine.made) if (one.readyState === 0) one.lose()
    }
    const before = FakeLine.made.length
    fire('online')
    expect(FakeLine.made.length).toBe(before + 1)
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
    expect(FakeLine.made.length).toBe(2)
    made().greet()
    await settle()
    for (const channel of [1, 2]) made().welcome(channel)
    expect(all.every(({ provider }) => provider.synced)).toBe(true)
  })
})
