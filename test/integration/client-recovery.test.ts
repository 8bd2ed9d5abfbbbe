import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { InkwireOptions, InkwireProvider, Reset } from '../../client/index.js'
import type { ServerOptions } from '../../server/index.js'
import type { Access } from '../../shared/messages.js'
import { startServer } from '../support/inkwire.js'
import { createProvider, nextEvent } from '../support/provider.js'
import { until } from '../support/until.js'

/** A server where one may do what the token says. */
const serve = (options: ServerOptions = {}) =>
  startServer({ authorize: ({ token }) => ({ user: '', access: token as Access }), ...options })

/** Sockets of which no two are ever open. */
const oneAtATime = () => {
  const made: WebSocket[] = []
  return class extends WebSocket {
    constructor(url: string, protocols: string[] = []) {
      expect(made.every(({ readyState }) => readyState >= WebSocket.CLOSING)).toBe(true)
      super(url, protocols)
      made.push(this)
    }
  }
}

const join = (ws: string, access: Access, options: InkwireOptions = {}) =>
  createProvider(ws, 'doc', { params: { token: access }, ...options })

const resetOf = (provider: InkwireProvider): Promise<Reset> =>
  nextEvent<Reset>((resolve) => provider.once('reset', resolve)).then((event) => {
    onTestFinished(() => {
      event.provider.destroy()
      event.doc.destroy()
    })
    return event
  })

/** The text of a document that is put together from these. */
const textOf = (...updates: Uint8Array[]): string => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

describe('recover: keep', () => {
  it('is the default: what was refused stays here, and the provider goes on', async () => {
    const { ws, server } = await serve()
    await server.documents.merge('doc', Y.encodeStateAsUpdate(new Y.Doc()))
    const { provider, text } = join(ws, 'read')
    await provider.whenSynced
    text.insert(0, 'mine')
    await until('refused', () => provider.saveState.status === 'rejected')
    expect(text.toString()).toBe('mine')
    expect(provider.synced).toBe(true)
  })

  it('reset() gives it up when the app says so', async () => {
    const { ws } = await serve()
    const writer = join(ws, 'write')
    writer.text.insert(0, 'theirs')
    await writer.provider.whenSaved()
    const { provider, doc, text } = join(ws, 'read', { WebSocketPolyfill: oneAtATime() })
    await provider.whenSynced
    text.insert(6, ' and mine')
    await until('refused', () => provider.saveState.status === 'rejected')
    const told = resetOf(provider)
    const next = await provider.reset()
    const reset = await told
    expect(reset).toMatchObject({ provider: next, doc: next.doc, code: 0 })
    expect(next.doc.getText('t').toString()).toBe('theirs')
    expect(next.saveState).toMatchObject({ pending: 0 })
    // The old one is the app's.
    expect(text.toString()).toBe('theirs and mine')
    expect(textOf(Y.encodeStateAsUpdate(next.doc), reset.dropped)).toBe('theirs and mine')
    expect(next.doc).not.toBe(doc)
    expect(provider.ws).toBe(null)
    await expect(provider.reset()).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' })
  })
})

describe('recover: reset', () => {
  it('a reader’s edits are dropped, and handed to the app with a document that holds the server’s', async () => {
    const { ws } = await serve()
    const writer = join(ws, 'write')
    writer.text.insert(0, 'theirs')
    await writer.provider.whenSaved()
    const { provider, text } = join(ws, 'read', { recover: 'reset' })
    provider.awareness.setLocalStateField('user', { name: 'Ada' })
    await provider.whenSynced
    const told = resetOf(provider)
    text.insert(0, 'a')
    text.insert(1, 'b')
    const { provider: next, code, reason, dropped } = await told
    expect([code, reason]).toEqual([4403, 'read-only'])
    expect(next).toMatchObject({ synced: true, access: 'read' })
    expect(next.awareness.getLocalState()).toEqual({ user: { name: 'Ada' } })
    expect(textOf(Y.encodeStateAsUpdate(next.doc), dropped)).toBe('abtheirs')
    writer.text.insert(6, '!')
    await until('it goes on', () => next.doc.getText('t').toString() === 'theirs!')
  })

  it('edits that no longer fit in are dropped, what fitted stays', async () => {
    const { ws } = await serve({ limits: { maxDocumentBytes: 2_000 } })
    const { provider, text } = join(ws, 'write', { recover: 'reset' })
    text.insert(0, 'fits ')
    await provider.whenSaved()
    const told = resetOf(provider)
    text.insert(5, 'x'.repeat(3_000))
    const { code, doc, provider: next } = await told
    expect(code).toBe(4413)
    expect(doc.getText('t').toString()).toBe('fits ')
    doc.getText('t').insert(5, 'still')
    await next.whenSaved()
  })

  it('4409: a document whose history was replaced begins anew with the new one', async () => {
    const { ws, server } = await serve()
    const { provider, text } = join(ws, 'write', { recover: 'reset' })
    text.insert(0, 'old history')
    await provider.whenSaved()
    const { generation } = provider
    provider.disconnect()
    text.insert(0, 'unsaved ')
    await server.documents.delete('doc')
    const other = join(ws, 'write')
    other.text.insert(0, 'new history')
    await other.provider.whenSaved()
    const told = resetOf(provider)
    provider.connect()
    const { code, provider: next, doc, dropped } = await told
    expect(code).toBe(4409)
    expect(doc.getText('t').toString()).toBe('new history')
    expect(textOf(dropped)).toBe('unsaved old history')
    expect(next.generation).not.toBe(generation)
    expect(next.generation).toBe(other.provider.generation)
  })

  it('one that is destroyed on the way leaves nothing behind', async () => {
    let connected = 0
    const { ws } = await serve({
      authorize: () => (++connected > 1 ? new Promise(() => {}) : { user: '', access: 'write' }),
    })
    const { provider } = join(ws, 'write')
    await provider.whenSynced
    const resetting = expect(provider.reset()).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' })
    await until('the new one is on its way', () => connected === 2)
    provider.destroy()
    await resetting
    const other = join(ws, 'write', { connect: false })
    const before = expect(other.provider.reset()).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' })
    other.provider.destroy()
    await before
  })

  it('when the server refuses the new one, too, that is told', async () => {
    let may = true
    const { ws } = await serve({
      authorize: () =>
        may ? { user: '', access: 'write' } : { refused: 'forbidden', reason: 'not any more' },
    })
    const { provider } = join(ws, 'write')
    await provider.whenSynced
    may = false
    const closed = nextEvent((resolve) => provider.once('closed', resolve))
    await expect(provider.reset()).rejects.toMatchObject({ code: 'INKWIRE_STOPPED' })
    expect(await closed).toMatchObject({ code: 4403 })
    // The old one is as it was, and can be tried again.
    may = true
    const next = await provider.reset()
    onTestFinished(() => next.destroy())
    expect(next.synced).toBe(true)
  })
})
