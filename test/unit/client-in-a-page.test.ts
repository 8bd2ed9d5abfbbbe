import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  create,
  FakeSocket,
  goLive,
  hello,
  socket,
  step1,
  step2,
  withFakeSockets,
} from '../support/fake-socket.js'

withFakeSockets()

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

  it('a document that takes two minutes to come is waited for; the page may be looked at meanwhile', () => {
    const { provider } = create()
    socket().open()
    socket().hear(hello, step1)
    vi.advanceTimersByTime(60_000)
    setVisible(true)
    vi.advanceTimersByTime(12_000)
    socket().hear(step2)
    expect(provider.synced).toBe(true)
    vi.advanceTimersByTime(27_000)
    expect(FakeSocket.made.length).toBe(1)
    // Then silence is silence again.
    vi.advanceTimersByTime(9_000)
    expect(FakeSocket.made.length).toBe(2)
  })

  it('a server that says nothing at all when the socket is open is given up as soon as ever', () => {
    create()
    socket().open()
    vi.advanceTimersByTime(36_000)
    expect(FakeSocket.made.length).toBe(2)
  })

  it('a document that doesn’t come in two minutes isn’t waited for any longer', () => {
    create()
    socket().open()
    socket().hear(hello, step1)
    vi.advanceTimersByTime(117_000)
    expect(FakeSocket.made.length).toBe(1)
    vi.advanceTimersByTime(9_000)
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
