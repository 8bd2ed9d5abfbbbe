import { describe, expect, it, vi } from 'vitest'
import type { Message } from '../../shared/messages.js'
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
