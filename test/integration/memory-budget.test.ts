import { Level } from 'level'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type * as room from '../../server/room/room.js'
import { Code } from '../../shared/codes.js'
import { openClient } from '../support/clients.js'
import { metric, startServer } from '../support/inkwire.js'
import { flipBit } from '../support/journal-damage.js'
import { connectRaw, type Raw } from '../support/raw.js'
import { until } from '../support/until.js'

const HELD = 'inkwire_snapshot_held_bytes'
const DROPS = 'inkwire_snapshot_drops_total'
const REREADS = 'inkwire_snapshot_rereads_total'
const MIB = 2 ** 20

const stateOf = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  const state = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return state
}

const editOf = (client: number, text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText('other').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** Keeps every read of a single record waiting. */
const gate = () => {
  const original = Level.prototype.get
  const waiting: (() => void)[] = []
  let reads = 0
  const spy = vi.spyOn(Level.prototype, 'get').mockImplementation(async function (
    this: Level,
    ...args: Parameters<typeof original>
  ) {
    reads++
    await new Promise<void>((resolve) => waiting.push(resolve))
    return original.apply(this, args)
  } as typeof original)
  return {
    reads: () => reads,
    open: () => {
      spy.mockRestore()
      for (const go of waiting.splice(0)) go()
    },
  }
}

/** A server that keeps no snapshot, a document that has one, and somebody who is in it. */
const setup = async (text = 'what is in the snapshot') => {
  const server = await startServer({ memoryBudgetMb: 0 })
  await server.server.documents.replace('doc', stateOf(text))
  const resident = openClient('ours', server.ws, 'doc')
  await resident.whenSynced()
  await until('the snapshot is let go of', async () => (await metric(server, HELD)) === 0)
  return { server, resident }
}

const ask = async (ws: string, protocols: string[] = []): Promise<Raw> => {
  const raw = await connectRaw(`${ws}/doc`, protocols)
  raw.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
  return raw
}

const textIn = (raw: Raw): string => {
  const doc = new Y.Doc()
  for (const message of raw.heard)
    if (message.type === 'syncStep2' || message.type === 'update') Y.applyUpdate(doc, message.update)
  return doc.getText('text').toString()
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a small memory budget', () => {
  it('many documents, large and small: everybody has everything, and memory for snapshots stays bounded', async () => {
    const server = await startServer({ memoryBudgetMb: 1, roomLingerMs: 60_000 })
    const names = Array.from({ length: 24 }, (_, i) => `doc-${i}`)
    const texts = new Map(names.map((name, i) => [name, `${name} `.repeat(i % 6 === 0 ? 300_000 : 20_000)]))
    for (const name of names) await server.server.documents.replace(name, stateOf(texts.get(name) ?? ''))
    for (const kind of ['ours', 'stock', 'ours'] as const) {
      for (const name of names) {
        const client = openClient(kind, server.ws, name)
        await client.whenSynced()
        expect(client.text.toString() === texts.get(name), name).toBe(true)
        client.text.insert(0, `${kind} `)
        texts.set(name, client.text.toString())
        if (client.ours) await client.ours.whenSaved({ timeout: 10_000 })
        await until('it is let go of', async () => (await metric(server, HELD)) <= MIB)
        // One stays, so that the next one finds the document open.
        if (kind !== 'ours') client.destroy()
      }
    }
    expect(await metric(server, 'inkwire_rooms')).toBe(names.length)
    expect(await metric(server, DROPS)).toBeGreaterThan(names.length)
    expect(await metric(server, REREADS)).toBeGreaterThan(names.length)
  })

  it('is enough for what fits: nothing is read again', async () => {
    const server = await startServer({ memoryBudgetMb: 1 })
    await server.server.documents.replace('doc', stateOf('x'.repeat(900_000)))
    for (let i = 0; i < 5; i++) await openClient('stock', server.ws, 'doc').whenSynced()
    expect(await metric(server, HELD)).toBeGreaterThan(900_000)
    expect(await metric(server, REREADS)).toBe(0)
  })

  it('0: a document is compacted all the same', async () => {
    const { server, resident } = await setup()
    const { length } = resident.text
    resident.text.insert(0, 'y'.repeat(600_000))
    await until('compacted', async () => (await metric(server, 'inkwire_compactions_total')) > 0)
    expect(await metric(server, REREADS)).toBeGreaterThan(0)
    const joiner = openClient('stock', server.ws, 'doc')
    await joiner.whenSynced()
    expect(joiner.text.length).toBe(length + 600_000)
    const stored = new Y.Doc()
    await resident.ours?.whenSaved({ timeout: 10_000 })
    Y.applyUpdate(stored, await server.server.documents.read('doc'))
    expect(stored.getText('text').toString() === resident.text.toString()).toBe(true)
  })
})

