import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { catalogKey, generationRange } from '../../server/journal/keys.js'
import { openLevelStore } from '../../server/journal/level-store.js'
import { readRecord } from '../../server/journal/records.js'
import type { Write } from '../../server/journal/store.js'
import { Code } from '../../shared/codes.js'
import { type Client, openClient } from '../support/clients.js'
import { metric, startServer } from '../support/inkwire.js'
import { flipBit } from '../support/journal-damage.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

const KINDS = ['stock', 'ours'] as const

/** A server with two documents on its disk, and in memory none. */
const setup = async () => {
  const server = await startServer({ roomLingerMs: 0 })
  for (const name of ['one', 'other']) {
    const author = openClient('ours', server.ws, name)
    author.text.insert(0, `the text of ${name}`)
    await author.ours?.whenSaved({ timeout: 10_000 })
    author.destroy()
  }
  await emptied(server)
  return server
}

const emptied = (server: { readonly url: string }): Promise<unknown> =>
  until('no document is in memory', async () => (await metric(server, 'inkwire_rooms')) === 0)

/** Clients of both kinds that wait for a document, and whether any was ever told that it has it. */
const wait = (ws: string, name: string) => {
  const clients = KINDS.map((kind) => openClient(kind, ws, name, { connect: false }))
  let synced = 0
  const closed: number[] = []
  for (const client of clients) {
    client.onSync((yes) => {
      if (yes) synced++
    })
    client.onClosed((code) => void closed.push(code))
    client.connect()
  }
  return { clients, closed, synced: () => synced }
}

const expectText = async (clients: readonly Client[], text: string): Promise<void> => {
  for (const client of clients) {
    await client.whenSynced()
    expect(client.text.toString()).toBe(text)
  }
}

/** Flips a bit in what is stored of a document; the returned function puts back what was there. */
const damage = async (data: string, name: string): Promise<() => Promise<void>> => {
  const store = await openLevelStore(join(data, 'journal'), { sync: true })
  const key = catalogKey(Buffer.from(name))
  const entry = readRecord(key, (await store.get(key)) ?? new Uint8Array())
  if (entry.status !== 'ok' || entry.record.kind !== 'catalog') throw new Error('no catalog entry')
  const record = await store.first(generationRange(entry.record.generation))
  if (!record) throw new Error('no record')
  const [at, value] = record
  await store.write([{ key: at, value: flipBit(value, value.length * 4) }])
  await store.close()
  return async () => {
    const writes: Write[] = [{ key: at, value }]
    const again = await openLevelStore(join(data, 'journal'), { sync: true })
    await again.write(writes)
    await again.close()
  }
}

describe('a damaged document', () => {
  it('is an error to all who wait for it, never an empty document, and others are served', async () => {
    const first = await setup()
    await first.server.close()
    const mend = await damage(first.data, 'one')

    const second = await startServer({ data: first.data, roomLingerMs: 0 })
    const { clients, closed, synced } = wait(second.ws, 'one')
    const raw = await connectRaw(`${second.ws}/one`)
    expect(await raw.closed).toMatchObject({ code: Code.documentDamaged })
    expect(raw.heard).toEqual([])
    // A permanent code: nobody hammers the server.
    await until('both have given up', () => closed.length === 2)
    expect(closed).toEqual([Code.documentDamaged, Code.documentDamaged])
    expect(synced()).toBe(0)
    const { clients: others } = wait(second.ws, 'other')
    await expectText(others, 'the text of other')
    for (const client of others) client.destroy()
    await emptied(second)
    await second.server.close()

    await mend()
    const third = await startServer({ data: first.data, port: Number(new URL(second.url).port) })
    for (const client of clients) client.connect()
    await expectText(clients, 'the text of one')
    expect(await third.server.close()).toEqual({ unsaved: [] })
  })
})

describe('a store that can’t be read for a while', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('is an error to all who wait, who come back by themselves and then get everything', async () => {
    const server = await setup()
    const fault = Object.assign(new Error('IO error: /dev/sda: Input/output error'), {
      code: 'LEVEL_IO_ERROR',
    })
    const get = vi.spyOn(Level.prototype, 'get').mockRejectedValue(fault)
    const { clients, closed, synced } = wait(server.ws, 'one')
    const raws = await Promise.all([1, 2, 3].map(() => connectRaw(`${server.ws}/one`)))
    for (const raw of raws) {
      expect(await raw.closed).toMatchObject({ code: Code.storageUnavailable })
      expect(raw.heard).toEqual([])
    }
    // Asked for again and again, it stays an error, and no room is left behind.
    await until('it was tried some times', () => get.mock.calls.length > 5)
    expect(synced()).toBe(0)
    expect(await metric(server, 'inkwire_rooms')).toBe(0)

    get.mockRestore()
    await expectText(clients, 'the text of one')
    expect(closed).toEqual([])
  })
})

describe('memory', () => {
  it('holds no document that nobody has open', async () => {
    const server = await startServer({ roomLingerMs: 0 })
    const unloaded = new Set<string>()
    server.server.on('unload', ({ document }) => void unloaded.add(document))
    const clients = Array.from({ length: 60 }, (_, i) =>
      openClient(KINDS[i % 2] ?? 'ours', server.ws, `doc-${i}`),
    )
    for (const [i, client] of clients.entries()) {
      await client.whenSynced()
      // Read, written to, and written to by somebody who is off before it is stored.
      if (i % 3 > 0) client.text.insert(0, 'x'.repeat(6000))
      if (i % 3 === 2) client.destroy()
    }
    expect(await metric(server, 'inkwire_rooms')).toBeGreaterThan(30)
    for (const client of clients) client.destroy()
    // Some leave while their document is being loaded.
    for (let i = 0; i < 20; i++) openClient('stock', server.ws, `late-${i}`).destroy()
    const raws = await Promise.all(Array.from({ length: 20 }, (_, i) => connectRaw(`${server.ws}/doc-${i}`)))
    for (const raw of raws) raw.socket.terminate()
    await emptied(server)
    expect([...unloaded].filter((name) => name.startsWith('doc-')).length).toBe(60)
    expect(await metric(server, 'inkwire_connections')).toBe(0)
  })
})
