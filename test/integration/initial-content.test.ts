import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { serveProcess, startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { connectRaw } from '../support/raw.js'
import { startScriptedServer } from '../support/scripted-server.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const contentOf = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const textOf = (...updates: Uint8Array[]): string => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

/** A client of a crowd: each would begin the document in its own words. */
const begin = (ws: string, index: number) =>
  createProvider(ws, 'doc', {
    disableBc: true,
    initialContent: (doc) => doc.getText('t').insert(0, `<content of ${index}>`),
  })

const crowd = (ws: string) => Array.from({ length: 20 }, (_, index) => begin(ws, index))

describe('initialContent (PROTOCOL X9)', () => {
  it('of twenty clients at once, one is taken, and all have it when they are synced', async () => {
    const { ws, server } = await startServer()
    const clients = crowd(ws)
    const texts = await Promise.all(
      clients.map(async ({ provider, text }) => {
        await provider.whenSynced
        return text.toString()
      }),
    )
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toMatch(/^<content of \d+>$/)
    expect(textOf(await server.documents.read('doc'))).toBe(texts[0])
    // Nobody's edit, and nothing that would have to be saved.
    expect(clients.every(({ provider }) => provider.saveState.pending === 0)).toBe(true)
  })

  it('is there once also when the server is killed at any moment of that', async () => {
    for (let round = 0; round < 4; round++) {
      const data = await tempDir()
      let running = await serveProcess(data)
      const clients = crowd(running.ws)
      const { port } = running
      for (let kills = 0; kills < 2; kills++) {
        // From before the first hello to after the last ack, and between.
        await new Promise((resolve) => setTimeout(resolve, round * 20 + kills * 9))
        running.child.kill('SIGKILL')
        await running.exited
        running = await serveProcess(data, { port })
      }
      const latecomer = begin(running.ws, 99)
      const all = [...clients, latecomer]
      await until('all are back', () => all.every(({ provider }) => provider.synced), 30_000)
      await until('alike', () => new Set(all.map(({ text }) => text.toString())).size === 1)
      expect(latecomer.text.toString()).toMatch(/^<content of \d+>$/)
      for (const { provider } of all) provider.destroy()
      running.child.kill('SIGKILL')
      await running.exited
    }
  }, 120_000)

  it('is never used again, also not when the document is emptied', async () => {
    const first = await startServer()
    const { provider, text } = begin(first.ws, 1)
    await provider.whenSynced
    text.delete(0, text.length)
    await provider.whenSaved()
    provider.destroy()
    const second = begin(first.ws, 2)
    await second.provider.whenSynced
    expect(second.text.toString()).toBe('')
    second.provider.destroy()
    await first.server.close()
    const { ws } = await startServer({ data: first.data })
    const third = begin(ws, 3)
    await third.provider.whenSynced
    expect(third.text.toString()).toBe('')
  })

  it('is not used where this device has something already', async () => {
    const { ws } = await startServer()
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'mine')
    const { provider, text } = createProvider(
      ws,
      'doc',
      { initialContent: (empty) => empty.getText('t').insert(0, 'theirs') },
      doc,
    )
    await provider.whenSaved()
    expect(text.toString()).toBe('mine')
  })

  it('comes to stock clients, too, and what they type meanwhile is kept', async () => {
    const { ws } = await startServer()
    const doc = new Y.Doc()
    const stock = new WebsocketProvider(ws, 'doc', doc, {
      WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
      disableBc: true,
    })
    try {
      await until('synced', () => stock.synced)
      const { provider, text } = begin(ws, 1)
      doc.getText('t').insert(0, 'typed')
      await provider.whenSynced
      await until('both have all', () => {
        const here = text.toString()
        return here.includes('typed') && here === doc.getText('t').toString()
      })
    } finally {
      stock.destroy()
      doc.destroy()
    }
  })

  it('nobody gets it before it is on disk, and what comes meanwhile waits for it', async () => {
    const { ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const other = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    await Promise.all([raw.first('hello'), other.first('hello')])
    raw.send({ type: 'initialContent', update: contentOf('content') })
    raw.send({ type: 'update', update: contentOf('typed ') })
    raw.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    const answer = await raw.first('syncStep2')
    expect(textOf(...raw.all('update').map(({ update }) => update), answer.update)).toMatch(/content/)
    await until('all durable', () => raw.all('ack').at(-1)?.durable === 1)
    // Initial content is no update message: it isn't counted.
    expect(raw.all('ack').at(-1)).toMatchObject({ received: 1, durable: 1 })
    await until('passed on', () => other.all('update').length === 2)
    expect(textOf(...other.all('update').map(({ update }) => update))).toMatch(/typed content|contenttyped /)
  })

  it('of a reader is passed over; what is no complete update closes with 4400; what is too large is refused', async () => {
    const { ws, server } = await startServer({
      authorize: ({ token }) => ({ user: '', access: token === 'reader' ? 'read' : 'write' }),
      limits: { maxDocumentBytes: 2_000 },
    })
    const reader = await connectRaw(`${ws}/doc?token=reader`, [SUBPROTOCOL])
    reader.send({ type: 'initialContent', update: contentOf('content') })
    reader.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    expect(textOf((await reader.first('syncStep2')).update)).toBe('')

    const large = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    large.send({ type: 'initialContent', update: contentOf('x'.repeat(3_000)) })
    expect(await large.first('rejection')).toMatchObject({ message: 0, code: 4413 })

    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    doc.getText('t').insert(0, 'a')
    doc.getText('t').insert(1, 'b')
    for (const update of [Uint8Array.of(1, 2, 3), updates[1] as Uint8Array]) {
      const bad = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
      bad.send({ type: 'initialContent', update })
      expect((await bad.closed).code).toBe(4400)
    }
    await expect(server.documents.read('doc')).rejects.toMatchObject({ code: 'INKWIRE_NO_DOCUMENT' })
  })

  it('too large for the server, it is left out, and the client goes on', async () => {
    const { ws } = await startServer({ limits: { maxDocumentBytes: 2_000 } })
    const { provider, text } = createProvider(ws, 'doc', {
      initialContent: (doc) => doc.getText('t').insert(0, 'x'.repeat(3_000)),
    })
    await provider.whenSynced
    expect(text.toString()).toBe('')
  })

  it('with a server that has no extensions nothing is sent', async () => {
    const server = await startScriptedServer({ hello: { seq: 1 } })
    try {
      const { provider, text } = begin(server.url, 1)
      await provider.whenSynced
      expect(server.heard.map(({ type }) => type)).not.toContain('initialContent')
      expect(text.toString()).toBe('')
    } finally {
      await server.close()
    }
  })
})
