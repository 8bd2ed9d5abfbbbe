import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { InkwireProvider } from '../../client/index.js'
import {
  create,
  FakeSocket,
  goLive,
  hello,
  socket,
  step1,
  undo,
  withFakeSockets,
} from '../support/fake-socket.js'

withFakeSockets()

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

  it.each([0, -1, Number.NEGATIVE_INFINITY, Number.NaN])(
    'a longest wait of %d, or set to that later, is none: the usual one holds',
    (maxBackoffTime) => {
      const { provider } = create({ maxBackoffTime })
      goLive()
      for (let i = 0; i < 2; i++) {
        // One failure after the other, for a minute.
        const before = FakeSocket.made.length
        for (let ms = 0; ms < 60_000; ms += 10) {
          if (socket().readyState !== 3) socket().lose()
          vi.advanceTimersByTime(10)
        }
        expect(FakeSocket.made.length - before).toBeGreaterThan(20)
        expect(FakeSocket.made.length - before).toBeLessThan(70)
        provider.maxBackoffTime = maxBackoffTime
      }
    },
  )

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
