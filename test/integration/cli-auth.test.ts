import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJWK, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runInkwire, serveProcess } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'

const SECRET = 'thirty-two bytes of secret, or a few more'

const closeCode = async (url: string): Promise<number | 'in'> => {
  const raw = await connectRaw(url)
  return Promise.race([raw.closed.then(({ code }) => code), raw.first('syncStep1').then(() => 'in' as const)])
}

describe('inkwire serve with authorization', () => {
  it('--auth-jwt-secret: a token of `inkwire token` lets in, none does not; the secret and tokens are not logged', async () => {
    const server = await serveProcess(await tempDir(), {
      args: ['--auth-jwt-secret', SECRET, '--log-level', 'debug'],
    })
    const minted = runInkwire(['token', 'team/**=write', '--sub', 'ada'], { INKWIRE_AUTH_JWT_SECRET: SECRET })
    expect(await minted.exited).toBe(0)
    const token = minted.stdout().trim()
    expect(await closeCode(`${server.ws}/team/plan?token=${token}`)).toBe('in')
    expect(await closeCode(`${server.ws}/other?token=${token}`)).toBe(4403)
    expect(await closeCode(`${server.ws}/team/plan`)).toBe(4401)
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(server.stderr()).not.toContain(token.slice(-20))
    expect(server.stderr()).not.toContain(SECRET)
    expect(server.stderr()).toContain('team/plan')
  })

  it('--auth-jwt-public-key and --auth-jwks-url, with issuer and audience', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const folder = await tempDir()
    const file = join(folder, 'key.pem')
    await writeFile(file, publicKey.export({ type: 'spki', format: 'pem' }))
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }
    const http = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void http.close())
    const sign = (audience: string): Promise<string> =>
      new SignJWT({ docs: { doc: 'write' } })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setSubject('ada')
        .setExpirationTime('1h')
        .setIssuer('us')
        .setAudience(audience)
        .sign(privateKey)
    const names = ['--auth-issuer', 'us', '--auth-audience', 'inkwire']
    const jwks = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
    for (const args of [
      ['--auth-jwt-public-key', file],
      ['--auth-jwks-url', jwks],
    ]) {
      const server = await serveProcess(await tempDir(), { args: [...args, ...names] })
      expect(await closeCode(`${server.ws}/doc?token=${await sign('inkwire')}`)).toBe('in')
      expect(await closeCode(`${server.ws}/doc?token=${await sign('others')}`)).toBe(4401)
      server.child.kill('SIGKILL')
    }
  })

  it('--auth-jwks-url: when the keys can not be had, clients are told to try again', async () => {
    const server = await serveProcess(await tempDir(), {
      args: ['--auth-jwks-url', 'http://127.0.0.1:1/keys'],
    })
    const token = await new SignJWT({ docs: {} })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('x')
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(SECRET))
    // Not of an algorithm that such keys have: nothing to fetch, the token is bad.
    expect(await closeCode(`${server.ws}/doc?token=${token}`)).toBe(4401)
    const { privateKey } = generateKeyPairSync('ed25519')
    const signed = await new SignJWT({ docs: {} })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setSubject('x')
      .setExpirationTime('1h')
      .sign(privateKey)
    expect(await closeCode(`${server.ws}/doc?token=${signed}`)).toBe(1013)
  })

  const bad: [args: string[], line: RegExp][] = [
    [['--host', '0.0.0.0'], /can be reached by others.*--insecure-public/],
    [['--auth-jwt-secret', 'short'], /at least 32 bytes/],
    [['--auth-jwt-secret', SECRET, '--auth-jwks-url', 'http://x/'], /exactly one/],
    [['--auth-jwt-secret', SECRET, '--auth-algorithms', 'none'], /"none" is no algorithm/],
    [['--auth-jwks-url', 'nonsense'], /no URL/],
    [['--allow-origin', 'app.example.com'], /--allow-origin must be a list of origins/],
    [['--auth-issuer', 'acme'], /--auth-issuer .* --auth-jwt-secret, --auth-jwt-public-key, --auth-jwks-url/],
  ]
  for (const [args, line] of bad) {
    it(`${args.join(' ')} is one clear line and exit 2`, async () => {
      const run = runInkwire(['serve', '--port', '0', '--data', await tempDir(), ...args])
      expect(await run.exited).toBe(2)
      expect(run.stderr()).toMatch(line)
      expect(run.stderr().trim().split('\n').length).toBe(1)
    })
  }

  it('inkwire token with a secret that no server takes is one clear line and exit 2', async () => {
    const run = runInkwire(['token', '**=read'], { INKWIRE_AUTH_JWT_SECRET: 'short' })
    expect(await run.exited).toBe(2)
    expect(run.stdout()).toBe('')
    expect(run.stderr()).toMatch(/at least 32 bytes/)
    expect(run.stderr()).not.toContain('short')
  })

  it('--host 0.0.0.0 with --insecure-public listens', async () => {
    const server = await serveProcess(await tempDir(), { args: ['--host', '0.0.0.0', '--insecure-public'] })
    expect(server.port).toBeGreaterThan(0)
  })
})
