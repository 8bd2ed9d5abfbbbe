import { SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Closed, InkwireProvider } from '../../client/index.js'
import type { Access } from '../../shared/messages.js'
import { built, startServer } from '../support/inkwire.js'
import { createProvider, nextEvent } from '../support/provider.js'
import { startScriptedServer } from '../support/scripted-server.js'
import { until } from '../support/until.js'

const SECRET = 'a secret of thirty-two bytes at least'

const sign = (access: Access, lifeS: number, sub = 'ada'): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({ docs: { doc: access } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuedAt(now)
    .setExpirationTime(now + lifeS)
    .sign(new TextEncoder().encode(SECRET))
}

const withJwt = () => startServer({ authorize: built.authorizeByJwt({ secret: SECRET }) })

const connections = (provider: InkwireProvider): (() => number) => {
  let count = 0
  provider.on('status', ({ status }) => {
    if (status === 'connected') count++
  })
  return () => count
}

describe('a client with a token function and a server that wants tokens', () => {
  it('X7, X8: lets it in, saves, and permission changes both ways at renewal, over one connection', async () => {
    const { ws } = await withJwt()
    const accesses: Access[] = ['write', 'read', 'write']
    let asked = 0
    const { provider, text } = createProvider(ws, 'doc', {
      connect: false,
      token: () => sign(accesses[Math.min(asked++, 2)] as Access, 4),
    })
    const connected = connections(provider)
    provider.connect()
    await provider.whenSynced
    text.insert(0, 'a')
    await provider.whenSaved()
    await until('it may only read', () => provider.access === 'read')
    await until('it may write again', () => provider.access === 'write')
    // Past the end of the first two.
    await until('it was renewed once more', () => asked > 3)
    text.insert(0, 'b')
    await provider.whenSaved()
    expect(connected()).toBe(1)
  })

  it('an opaque token is asked for by the server before it ends', async () => {
    let shown = 0
    const { ws } = await startServer({
      authorize: ({ token }) => {
        if (token === null) return { refused: 'unauthenticated', reason: 'a token is needed' }
        shown++
        return { user: 'ada', access: 'write', expiresAt: Date.now() + 1_000 }
      },
    })
    const { provider } = createProvider(ws, 'doc', { connect: false, token: () => 'opaque' })
    const connected = connections(provider)
    provider.connect()
    await until('renewed twice', () => shown === 3)
    expect(connected()).toBe(1)
  })

  it('A3: one that could not be renewed in time is replaced on a new connection', async () => {
    const { ws } = await withJwt()
    let asked = 0
    const { provider, text } = createProvider(ws, 'doc', {
      token: async () => {
        // Every second one is too old by the time that it is shown.
        if (++asked % 2 === 0) throw new Error('down')
        return sign('write', 3)
      },
    })
    const failures: unknown[] = []
    provider.on('token-error', (error) => failures.push(error))
    const connected = connections(provider)
    await provider.whenSynced
    await until('it is back', () => connected() > 1 && provider.synced)
    expect(failures.length).toBeGreaterThan(0)
    text.insert(0, 'a')
    await provider.whenSaved()
  })

  it('A2: refused twice it stops, and whenSynced says so', async () => {
    const { ws } = await withJwt()
    let asked = 0
    const { provider } = createProvider(ws, 'doc', { token: () => `nonsense ${++asked}` })
    const closed = nextEvent<Closed>((resolve) => provider.once('closed', resolve))
    await expect(provider.whenSynced).rejects.toMatchObject({
      code: 'INKWIRE_STOPPED',
      cause: { code: 4401 },
    })
    expect(await closed).toMatchObject({ code: 4401 })
    expect(asked).toBe(2)
  })

  it('A2: one that does not open the document stops it at once', async () => {
    const { ws } = await withJwt()
    let asked = 0
    const { provider } = createProvider(ws, 'other', {
      token: () => {
        asked++
        return sign('write', 60)
      },
    })
    await expect(provider.whenSynced).rejects.toMatchObject({ cause: { code: 4403 } })
    expect(asked).toBe(1)
  })

  it('A3: a revoked user is stopped, whatever the function gives', async () => {
    const { ws, server } = await withJwt()
    const { provider } = createProvider(ws, 'doc', { token: () => sign('write', 60) })
    await provider.whenSynced
    const closed = nextEvent<Closed>((resolve) => provider.once('closed', resolve))
    await server.revoke('ada')
    expect(await closed).toMatchObject({ code: 4403 })
  })
})

it('a server that wants no token is shown none', async () => {
  const server = await startScriptedServer()
  onTestFinished(() => server.close())
  const { provider } = createProvider(server.url, 'doc', {
    token: () => {
      throw new Error('nobody needs one')
    },
  })
  await provider.whenSynced
  await provider.whenSaved()
  expect(server.heard.map(({ type }) => type)).not.toContain('token')
})
