import { SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Authorize, ServerOptions } from '../../server/index.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { built, startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

const SECRET = 'a secret of thirty-two bytes at least'
const NOTHING = Uint8Array.of(0)

const tokenFor = (
  docs: Record<string, string>,
  { sub = 'ada', exp = '1h', secret = SECRET, alg = 'HS256' }: Record<string, string> = {},
): Promise<string> =>
  new SignJWT({ docs })
    .setProtectedHeader({ alg })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(exp)
    .sign(new TextEncoder().encode(secret))

const withJwt = (more: ServerOptions = {}) =>
  startServer({ authorize: built.authorizeByJwt({ secret: SECRET }), ...more })

const state = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const open = (ws: string, document: string, token: string | null, protocols: string[] = []) =>
  connectRaw(`${ws}/${document}${token === null ? '' : `?token=${token}`}`, protocols)

describe('authorization (PROTOCOL A1–A4)', () => {
  it('A1: a token as query parameter, header or cookie lets in', async () => {
    const { ws } = await withJwt({ authCookie: 'session' })
    const token = await tokenFor({ doc: 'write' })
    const raw = await open(ws, 'doc', token)
    await raw.first('syncStep1')
    for (const headers of [{ authorization: `Bearer ${token}` }, { cookie: `a=b; session="${token}"` }]) {
      const socket = new WebSocket(`${ws}/doc`, { headers })
      onTestFinished(() => socket.terminate())
      await new Promise((resolve, reject) => {
        socket.once('message', resolve)
        socket.once('close', reject)
      })
    }
  })

  const refusals: [what: string, token: () => Promise<string | null>, code: number][] = [
    ['no token', async () => null, 4401],
    ['nonsense', async () => 'nonsense', 4401],
    ['a token of another secret', () => tokenFor({ doc: 'write' }, { secret: 'x'.repeat(40) }), 4401],
    ['an expired token', () => tokenFor({ doc: 'write' }, { exp: '-1h' }), 4401],
    ['a token for other documents', () => tokenFor({ 'other/*': 'write' }), 4403],
    [
      'an unsigned token',
      async () => {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
        return `${part({ alg: 'none' })}.${part({ sub: 'x', docs: { doc: 'admin' } })}.`
      },
      4401,
    ],
  ]
  for (const [what, token, code] of refusals) {
    it(`A2: ${what}: ${code}, after word to a stock client`, async () => {
      const { ws } = await withJwt()
      const raw = await open(ws, 'doc', await token())
      expect((await raw.closed).code).toBe(code)
      expect(raw.heard.map(({ type }) => type)).toEqual(['permissionDenied'])
    })
  }

  it('X7, X8: a client that speaks inkwire.1 may show its token in band', async () => {
    const { ws } = await withJwt()
    const raw = await open(ws, 'doc', null, [SUBPROTOCOL])
    raw.send({ type: 'syncStep1', stateVector: NOTHING })
    await raw.first('authenticate')
    raw.send({ type: 'token', token: await tokenFor({ doc: 'read' }) })
    expect((await raw.first('hello')).access).toBe('read')
    await raw.first('syncStep2')
    expect(raw.heard.map(({ type }) => type).slice(0, 2)).toEqual(['authenticate', 'hello'])
  })

  it('X7: one that shows none in time is closed with 4401', async () => {
    const { ws } = await withJwt({ authTimeoutMs: 100 })
    const raw = await open(ws, 'doc', null, [SUBPROTOCOL])
    expect((await raw.closed).code).toBe(4401)
  })

  it('A2: when the authorizing service is down or silent, clients are told to try again', async () => {
    const down: Authorize = () => Promise.reject(new Error('connection refused'))
    const silent: Authorize = () => new Promise(() => undefined)
    const wordless: Authorize = () => Promise.reject(Object.create(null))
    for (const authorize of [down, silent, wordless]) {
      const { ws } = await startServer({ authorize, authTimeoutMs: 100 })
      const raw = await open(ws, 'doc', 'x')
      expect((await raw.closed).code).toBe(1013)
    }
  })

  it('A3: a permission that ends on a live connection ends the connection, with 4401', async () => {
    const { ws } = await startServer({
      authorize: () => ({ user: 'ada', access: 'write', expiresAt: Date.now() + 300 }),
    })
    const raw = await open(ws, 'doc', 'x')
    await raw.first('syncStep1')
    const started = Date.now()
    expect((await raw.closed).code).toBe(4401)
    expect(Date.now() - started).toBeLessThan(2000)
  })

  it('X8: renewed in band, the connection goes on; access may change both ways', async () => {
    let firstEnds = 0
    const authorize: Authorize = ({ token }) => {
      if (token !== 'first') return { user: 'ada', access: token === 'second' ? 'read' : 'write' }
      firstEnds = Date.now() + 3000
      return { user: 'ada', access: 'write', expiresAt: firstEnds }
    }
    const { ws } = await startServer({ authorize })
    const raw = await open(ws, 'doc', 'first', [SUBPROTOCOL])
    await raw.first('hello')
    raw.send({ type: 'token', token: 'second' })
    await until('reading only', () => raw.all('hello').at(-1)?.access === 'read')
    raw.send({ type: 'update', update: state('refused') })
    expect(await raw.first('rejection')).toMatchObject({ message: 1, code: 4403 })
    raw.send({ type: 'token', token: 'third' })
    await until('writing again', () => raw.all('hello').at(-1)?.access === 'write')
    raw.send({ type: 'update', update: state('taken') })
    await until('durable', () => raw.all('ack').at(-1)?.durable === 2)
    await until('past the first one’s end', () => Date.now() > firstEnds + 50)
    expect(raw.socket.readyState).toBe(WebSocket.OPEN)
    expect(raw.all('rejection').length).toBe(1)
  })

  it('A4: a reader gets everything and changes nothing; repetitions are not refused', async () => {
    const { ws, server } = await withJwt()
    const writer = await open(ws, 'doc', await tokenFor({ '**': 'write' }))
    const known = state('known')
    writer.send({ type: 'update', update: known })
    await writer.first('update')
    const reader = await open(ws, 'doc', await tokenFor({ doc: 'read' }, { sub: 'eve' }), [SUBPROTOCOL])
    reader.send({ type: 'syncStep2', update: known })
    reader.send({ type: 'update', update: state('news') })
    reader.send({ type: 'syncStep2', update: state('more news') })
    await until('acknowledged', () => reader.all('ack').at(-1)?.durable === 3)
    expect(reader.all('rejection').map(({ message }) => message)).toEqual([2, 3])
    const stock = await open(ws, 'doc', await tokenFor({ doc: 'read' }, { sub: 'eve' }))
    stock.send({ type: 'update', update: state('news') })
    stock.send({ type: 'update', update: state('news again') })
    stock.send({ type: 'syncStep1', stateVector: NOTHING })
    await stock.first('syncStep2')
    expect(stock.all('permissionDenied').length).toBe(1)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, await server.documents.read('doc'))
    expect(doc.getText('t').toString()).toBe('known')
  })

  it('A4: an unmodified y-websocket reader is told once and not looped', async () => {
    const { ws, server } = await withJwt()
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'offline edit')
    let connects = 0
    server.on('connect', () => connects++)
    const provider = new WebsocketProvider(ws, 'doc', doc, {
      params: { token: await tokenFor({ doc: 'read' }) },
      WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
      disableBc: true,
    })
    onTestFinished(() => {
      provider.destroy()
      doc.destroy()
    })
    await until('synced', () => provider.synced)
    await expect(server.documents.read('doc')).rejects.toMatchObject({ code: 'INKWIRE_NO_DOCUMENT' })
    expect(connects).toBe(1)
    expect(provider.wsconnected).toBe(true)
  })

  it('A3: a revoked user is closed with 4403 within a second, refused from then on, also after a restart', async () => {
    const first = await withJwt()
    const token = await tokenFor({ doc: 'write' }, { sub: '__proto__' })
    const other = await open(first.ws, 'doc', await tokenFor({ doc: 'write' }, { sub: 'bob' }))
    const raw = await open(first.ws, 'doc', token)
    await raw.first('syncStep1')
    await first.server.revoke('__proto__')
    expect((await raw.closed).code).toBe(4403)
    expect((await (await open(first.ws, 'doc', token)).closed).code).toBe(4403)
    expect(other.socket.readyState).toBe(WebSocket.OPEN)
    await first.server.close()
    const second = await withJwt({ data: first.data })
    expect((await (await open(second.ws, 'doc', token)).closed).code).toBe(4403)
    await second.server.unrevoke('__proto__')
    await (await open(second.ws, 'doc', token)).first('syncStep1')
  })

  it('A2: pages of foreign origins are closed with 4403, unless allowed', async () => {
    const { ws } = await startServer({ allowedOrigins: ['https://app.example.com', 'app://.'] })
    const from = (origin: string): Promise<number> => {
      const socket = new WebSocket(`${ws}/doc`, { origin })
      onTestFinished(() => socket.terminate())
      return new Promise((resolve) => {
        socket.once('message', () => resolve(0))
        socket.once('close', resolve)
      })
    }
    expect(await from('https://evil.example')).toBe(4403)
    expect(await from('https://app.example.com')).toBe(0)
    expect(await from('app://.')).toBe(0)
    expect(await from('app://other')).toBe(4403)
    expect(await from(ws.replace('ws', 'http'))).toBe(0)
  })

  it('A1: a flood before the token is cut off', async () => {
    const { ws } = await withJwt()
    const raw = await open(ws, 'doc', null, [SUBPROTOCOL])
    await raw.first('authenticate')
    for (let i = 0; i < 10; i++) raw.send({ type: 'update', update: state('x'.repeat(10_000)) })
    expect((await raw.closed).code).toBe(4401)
  })
})
