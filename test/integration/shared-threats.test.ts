import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { shared } from '../support/connection.js'
import { metric, startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { connectRaw } from '../support/raw.js'
import { connectShared } from '../support/shared-raw.js'
import { until } from '../support/until.js'

const behindProxy = (address: string): { readonly [name: string]: string } => ({ 'x-forwarded-for': address })

/** Opens a document and waits until it is let in (0) or refused (the code). */
const enter = async (raw: Awaited<ReturnType<typeof connectShared>>, target: string): Promise<number> => {
  const channel = raw.open(target)
  return until('an answer', () => {
    if (channel.heard.length > 0) return 'in'
    const end = raw.said.find((each) => each.type === 'end' && each.channel === channel.number)
    return end?.type === 'end' && end.code
  }).then((answer) => (answer === 'in' ? 0 : (answer as number)))
}

describe('limits of shared connections', () => {
  it('documents on one connection: 4529, and one that leaves makes room', async () => {
    const { ws } = await startServer({ limits: { maxChannelsPerConnection: 2 } })
    const raw = await connectShared(ws)
    const first = raw.open('a')
    expect([await enter(raw, 'b'), await enter(raw, 'c')]).toEqual([0, 4529])
    first.end()
    expect(await enter(raw, 'c')).toBe(0)
  })

  it('documents of one address, over all its connections: 4529, and others are let in', async () => {
    const { ws } = await startServer({
      limits: { maxChannelsPerAddress: 3 },
      trustedProxies: ['127.0.0.1'],
    })
    const [one, two, other] = [
      await connectShared(ws, behindProxy('198.51.100.1')),
      await connectShared(ws, behindProxy('198.51.100.1')),
      await connectShared(ws, behindProxy('198.51.100.2')),
    ]
    expect([await enter(one, 'a'), await enter(one, 'b'), await enter(two, 'a')]).toEqual([0, 0, 0])
    expect([await enter(two, 'b'), await enter(other, 'b')]).toEqual([4529, 0])
    one.socket.terminate()
    await until('its place is free', async () => (await enter(two, 'b')) === 0)
  })

  it('documents of the whole server: 1013; of one document and one user as connections are', async () => {
    const { ws } = await startServer({ limits: { maxChannels: 3, maxConnectionsPerDocument: 2 } })
    const raw = await connectShared(ws)
    expect([await enter(raw, 'a'), await enter(raw, 'a'), await enter(raw, 'a')]).toEqual([0, 0, 1013])
    expect([await enter(raw, 'b'), await enter(raw, 'c')]).toEqual([0, 1013])
    const users = await startServer({
      limits: { maxConnectionsPerUser: 1 },
      authorize: ({ token }) => ({ user: token ?? '', access: 'write' }),
    })
    const of = await connectShared(users.ws)
    expect([await enter(of, 'a?token=ada'), await enter(of, 'b?token=ada')]).toEqual([0, 4529])
    expect(await enter(of, 'b?token=bob')).toBe(0)
  })

  it('one address opens so many documents a minute, by whatever connection: 4529', async () => {
    const { ws } = await startServer({ limits: { opensPerMinute: 4 }, trustedProxies: ['127.0.0.1'] })
    const raw = await connectShared(ws, behindProxy('198.51.100.1'))
    const codes: number[] = []
    for (let i = 0; i < 5; i++) codes.push(await enter(raw, `doc-${i}`))
    // The connection itself was the first.
    expect(codes).toEqual([0, 0, 0, 4529, 4529])
  })

  it('a message that is too large ends the connection with 1009, as it would end one to a single document', async () => {
    const { ws } = await startServer({ maxMessageBytes: 10_000 })
    const raw = await connectShared(ws)
    raw.open('a').sendBytes(new Uint8Array(20_000))
    expect((await raw.closed).code).toBe(1009)
  })
})

describe('abuse of shared connections', () => {
  it('X15: what can’t be assigned to a document ends the connection with 4400, and nobody else’s', async () => {
    const { ws } = await startServer()
    const witness = await connectShared(ws)
    const quiet = witness.open('doc')
    await quiet.first('hello')
    const bad: ((raw: typeof witness) => void)[] = [
      (raw) => raw.sendBytes(Uint8Array.of(3)),
      (raw) => raw.sendBytes(Uint8Array.of()),
      (raw) => raw.sendBytes('text'),
      (raw) => raw.say({ type: 'channel', channel: 1 }),
      (raw) => raw.say({ type: 'end', channel: 7, code: 1000, reason: '' }),
      (raw) => raw.open('doc', { number: 0 }),
      (raw) => {
        raw.open('doc', { number: 5 })
        raw.open('doc', { number: 5 })
      },
      (raw) => raw.sendBytes(Uint8Array.of(0x78, 9, 1, 1, 200)),
      (raw) => {
        raw.open('doc')
        raw.sendBytes('text')
      },
    ]
    for (const misbehave of bad) {
      const raw = await connectShared(ws)
      misbehave(raw)
      expect((await raw.closed).code).toBe(4400)
    }
    quiet.send({ type: 'queryAwareness' })
    await quiet.first('awareness')
  })

  it('X12: names that none can have: 4404, for the channel', async () => {
    const { ws } = await startServer()
    const raw = await connectShared(ws)
    const bad = [
      '',
      '?token=x',
      '%',
      '%FF',
      '%ED%A0%80',
      'x'.repeat(1025),
      'x'.repeat(20_000),
      'é'.repeat(600),
    ]
    for (const target of bad) expect(await enter(raw, target)).toBe(4404)
    for (const target of ['..', '__proto__', 'a%2F..%2Fb', '%00']) expect(await enter(raw, target)).toBe(0)
  })

  it('10,000 opens at once: refused one by one, and someone who types elsewhere doesn’t notice', async () => {
    const { ws, url } = await startServer()
    const honest = createProvider(ws, 'honest', { connection: shared })
    await honest.provider.whenSynced
    const raw = await connectShared(ws)
    for (let i = 0; i < 10_000; i++) raw.open(i % 2 === 0 ? 'many' : '%')
    honest.text.insert(0, 'typed')
    await honest.provider.whenSaved({ timeout: 10_000 })
    await until(
      'all are answered',
      () => raw.said.filter(({ type }) => type === 'end').length === 10_000 - 128,
    )
    expect(await metric({ url }, 'inkwire_members')).toBe(129)
    raw.socket.terminate()
    await until('all have gone', async () => (await metric({ url }, 'inkwire_members')) === 1)
  })

  it('markers, ends and questions without end cost the others nothing', async () => {
    const { ws } = await startServer()
    const raw = await connectShared(ws)
    const channels = [raw.open('a'), raw.open('b')]
    const honest = createProvider(ws, 'a')
    await honest.provider.whenSynced
    for (let i = 0; i < 100_000; i++) raw.say({ type: 'channel', channel: 1 + (i % 2) })
    for (let i = 0; i < 20_000; i++) raw.say({ type: 'shared', channels: 0 })
    honest.text.insert(0, 'typed')
    await honest.provider.whenSaved({ timeout: 10_000 })
    channels[0]?.send({ type: 'update', update: Y.encodeStateAsUpdate(honest.doc) })
    await until('it is served, too', () => channels[0]?.all('ack').some(({ durable }) => durable === 1))
  })

  it('on a document’s own connection none of it is spoken', async () => {
    const { ws } = await startServer()
    for (const bytes of ['780801', '780901010161', '780a01', '780b01e80700']) {
      const raw = await connectRaw(`${ws}/doc`, ['inkwire.1'])
      await raw.first('hello')
      raw.sendBytes(Buffer.from(bytes, 'hex'))
      expect((await raw.closed).code).toBe(4400)
    }
  })
})

it('W6: an idle shared connection lives: pinged, and told of the server, once for all', async () => {
  const { ws } = await startServer({ heartbeatMs: 200 })
  const raw = await connectShared(ws)
  const channels = [raw.open('a'), raw.open('b')]
  let pings = 0
  raw.socket.on('ping', () => void pings++)
  await Promise.all(channels.map((each) => each.first('hello')))
  await until('ten beats', () => pings >= 10)
  const signs = channels.flatMap((each) => each.all('awareness'))
  expect(signs.length).toBeGreaterThan(5)
  expect(signs.length).toBeLessThan(30)
  expect(raw.socket.readyState).toBe(WebSocket.OPEN)
})
