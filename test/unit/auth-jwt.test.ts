import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type AuthRequest, ask } from '../../server/auth/authorize.js'
import { authorizeByJwt } from '../../server/auth/jwt.js'

const SECRET = 'a secret of thirty-two bytes at least'

afterEach(() => {
  vi.useRealTimers()
})

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const newPair = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' })

const sign = (
  key: KeyObject | Uint8Array,
  header: { alg?: string; kid?: string } = {},
  iat?: number,
  claims: { readonly exp?: unknown } = { exp: Math.floor(Date.now() / 1000) + 3600 },
): Promise<string> =>
  new SignJWT({ docs: { doc: 'write' }, ...(claims as JWTPayload) })
    .setProtectedHeader({ alg: 'ES256', ...header })
    .setSubject('ada')
    .setIssuedAt(iat)
    .sign(key)

/** Where keys are published; what it answers may change. */
const publish = async (answer: () => { status?: number; body: string } | Promise<never>) => {
  const state = { asked: 0 }
  const http = createServer(async (_request, response) => {
    state.asked++
    const { status = 200, body } = await answer()
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys`, state }
}

const jwksOf = async (keys: readonly (Pair & { kid?: string })[]): Promise<string> =>
  JSON.stringify({
    keys: await Promise.all(
      keys.map(async ({ publicKey, kid }) => ({
        ...(await exportJWK(publicKey)),
        alg: 'ES256',
        ...(kid ? { kid } : {}),
      })),
    ),
  })

const request = (token: string | null): AuthRequest => ({
  document: 'doc',
  token,
  origin: null,
  address: '',
  headers: {},
})

const verdictOn = async (
  authorize: ReturnType<typeof authorizeByJwt>,
  token: string,
): Promise<'in' | 'refused' | 'failed'> => {
  const verdict = await ask(authorize, request(token), 300)
  return verdict.ok ? 'in' : verdict.kind
}

describe('documents in a token', () => {
  const authorize = authorizeByJwt({ secret: SECRET })
  const open = async (docs: string, document: string) => {
    const claims: JWTPayload = JSON.parse(`{"docs":${docs}}`)
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ada')
      .setExpirationTime('1h')
      .sign(Buffer.from(SECRET))
    return authorize({ ...request(token), document })
  }

  it('may have any name', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', '{', 'é\n']) {
      const docs = `{${JSON.stringify(name)}:"write"}`
      expect(await open(docs, name)).toMatchObject({ user: 'ada', access: 'write' })
      expect(await open('{"other":"write"}', name)).toMatchObject({ refused: 'forbidden' })
    }
  })

  it('are a map of patterns to access, or the token is refused', async () => {
    for (const docs of [
      'null',
      '"doc"',
      '["write"]',
      '[]',
      '7',
      '{"doc":"owner"}',
      '{"__proto__":{"doc":"write"}}',
    ])
      expect(await open(docs, 'doc')).toEqual({
        refused: 'unauthenticated',
        reason: 'the token has a wrong claim docs: a map of patterns to read, write or admin',
      })
  })

  it('and the user have to be there, and whoever makes tokens is told which is not', async () => {
    const reasonFor = async (claims: JWTPayload) => {
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1h')
        .sign(Buffer.from(SECRET))
      const verdict = await ask(authorize, request(token), 300)
      return !verdict.ok && verdict.kind === 'refused' ? verdict.reason : ''
    }
    const lacking = await Promise.all([
      reasonFor({ docs: { doc: 'write' } }),
      reasonFor({ docs: { doc: 'write' }, sub: '' }),
      reasonFor({ docs: { doc: 'write' }, sub: 'x'.repeat(257) }),
      reasonFor({ sub: 'ada' }),
    ])
    expect(lacking).toEqual([
      'the token lacks the claim sub: the user, up to 256 characters',
      'the token has a wrong claim sub: the user, up to 256 characters',
      'the token has a wrong claim sub: the user, up to 256 characters',
      'the token lacks the claim docs: a map of patterns to read, write or admin',
    ])
    for (const reason of lacking) expect(reason.length).toBeLessThan(124)
  })
})

describe('published keys', () => {
  const pair = newPair()
  const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()

  it.each<[string, () => { status?: number; body: string } | Promise<never>]>([
    ['answers with an error', () => ({ status: 500, body: '{}' })],
    ['answers with something else', () => ({ body: '<html>' })],
    ['answers without keys', () => ({ body: '{}' })],
    ['moved', () => ({ status: 302, body: '' })],
    ['is silent', () => new Promise<never>(() => undefined)],
  ])('when the service %s, that is its failure and not the token’s', async (_, answer) => {
    const { url } = await publish(answer)
    expect(await verdictOn(authorizeByJwt({ jwksUrl: url }), await sign(pair.privateKey, { kid: 'a' }))).toBe(
      'failed',
    )
  })

  it('a key that is newer than those that were just fetched: try again, and it is found', async () => {
    const [first, second] = [
      { ...newPair(), kid: 'first' },
      { ...newPair(), kid: 'second' },
    ]
    const published = [first]
    const { url, state } = await publish(async () => ({ body: await jwksOf(published) }) as never)
    const authorize = authorizeByJwt({ jwksUrl: url })
    // Of nobody's keys, and they are fetched for it: that is final.
    expect(await verdictOn(authorize, await sign(pair.privateKey, { kid: 'unknown' }))).toBe('refused')
    expect(await verdictOn(authorize, await sign(first.privateKey, { kid: 'first' }))).toBe('in')
    published.push(second)
    const token = await sign(second.privateKey, { kid: 'second' })
    expect(await verdictOn(authorize, token)).toBe('failed')
    expect(state.asked).toBe(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 })
    expect(await verdictOn(authorize, token)).toBe('in')
    expect(state.asked).toBe(2)
  })

  it('two of a kind, and a token that does not say by which: either may have signed it, no other', async () => {
    const [first, second] = [newPair(), newPair()]
    const { url } = await publish(async () => ({ body: await jwksOf([first, second]) }) as never)
    const authorize = authorizeByJwt({ jwksUrl: url })
    expect(await verdictOn(authorize, await sign(first.privateKey))).toBe('in')
    expect(await verdictOn(authorize, await sign(second.privateKey))).toBe('in')
    expect(await verdictOn(authorize, await sign(pair.privateKey))).toBe('refused')
  })

  it('a token signed with a public key as if it were a secret opens nothing', async () => {
    const forged = await sign(new TextEncoder().encode(pem), { alg: 'HS256' })
    expect(await verdictOn(authorizeByJwt({ publicKey: pem }), forged)).toBe('refused')
    const { url } = await publish(async () => ({ body: await jwksOf([pair]) }) as never)
    expect(await verdictOn(authorizeByJwt({ jwksUrl: url }), forged)).toBe('refused')
  })

  it.each<[string, string, Parameters<typeof authorizeByJwt>[0]]>([
    ['RS256', 'a secret', { secret: SECRET }],
    ['ES384', 'a key of P-256', { publicKey: pem }],
    ['HS256', 'a public key', { publicKey: pem }],
    ['HS256', 'published keys', { jwksUrl: 'https://keys.example.com/' }],
    ['RS265', 'published keys', { jwksUrl: 'https://keys.example.com/' }],
    ['None', 'published keys', { jwksUrl: 'https://keys.example.com/' }],
  ])('%s does not fit %s: nothing could be signed so', (algorithm, _, key) => {
    expect(() => authorizeByJwt({ ...key, algorithms: [algorithm] })).toThrow(
      expect.objectContaining({ code: 'INKWIRE_BAD_OPTION', message: expect.stringContaining(algorithm) }),
    )
  })

  it('no algorithm at all would take no token', () => {
    expect(() => authorizeByJwt({ secret: SECRET, algorithms: [] })).toThrow(/no signature algorithm/)
  })

  it('takes an algorithm that fits, though it is not taken by default', async () => {
    const authorize = authorizeByJwt({ secret: SECRET, algorithms: ['HS512'] })
    const key = new TextEncoder().encode(SECRET)
    expect(await verdictOn(authorize, await sign(key, { alg: 'HS512' }))).toBe('in')
    expect(await verdictOn(authorize, await sign(key, { alg: 'HS256' }))).toBe('refused')
  })

  it.each(['nonsense', 'ftp://keys.example.com/', 'https://me:secret@keys.example.com/'])(
    '%s is no address of them, and is not repeated',
    (jwksUrl) => {
      expect(() => authorizeByJwt({ jwksUrl })).toThrow(
        expect.objectContaining({
          code: 'INKWIRE_BAD_OPTION',
          message: expect.not.stringContaining('secret'),
        }),
      )
    },
  )
})

it('a token from the future would outlast a revocation: it is refused, but for clocks that differ a little', async () => {
  const authorize = authorizeByJwt({ secret: SECRET })
  const key = new TextEncoder().encode(SECRET)
  const now = Math.floor(Date.now() / 1000)
  expect(await verdictOn(authorize, await sign(key, { alg: 'HS256' }, now + 60))).toBe('refused')
  expect(await verdictOn(authorize, await sign(key, { alg: 'HS256' }, now + 3))).toBe('in')
})

it('a token has to say when it ends, and to end', async () => {
  const authorize = authorizeByJwt({ secret: SECRET })
  const key = new TextEncoder().encode(SECRET)
  const now = Math.floor(Date.now() / 1000)
  const endless = { ok: false, kind: 'refused', refused: 'unauthenticated' }
  const toldOf = async (claims: { readonly exp?: unknown }) =>
    ask(authorize, request(await sign(key, { alg: 'HS256' }, now, claims)), 1000)
  for (const claims of [{}, { exp: 1e308 }, { exp: 8.64e12 + 1 }]) {
    expect(await toldOf(claims)).toEqual({ ...endless, reason: 'the token does not say when it ends (exp)' })
  }
  for (const exp of [String(now + 60), null, true, []]) expect(await toldOf({ exp })).toMatchObject(endless)
  const inAThousandYears = now + 1000 * 365 * 86_400
  expect(await toldOf({ exp: inAThousandYears })).toMatchObject({
    ok: true,
    expiresAt: inAThousandYears * 1000,
  })
})
