import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { ServerOptions } from '../../server/index.js'
import { encodeStateVector } from '../../server/update/state-vector.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { openClient } from '../support/clients.js'
import { forge, forgeOfMany, forgePresence } from '../support/forge.js'
import { metric, startServer } from '../support/inkwire.js'
import { connectRaw, type Raw } from '../support/raw.js'
import { until } from '../support/until.js'

const ownAddresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
const hasIPv6 = ownAddresses.some(({ family }) => family === 'IPv6')

const NOTHING = Uint8Array.of(0)

/** A connection that a trusted proxy says is from `address`: how it ended, or that it was let in. */
const comeFrom = async (url: string, address: string): Promise<number> => {
  const socket = new WebSocket(url, { headers: { 'x-forwarded-for': address } })
  onTestFinished(() => socket.terminate())
  return new Promise((resolve, reject) => {
    socket.once('message', () => resolve(0))
    socket.once('close', resolve)
    socket.once('error', reject)
  })
}

/** How often something was refused or closed with a code. */
const rejections = async (url: string, code: number): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^inkwire_rejections_total\\{code="${code}"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

const behindProxy = (limits: ServerOptions['limits']) =>
  startServer({ limits, trustedProxies: ['127.0.0.1'] })

const saved = (raw: Raw, messages: number): Promise<unknown> =>
  until(`${messages} are saved`, () => raw.all('ack').some(({ durable }) => durable >= messages))

describe('connections', () => {
  it('of the whole server: 1013', async () => {
    const { ws, url } = await startServer({ limits: { maxConnections: 2 } })
    const [first] = [await connectRaw(`${ws}/a`), await connectRaw(`${ws}/b`)]
    expect((await (await connectRaw(`${ws}/c`)).closed).code).toBe(1013)
    first.socket.close()
    await first.closed
    await (await connectRaw(`${ws}/c`)).first('syncStep1')
    expect(await rejections(url, 1013)).toBe(1)
  })

  it('of one address behind a trusted proxy: 4529, and others are let in', async () => {
    const { ws, url } = await behindProxy({ maxConnectionsPerAddress: 2 })
    expect(await comeFrom(`${ws}/a`, '198.51.100.1')).toBe(0)
    expect(await comeFrom(`${ws}/a`, '9.9.9.9, 198.51.100.1')).toBe(0)
    expect(await comeFrom(`${ws}/a`, '198.51.100.1')).toBe(4529)
    expect(await comeFrom(`${ws}/a`, '198.51.100.2')).toBe(0)
    expect(await rejections(url, 4529)).toBe(1)
  })

  it('X-Forwarded-For of a peer that is no proxy of ours means nothing', async () => {
    const { ws } = await startServer({ limits: { maxConnectionsPerAddress: 1 } })
    for (let i = 0; i < 3; i++) expect(await comeFrom(`${ws}/a`, '198.51.100.1')).toBe(0)
  })

  it('one address opens so many a minute: 4529', async () => {
    const { ws } = await behindProxy({ opensPerMinute: 3 })
    const codes: number[] = []
    for (let i = 0; i < 5; i++) codes.push(await comeFrom(`${ws}/doc-${i}`, '198.51.100.1'))
    expect(codes).toEqual([0, 0, 0, 4529, 4529])
    expect(await comeFrom(`${ws}/a`, '198.51.100.2')).toBe(0)
  })

  it('one address asks for so many pages a minute: 429, counted, and nobody else is', async () => {
    const { url } = await behindProxy({ requestsPerMinute: 5 })
    const ask = async (address: string): Promise<number> =>
      (await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': address } })).status
    const statuses: number[] = []
    for (let i = 0; i < 7; i++) statuses.push(await ask('198.51.100.1'))
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
    expect(await ask('198.51.100.2')).toBe(200)
    expect(await rejections(url, 429)).toBe(2)
  })

  it('of one user: 4529; of one document: 1013', async () => {
    const { ws } = await startServer({
      authorize: ({ token }) => ({ user: token ?? '', access: 'write' }),
      limits: { maxConnectionsPerUser: 2, maxConnectionsPerDocument: 3 },
    })
    const enter = async (path: string): Promise<Raw> => connectRaw(`${ws}/${path}`)
    const ada = [await enter('a?token=ada'), await enter('b?token=ada')]
    for (const raw of ada) await raw.first('syncStep1')
    expect((await (await enter('c?token=ada')).closed).code).toBe(4529)
    for (const user of ['bob', 'eve']) await (await enter(`a?token=${user}`)).first('syncStep1')
    expect((await (await enter('a?token=zoe')).closed).code).toBe(1013)
    ada[0]?.socket.close()
    await ada[0]?.closed
    await (await enter('a?token=zoe')).first('syncStep1')
    await (await enter('c?token=ada')).first('syncStep1')
  })

  it('300 from this machine are no trouble', async () => {
    const { ws } = await startServer()
    const all = await Promise.all(Array.from({ length: 300 }, () => connectRaw(`${ws}/doc`)))
    for (const raw of all) await raw.first('syncStep1')
  })

  it.runIf(hasIPv6)('nor to a server that takes both families', async () => {
    const { url } = await startServer({ host: '::', limits: { maxConnectionsPerAddress: 1 } })
    const { port } = new URL(url)
    const sockets = Array.from({ length: 300 }, () => connect(Number(port), '127.0.0.1'))
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()).toBe('ok')
  })

  it('a flood of refused ones is a few lines in the log, which say how many they stand for', async () => {
    const lines: unknown[] = []
    const say = (fields: unknown): void => void lines.push(fields)
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: say,
      error: say,
      child: () => logger,
    }
    const { ws, url } = await startServer({ logger })
    for (let i = 0; i < 60; i++) await (await connectRaw(`${ws}/`)).closed
    expect(await rejections(url, 4404)).toBe(60)
    expect(lines.length).toBeLessThan(30)
  })
})