describe('while a snapshot is read again', () => {
  it('many who ask wait for one read', async () => {
    const { server } = await setup()
    const before = await metric(server, REREADS)
    const disk = gate()
    // Of the built server, which is what runs here.
    const built = new URL('../../dist/server/room/room.js', import.meta.url).href
    const { Room } = (await import(built)) as typeof room
    const asked = vi.spyOn(Room.prototype, 'answer')
    const raws = await Promise.all(Array.from({ length: 20 }, () => ask(server.ws)))
    await until('all have asked', () => asked.mock.calls.length === 20)
    await until('it is being read', () => disk.reads() > 0)
    expect(raws.flatMap((raw) => raw.all('syncStep2'))).toEqual([])
    expect(disk.reads()).toBe(1)
    disk.open()
    for (const raw of raws) {
      await raw.first('syncStep2')
      expect(textIn(raw)).toBe('what is in the snapshot')
    }
    expect((await metric(server, REREADS)) - before).toBe(1)
  })

  it('W4, S4: the answer has what others wrote meanwhile, and not what the asker wrote itself', async () => {
    const { server, resident } = await setup()
    const disk = gate()
    const raw = await ask(server.ws)
    await until('it is being read', () => disk.reads() > 0)
    raw.send({ type: 'update', update: editOf(4711, 'mine') })
    resident.text.insert(0, 'meanwhile: ')
    await until('that has come', () => raw.all('update').length > 0)
    await resident.ours?.whenSaved({ timeout: 10_000 })
    disk.open()
    const { update: answer } = await raw.first('syncStep2')
    expect(Y.decodeUpdate(answer).structs.map(({ id }) => id.client)).not.toContain(4711)
    expect(textIn(raw)).toBe('meanwhile: what is in the snapshot')
    // Then it is taken, and comes back as the confirmation.
    const own = (): boolean =>
      raw
        .all('update')
        .some(({ update }) => Y.decodeUpdate(update).structs.some(({ id }) => id.client === 4711))
    await until('it comes back', own)
    await until('the others have it', () => resident.doc.getText('other').toString() === 'mine')
  })

  it('X4: edits with acknowledgements are taken and acknowledged', async () => {
    const { server, resident } = await setup()
    const disk = gate()
    const raw = await ask(server.ws, ['inkwire.1'])
    await until('it is being read', () => disk.reads() > 0)
    raw.send({ type: 'update', update: editOf(4711, 'mine') })
    await until('safe', () => raw.all('ack').some(({ durable }) => durable === 1))
    await until('the others have it', () => resident.doc.getText('other').toString() === 'mine')
    expect(raw.all('syncStep2')).toEqual([])
    disk.open()
    await raw.first('syncStep2')
    expect(textIn(raw)).toBe('what is in the snapshot')
  })

  it('X3: who knows where it was doesn’t wait for it', async () => {
    const { server } = await setup()
    const first = await ask(server.ws, ['inkwire.1'])
    await first.first('syncStep2')
    const mark = (await until('a mark', () => first.all('ack').find((ack) => (ack.mark ?? 0) > 0))).mark ?? 0
    const { generation } = await first.first('hello')
    const holds = new Y.Doc()
    for (const { update } of first.all('syncStep2')) Y.applyUpdate(holds, update)
    const disk = gate()
    const again = await connectRaw(`${server.ws}/doc`, ['inkwire.1'])
    again.send({ type: 'join', generation, seq: mark })
    again.send({ type: 'syncStep1', stateVector: Y.encodeStateVector(holds) })
    expect([...(await again.first('syncStep2')).update]).toEqual([0, 0])
    expect(disk.reads()).toBe(0)
    disk.open()
  })

  it('some who wait leave; the others get theirs', async () => {
    const { server, resident } = await setup()
    const disk = gate()
    const raws = await Promise.all(
      ['', 'inkwire.1', '', 'inkwire.1'].map((it) => ask(server.ws, it ? [it] : [])),
    )
    await until('it is being read', () => disk.reads() > 0)
    for (const raw of raws.slice(0, 2)) raw.socket.terminate()
    await until('they are gone', async () => (await metric(server, 'inkwire_connections')) === 3)
    disk.open()
    for (const raw of raws.slice(2)) {
      await raw.first('syncStep2')
      expect(textIn(raw)).toBe('what is in the snapshot')
    }
    resident.destroy()
    for (const raw of raws.slice(2)) raw.socket.terminate()
    await until('the document is closed', async () => (await metric(server, 'inkwire_rooms')) === 0)
  })

  it('C4: a delete of the document closes who waits with 4404, once it is done, and answers no more', async () => {
    const { server } = await setup()
    const disk = gate()
    const raw = await ask(server.ws)
    await until('it is being read', () => disk.reads() > 0)
    const deleted = server.server.documents.delete('doc')
    await until('the delete reads, too', () => disk.reads() > 1)
    disk.open()
    expect(await deleted).toBe(true)
    expect(await raw.closed).toMatchObject({ code: Code.noSuchDocument })
    expect(raw.all('syncStep2')).toEqual([])
  })
})

