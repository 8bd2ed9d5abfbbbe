import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { SHARED_SUBPROTOCOL, SUBPROTOCOL } from '../../shared/messages.js'
import { openClient } from '../support/clients.js'
import { shared } from '../support/connection.js'
import { forge, forgePresence } from '../support/forge.js'
import { metric, startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { connectRaw } from '../support/raw.js'
import { connectShared, type RawChannel } from '../support/shared-raw.js'
import { counted, durable, updateOf } from '../support/shared-updates.js'
import { until } from '../support/until.js'

const NOTHING = Uint8Array.of(0)

const textOf = ({ heard }: Pick<RawChannel, 'heard'>): string => {
  const doc = new Y.Doc()
  for (const each of heard) {
    if (each.type === 'update' || each.type === 'syncStep2') Y.applyUpdate(doc, each.update)
  }
  return doc.getText('t').toString()
}

describe('several documents on one connection', () => {
  it('X11, X12: each is greeted, answered and acknowledged as on its own, and nobody hears the others', async () => {
    const { ws, url, server } = await startServer()
    const events: unknown[] = []
    server.on('connect', ({ document }) => void events.push(['connect', document]))
    server.on('disconnect', ({ document, code }) => void events.push(['disconnect', document, code]))
    const raw = await connectShared(ws)
    expect(raw.socket.protocol).toBe(SHARED_SUBPROTOCOL)
    const [a, b] = [raw.open('notes/a'), raw.open('b%20%C3%BC?x=1')]
    expect(await until('the greeting', () => raw.said[0])).toEqual({ type: 'shared', channels: 128 })
    await Promise.all([a.first('hello'), b.first('hello')])
    expect(a.heard.map(({ type }) => type)).toEqual(['hello', 'syncStep1'])
    a.send({ type: 'update', update: updateOf('to a') })
    b.send({ type: 'syncStep1', stateVector: NOTHING })
    await durable(a, 1)
    await b.first('syncStep2')
    expect(b.all('update')).toEqual([])
    expect(await metric({ url }, 'inkwire_connections')).toBe(1)
    expect(await metric({ url }, 'inkwire_members')).toBe(2)
    const alone = await connectRaw(`${ws}/notes/a`)
    alone.send({ type: 'syncStep1', stateVector: NOTHING })
    await alone.first('syncStep2')
    expect(textOf(alone)).toBe('to a')
    a.end()
    await until('one has gone', async () => (await metric({ url }, 'inkwire_members')) === 2)
    b.send({ type: 'queryAwareness' })
    await b.first('awareness')
    raw.socket.close()
    await until('all have gone', () => events.length === 5)
    expect(events).toEqual([
      ['connect', 'notes/a'],
      ['connect', 'b ü'],
      ['connect', 'notes/a'],
      ['disconnect', 'notes/a', 1000],
      ['disconnect', 'b ü', 1005],
    ])
  })

  it('stock clients, clients with a socket of their own and shared ones edit one document', async () => {
    const { ws } = await startServer()
    const all = (['stock', 'ours', 'shared', 'shared'] as const).map((kind) => openClient(kind, ws, 'doc'))
    await Promise.all(all.map((each) => each.whenSynced()))
    for (const [i, { text }] of all.entries()) text.insert(0, `${i}`)
    await until('all have all', () =>
      all.every(({ text }) => text.length === 4 && text.toString() === all[0]?.text.toString()),
    )
  })

  it('30 documents need one socket; after a restart of the server, too, and nothing is lost', async () => {
    const first = await startServer()
    const { sockets, WebSocketPolyfill } = counted()
    const all = Array.from({ length: 30 }, (_, i) =>
      createProvider(first.ws, `doc/${i}`, { connection: shared, WebSocketPolyfill }),
    )
    for (const [i, { text }] of all.entries()) text.insert(0, `text ${i}`)
    await Promise.all(all.map(({ provider }) => provider.whenSaved({ timeout: 20_000 })))
    expect(sockets.map(({ url }) => url)).toEqual([`${first.ws}/`])
    const codes: unknown[] = []
    all[0]?.provider.once('connection-close', (event) => void codes.push(event?.code))
    await first.server.close()
    await until('told', () => codes.length === 1)
    expect(codes).toEqual([1012])
    for (const { text } of all) text.insert(0, 'offline, ')
    const port = Number(new URL(first.url).port)
    const second = await startServer({ data: first.data, port })
    await Promise.all(all.map(({ provider }) => provider.whenSaved({ timeout: 20_000 })))
    // One that looked, with a socket of its own, what kind of server it is, in the moment when it came back, keeps that.
    const open = sockets.filter((each) => each.readyState === WebSocket.OPEN)
    expect(open.filter(({ url }) => url === `${first.ws}/`).length).toBe(1)
    expect(open.length).toBeLessThanOrEqual(2)
    expect(await metric(second, 'inkwire_members')).toBe(30)
    const newcomer = createProvider(first.ws, 'doc/7')
    await newcomer.provider.whenSynced
    expect(newcomer.text.toString()).toBe('offline, text 7')
  })

  it('below a path prefix', async () => {
    const { ws } = await startServer({ pathPrefix: '/collab' })
    const { sockets, WebSocketPolyfill } = counted()
    const options = { connection: shared, WebSocketPolyfill }
    const all = ['a', 'b/c'].map((name) => createProvider(`${ws}/collab`, name, options))
    await Promise.all(all.map(({ provider }) => provider.whenSynced))
    expect(sockets.length).toBe(1)
    expect((await (await connectRaw(`${ws}/elsewhere`, [SHARED_SUBPROTOCOL, SUBPROTOCOL])).closed).code).toBe(
      4404,
    )
  })

  it('X4: a document’s mark is its own: who comes back gets what it missed and no more', async () => {
    const { ws } = await startServer()
    const raw = await connectShared(ws)
    const [a, b] = [raw.open('a'), raw.open('b')]
    for (let i = 0; i < 5; i++) b.send({ type: 'update', update: updateOf('x') })
    const first = updateOf('first')
    a.send({ type: 'update', update: first })
    a.send({ type: 'syncStep1', stateVector: NOTHING })
    const mark = await until('a mark', () => a.all('ack').at(-1)?.mark)
    expect(mark).toBe(1)
    const { generation } = await a.first('hello')
    a.end()
    await durable(b, 5)
    const other = await connectRaw(`${ws}/a`, [SUBPROTOCOL])
    other.send({ type: 'update', update: updateOf('second ') })
    await until('saved', () => other.all('ack').some(({ durable: count }) => count === 1))
    const again = raw.open('a')
    again.send({ type: 'join', generation, seq: mark })
    again.send({ type: 'syncStep1', stateVector: Y.encodeStateVectorFromUpdate(first) })
    await again.first('syncStep2')
    expect(textOf(again)).toBe('second ')
  })

  it('W6: presence belongs to the channel, and goes with it', async () => {
    const { ws } = await startServer()
    const [one, two] = [openClient('shared', ws, 'doc'), openClient('shared', ws, 'doc')]
    one.ours?.awareness.setLocalStateField('name', 'one')
    two.ours?.awareness.setLocalStateField('name', 'two')
    const names = (): unknown[] =>
      [...(two.ours?.awareness.getStates().values() ?? [])].map(({ name }) => name).sort()
    await until('both are seen', () => names().join() === 'one,two')
    one.ours?.disconnect()
    await until('one has gone', () => names().join() === 'two')
  })
})

describe('what happens to one document leaves the others alone', () => {
  it('W7, S1: bytes that are no message or no update end their channel with 4400', async () => {
    const { ws } = await startServer()
    const raw = await connectShared(ws)
    const good = raw.open('good')
    const bad = [
      Uint8Array.of(99),
      Uint8Array.of(),
      Uint8Array.of(0, 2, 3, 1, 1, 255),
      Uint8Array.of(0x78, 99),
    ]
    for (const bytes of bad) {
      const channel = raw.open('bad')
      await channel.first('hello')
      channel.sendBytes(bytes)
      expect(await channel.ended).toMatchObject({ code: 4400 })
      // Whatever was on its way behind it.
      channel.send({ type: 'queryAwareness' })
    }
    good.send({ type: 'update', update: updateOf('fine') })
    await durable(good, 1)
  })

  it('X2, X3: another generation is 4409 for its document', async () => {
    const { ws, server } = await startServer()
    const { sockets, WebSocketPolyfill } = counted()
    const options = { connection: shared, WebSocketPolyfill }
    const [a, b] = [createProvider(ws, 'a', options), createProvider(ws, 'b', options)]
    for (const { text } of [a, b]) text.insert(0, 'x')
    await Promise.all([a, b].map(({ provider }) => provider.whenSaved()))
    await server.documents.replace('a', Y.encodeStateAsUpdate(new Y.Doc()))
    await until('a is told', () => a.provider.connection.name === 'stopped')
    expect(a.provider.connection).toMatchObject({ code: 4409 })
    b.text.insert(0, 'y')
    await b.provider.whenSaved()
    expect(sockets.length).toBe(1)
  })

  it('a large document on its way doesn’t garble the others, and all arrives', async () => {
    const { ws } = await startServer({ maxMessageBytes: 64 * 2 ** 20 })
    const author = createProvider(ws, 'large')
    author.text.insert(0, 'large '.repeat(2_000_000))
    await author.provider.whenSaved({ timeout: 30_000 })
    const { sockets, WebSocketPolyfill } = counted()
    const options = { connection: shared, WebSocketPolyfill }
    const small = Array.from({ length: 5 }, (_, i) => createProvider(ws, `small/${i}`, options))
    await Promise.all(small.map(({ provider }) => provider.whenSynced))
    const others = small.map((_, i) => createProvider(ws, `small/${i}`))
    await Promise.all(others.map(({ provider }) => provider.whenSynced))
    const large = createProvider(ws, 'large', options)
    for (let round = 0; round < 40; round++) {
      for (const { text } of [...small, ...others]) text.insert(0, 'x')
      await new Promise(setImmediate)
    }
    await large.provider.whenSynced
    expect(large.text.length).toBe(12_000_000)
    await until('all have all', () => [...small, ...others].every(({ text }) => text.length === 80))
    await Promise.all(small.map(({ provider }) => provider.whenSaved({ timeout: 20_000 })))
    expect(sockets.length).toBe(1)
  })

  it('S7: one that waits for somebody else’s edits doesn’t keep the others from being read', async () => {
    const { ws } = await startServer({ limits: { foreignEditsMs: 3_000 } })
    const owner = await connectRaw(`${ws}/held`, [SUBPROTOCOL])
    owner.send({ type: 'awareness', update: forgePresence({ id: 7, clock: 1, json: '{}' }) })
    await owner.first('syncStep1')
    const raw = await connectShared(ws)
    const [held, free] = [raw.open('held'), raw.open('free')]
    await until('the owner is present', () => held.all('awareness').length > 0)
    held.send({ type: 'update', update: forge({ client: 7, clock: 0, structs: [{ text: 'forged' }] }) })
    held.send({ type: 'queryAwareness' })
    free.send({ type: 'update', update: updateOf('not kept waiting') })
    await durable(free, 1)
    expect(held.all('ack')).toEqual([])
    expect(await held.ended).toMatchObject({ code: 1013 })
  })

  it('who reads nothing for a while gets everything afterwards, on all its documents', async () => {
    const { ws, url } = await startServer()
    const { sockets, WebSocketPolyfill } = counted()
    const names = ['a', 'b', 'c']
    const slow = names.map((name) => createProvider(ws, name, { connection: shared, WebSocketPolyfill }))
    await Promise.all(slow.map(({ provider }) => provider.whenSynced))
    const authors = names.map((name) => createProvider(ws, name))
    await Promise.all(authors.map(({ provider }) => provider.whenSynced))
    sockets[0]?.pause()
    for (let i = 0; i < 30; i++) {
      for (const { doc } of authors) doc.getMap('m').set(`${i}`, `${i}`.repeat(100_000))
      await new Promise(setImmediate)
    }
    await Promise.all(authors.map(({ provider }) => provider.whenSaved({ timeout: 30_000 })))
    expect(await metric({ url }, 'inkwire_members_behind_total')).toBeGreaterThan(1)
    for (const { text } of slow) text.insert(0, 'from one that reads nothing')
    sockets[0]?.resume()
    await until('all have all', () =>
      slow.every(({ doc }, i) => doc.getMap('m').size === 30 && authors[i]?.text.length === 27),
    )
    await Promise.all(slow.map(({ provider }) => provider.whenSaved({ timeout: 20_000 })))
    expect(sockets.length).toBe(1)
  })
})

describe('a client without a shared connection to be had', () => {
  it('has a socket each beyond the server’s limit', async () => {
    const { ws } = await startServer({ limits: { maxChannelsPerConnection: 2 } })
    const { sockets, WebSocketPolyfill } = counted()
    const options = { connection: shared, WebSocketPolyfill }
    const all = ['a', 'b', 'c', 'd'].map((name) => createProvider(ws, name, options))
    await Promise.all(all.map(({ provider }) => provider.whenSynced))
    expect(sockets.map(({ url }) => url.replace(ws, ''))).toEqual(['/', '/c', '/d'])
  })

  it('closes the socket when the last document is destroyed', async () => {
    const { ws, url } = await startServer()
    const { provider } = createProvider(ws, 'a', { connection: shared })
    await provider.whenSynced
    provider.destroy()
    await until('closed', async () => (await metric({ url }, 'inkwire_connections')) === 0)
  })
})
