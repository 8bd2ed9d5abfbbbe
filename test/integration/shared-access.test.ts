/** Who may do what on a connection that several documents share. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { SHARED_SUBPROTOCOL } from '../../shared/messages.js'
import { shared } from '../support/connection.js'
import { startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { connectShared, type RawChannel } from '../support/shared-raw.js'
import { counted, durable, updateOf } from '../support/shared-updates.js'

describe('who may do what is asked for each document', () => {
  const authorize = ({ token, document }: { token: string | null; document: string }) => {
    if (token === null) return { refused: 'unauthenticated' as const, reason: 'show a token' }
    const [user = '', access = 'write'] = token.split(':')
    if (document === 'secret') return { refused: 'forbidden' as const, reason: 'not yours' }
    return { user, access: access === 'read' ? ('read' as const) : ('write' as const) }
  }

  it('A1, A2: by its own token, by the handshake’s headers, or in band; a refusal ends the channel only', async () => {
    const { ws } = await startServer({ authorize, authCookie: 'session' })
    const plain = await connectShared(ws)
    const byQuery = plain.open('doc?token=ada')
    expect(await byQuery.first('hello')).toMatchObject({ access: 'write' })
    const asked = plain.open('doc')
    await asked.first('authenticate')
    asked.send({ type: 'token', token: 'bob:read' })
    expect(await asked.first('hello')).toMatchObject({ access: 'read' })
    expect(await plain.open('doc', { extended: false }).ended).toMatchObject({ code: 4401 })
    expect(await plain.open('secret?token=ada').ended).toMatchObject({ code: 4403, reason: 'not yours' })
    for (const headers of [{ authorization: 'Bearer eve' }, { cookie: 'session=eve' }]) {
      const raw = await connectShared(ws, headers)
      await raw.open('doc').first('hello')
      expect(await raw.open('secret').ended).toMatchObject({ code: 4403 })
    }
    byQuery.send({ type: 'update', update: updateOf('x') })
    await durable(byQuery, 1)
  })

  it('A4, X5: a reader on one is a writer on the other', async () => {
    const { ws } = await startServer({ authorize })
    const raw = await connectShared(ws)
    const [reader, writer] = [raw.open('a?token=ada:read'), raw.open('b?token=ada')]
    for (const each of [reader, writer]) each.send({ type: 'update', update: updateOf('x') })
    expect(await reader.first('rejection')).toMatchObject({ message: 1, code: 4403 })
    await durable(writer, 1)
    expect(writer.all('rejection')).toEqual([])
  })

  it('A3: a permission that ends, ends its channel; a revoked user’s channels end, others’ stay', async () => {
    const { ws, server } = await startServer({
      authorize: ({ token }) => ({
        user: token ?? '',
        access: 'write',
        ...(token === 'brief' ? { expiresAt: Date.now() + 300 } : {}),
      }),
    })
    const raw = await connectShared(ws)
    const [brief, eve, ada] = ['brief', 'eve', 'ada'].map((token) => raw.open(`doc?token=${token}`)) as [
      RawChannel,
      RawChannel,
      RawChannel,
    ]
    await Promise.all([brief, eve, ada].map((each) => each.first('hello')))
    expect(await brief.ended).toMatchObject({ code: 4401 })
    expect(await server.revoke('eve')).toEqual({ closed: 1 })
    expect(await eve.ended).toMatchObject({ code: 4403, reason: 'access was revoked' })
    expect(await raw.open('other?token=eve').ended).toMatchObject({ code: 4403 })
    ada.send({ type: 'update', update: updateOf('x') })
    await durable(ada, 1)
  })

  it('A2: a page of another origin gets no shared connection', async () => {
    const { ws } = await startServer()
    const socket = new WebSocket(ws, [SHARED_SUBPROTOCOL], { origin: 'https://evil.example' })
    onTestFinished(() => socket.terminate())
    expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(4403)
  })

  it('a client’s tokens are asked for, and renewed, per document', async () => {
    const { ws } = await startServer({ authorize })
    const { sockets, WebSocketPolyfill } = counted()
    const asked: string[] = []
    const all = ['a', 'b'].map((name) =>
      createProvider(ws, name, {
        connection: shared,
        WebSocketPolyfill,
        token: () => {
          asked.push(name)
          return Promise.resolve(`ada:${name === 'a' ? 'read' : 'write'}`)
        },
      }),
    )
    const denied = createProvider(ws, 'secret', {
      connection: shared,
      WebSocketPolyfill,
      token: () => Promise.resolve('ada'),
    })
    await Promise.all(all.map(({ provider }) => provider.whenSynced))
    await expect(denied.provider.whenSynced).rejects.toMatchObject({ cause: { code: 4403 } })
    expect(all.map(({ provider }) => provider.access)).toEqual(['read', 'write'])
    expect(asked.sort()).toEqual(['a', 'b'])
    expect(sockets.length).toBe(1)
  })
})