describe('a snapshot that can’t be read again', () => {
  it('closes those who need it with 4503; all others go on, and later it is read', async () => {
    const { server, resident } = await setup()
    const fault = Object.assign(new Error('IO error: Input/output error'), { code: 'LEVEL_IO_ERROR' })
    vi.spyOn(Level.prototype, 'get').mockRejectedValue(fault)
    for (const protocols of [[], ['inkwire.1']]) {
      const raw = await ask(server.ws, protocols)
      expect(await raw.closed).toMatchObject({ code: Code.storageUnavailable })
    }
    resident.text.insert(0, 'still here: ')
    await resident.ours?.whenSaved({ timeout: 10_000 })
    expect(await metric(server, 'inkwire_snapshot_rereads_failed_total')).toBe(2)
    const client = openClient('stock', server.ws, 'doc')
    await until(
      'it has tried',
      async () => (await metric(server, 'inkwire_snapshot_rereads_failed_total')) > 3,
    )
    expect(client.synced).toBe(false)
    vi.restoreAllMocks()
    await client.whenSynced()
    expect(client.text.toString()).toBe('still here: what is in the snapshot')
  })

  it('since it is damaged, closes them with 4410, and is named by /readyz', async () => {
    const { server, resident } = await setup()
    const original = Level.prototype.get
    vi.spyOn(Level.prototype, 'get').mockImplementation(async function (
      this: Level,
      ...args: Parameters<typeof original>
    ) {
      const value: unknown = await original.apply(this, args)
      return value instanceof Uint8Array ? flipBit(value, value.length * 4) : value
    } as typeof original)
    const raw = await ask(server.ws)
    expect(await raw.closed).toMatchObject({ code: Code.documentDamaged })
    expect(server.server.readiness().damaged).toMatchObject([{ document: 'doc' }])
    resident.text.insert(0, 'still here: ')
    await resident.ours?.whenSaved({ timeout: 10_000 })
  })
})