describe('S10: the size of a document', () => {
  /** Structs of so many client ids, and two places in each that are deleted. */
  const manyClients = (from: number, count: number): Uint8Array => {
    const clients = Array.from({ length: count }, (_, i) => 1_000_000 + from + i)
    return forgeOfMany(
      clients.map((client) => ({ client, structs: [{ gc: 4 }] })),
      clients.flatMap((client) => [[client, 0, 1] as const, [client, 2, 1] as const]),
    )
  }

  const text = (length: number): Uint8Array =>
    forge({ client: length, structs: [{ text: 'x'.repeat(length) }] })

  it('is checked before the write: 4413, by a rejection; it stays readable, and one may delete', async () => {
    const { ws, url } = await startServer({ limits: { maxDocumentBytes: 5000 } })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    raw.send({ type: 'update', update: text(4000) })
    raw.send({ type: 'update', update: text(1500) })
    raw.send({ type: 'update', update: text(500) })
    raw.send({ type: 'update', update: forge({ deletes: [[4000, 0, 4000]] }) })
    await saved(raw, 4)
    expect(raw.all('rejection')).toMatchObject([{ message: 2, code: 4413 }])
    expect(await rejections(url, 4413)).toBe(1)
    const reader = openClient('stock', ws, 'doc')
    await reader.whenSynced()
    expect(reader.text.toString()).toBe('x'.repeat(500))
  })

  it('is also how many client ids it has', async () => {
    const { ws } = await startServer({ limits: { maxDocumentBytes: 5_000_000 } })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    raw.send({ type: 'update', update: manyClients(0, 19_000) })
    raw.send({ type: 'update', update: manyClients(19_000, 1_000) })
    raw.send({ type: 'update', update: manyClients(18_000, 1_500) })
    await saved(raw, 3)
    expect(raw.all('rejection')).toMatchObject([{ message: 2, code: 4413 }])
  })

  it('what a document has come to hold piece by piece, it takes from who has all of it', async () => {
    const { ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    for (let from = 0; from < 105_000; from += 35_000) {
      raw.send({ type: 'update', update: manyClients(from, 35_000) })
    }
    await saved(raw, 3)
    const again = await connectRaw(`${ws}/doc`)
    const clients = Array.from({ length: 105_000 }, (_, i) => [1_000_000 + i, 4] as const)
    again.send({ type: 'syncStep1', stateVector: encodeStateVector(new Map(clients)) })
    await again.first('syncStep2')
    again.send({ type: 'syncStep2', update: manyClients(0, 105_000) })
    again.send({ type: 'syncStep1', stateVector: NOTHING })
    await until('it is answered', () => again.all('syncStep2').length === 2)
  })

  it('a client without extensions gets word, and is closed for good', async () => {
    const { ws } = await startServer({ limits: { maxDocumentBytes: 5000 } })
    const raw = await connectRaw(`${ws}/doc`)
    raw.send({ type: 'update', update: text(5001) })
    expect((await raw.closed).code).toBe(4413)
    expect(raw.all('permissionDenied')).toMatchObject([{ reason: 'the document is full' }])
    const again = await connectRaw(`${ws}/doc`)
    again.send({ type: 'syncStep1', stateVector: NOTHING })
    expect((await again.first('syncStep2')).update).toEqual(Uint8Array.of(0, 0))
  })

  it('shrinks with what is deleted: near the limit it is compacted early', async () => {
    const { ws, url } = await startServer({ limits: { maxDocumentBytes: 10_000 } })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const doc = new Y.Doc()
    doc.on('update', (update: Uint8Array) => raw.send({ type: 'update', update }))
    doc.getText('text').insert(0, 'x'.repeat(4000))
    doc.getText('text').delete(0, 4000)
    doc.getText('text').insert(0, 'y'.repeat(4000))
    await until('it is compacted', async () => (await metric({ url }, 'inkwire_compactions_total')) > 0)
    raw.send({ type: 'update', update: text(5000) })
    await saved(raw, 4)
    expect(raw.all('rejection')).toEqual([])
  })
})

describe('presence', () => {
  it('too many ids and too large states are refused: a rejection, once; joiners get a bounded amount', async () => {
    const { ws } = await startServer({ limits: { presenceIds: 10, presenceBytes: 2000 } })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const fakes = Array.from({ length: 5000 }, (_, id) => ({ id, clock: 1, json: '{}' }))
    raw.send({ type: 'awareness', update: forgePresence(...fakes) })
    raw.send({ type: 'awareness', update: forgePresence(...fakes) })
    raw.send({ type: 'awareness', update: forgePresence({ id: 1, clock: 2, json: `"${'x'.repeat(3000)}"` }) })
    await until('both are refused', () => raw.all('rejection').length === 2)
    expect(raw.all('rejection')).toMatchObject([
      { message: 0, code: 4529, reason: 'too many presence ids' },
      { message: 0, code: 4529, reason: 'too large a presence' },
    ])
    const joiner = await connectRaw(`${ws}/doc`)
    expect((await joiner.first('awareness')).update[0]).toBe(10)
  })

  it('a clock near the end of numbers is refused: 4400 in a rejection', async () => {
    const { ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    raw.send({ type: 'awareness', update: forgePresence({ id: 1, clock: 2 ** 53 - 1, json: '{}' }) })
    expect(await raw.first('rejection')).toMatchObject({ message: 0, code: 4400 })
  })
})

describe('one that sends and does not read', () => {
  it('is not answered without bound: pings, questions, refused edits', async () => {
    const { ws } = await startServer({ authorize: () => ({ user: 'r', access: 'read' }) })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    await raw.first('hello')
    raw.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    let gone = false
    raw.socket.on('close', () => {
      gone = true
    })
    const update = forge({ client: 1, structs: [{ gc: 1 }] })
    for (let round = 0; round < 400 && !gone; round++) {
      for (let i = 0; i < 500; i++) {
        raw.socket.ping('x'.repeat(125))
        raw.send({ type: 'queryAwareness' })
        raw.send({ type: 'update', update })
      }
      await until('sent', () => raw.socket.bufferedAmount < 100_000 || raw.socket.readyState !== 1)
      if (raw.socket.readyState !== 1) break
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
    // Somebody else is served as ever.
    const other = await connectRaw(`${ws}/doc`)
    await other.first('syncStep1')
  })
})
