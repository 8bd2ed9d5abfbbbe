import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { create, goLive, socket, withFakeSockets } from '../support/fake-socket.js'

withFakeSockets()

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

  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40])(
    'waits as long as it is told to: %d ms',
    async (timeout) => {
      const { provider, text } = create()
      const live = goLive()
      text.insert(0, 'a')
      const saved = provider.whenSaved({ timeout })
      vi.advanceTimersByTime(2_000)
      live.hear({ type: 'ack', received: 2, durable: 2 })
      await saved
    },
  )

  it('without any time to wait, it only looks', async () => {
    const { provider, text } = create()
    const live = goLive()
    text.insert(0, 'a')
    const late = expect(provider.whenSaved({ timeout: 0 })).rejects.toMatchObject({ code: 'INKWIRE_TIMEOUT' })
    vi.advanceTimersByTime(1)
    await late
    live.hear({ type: 'ack', received: 2, durable: 2 })
    await provider.whenSaved({ timeout: 0 })
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
