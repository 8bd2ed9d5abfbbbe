import { readdir } from 'node:fs/promises'
import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { built, runInkwire, startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { bystander, enter, logger } from '../support/threats.js'

const SECRET = 'a secret of thirty-two bytes at least'

describe('threats: somebody comes in who may not', () => {
  it('cross-site WebSocket hijacking: foreign origins get 4403, the own and localhost come in', async () => {
    const { ws } = await startServer()
    const from = (origin: string): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${ws}/doc`, { origin })
        onTestFinished(() => socket.terminate())
        socket.on('close', resolve)
        socket.on('message', (data: Buffer) => data[0] === 0 && resolve(0))
      })
    expect(await from('https://evil.example')).toBe(4403)
    expect(await from('null')).toBe(4403)
    expect(await from(`${ws.replace('ws', 'http')}`)).toBe(0)
    expect(await from('http://localhost:5173')).toBe(0)
  })

  it('tokens: alg none, wrong issuer or audience, expired while connected; none of them in the log', async () => {
    const { lines, log } = logger()
    const options = { secret: SECRET, issuer: 'us', audience: 'inkwire' }
    const { ws } = await startServer({ logger: log, authorize: built.authorizeByJwt(options) })
    const key = new TextEncoder().encode(SECRET)
    const sign = (issuer: string, audience: string, exp: number): Promise<string> =>
      new SignJWT({ docs: { doc: 'write' } })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject('ada')
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime(exp)
        .sign(key)
    const soon = Math.floor(Date.now() / 1000) + 2
    const none = new UnsecuredJWT({ docs: { doc: 'admin' } })
      .setSubject('x')
      .setIssuer('us')
      .setAudience('inkwire')
      .encode()
    for (const token of [
      none,
      await sign('them', 'inkwire', soon),
      await sign('us', 'others', soon),
      await sign('us', 'inkwire', 1),
    ]) {
      expect((await (await connectRaw(`${ws}/doc?token=${token}`)).closed).code).toBe(4401)
    }
    const good = await sign('us', 'inkwire', soon)
    const raw = await enter(`${ws}/doc?token=${good}`)
    expect((await raw.closed).code).toBe(4401)
    expect(Date.now()).toBeGreaterThanOrEqual(soon * 1000 - 50)
    expect(lines.join('\n')).not.toContain(good.slice(-20))
  })

  it('revoked users: closed within a second, and refused at once', async () => {
    const { ws, server } = await startServer({
      authorize: ({ token }) => ({ user: token ?? '', access: 'write' }),
    })
    const raw = await enter(`${ws}/doc?token=eve`)
    const asked = performance.now()
    const revoked = server.revoke('eve')
    expect((await raw.closed).code).toBe(4403)
    expect(performance.now() - asked).toBeLessThan(1000)
    await revoked
    expect((await (await connectRaw(`${ws}/doc?token=eve`)).closed).code).toBe(4403)
  })

  it('document names: .., control characters, 1 MB long, __proto__ are opaque keys or refused', async () => {
    const { ws, data } = await startServer()
    for (const name of ['..%2F..%2Fetc%2Fpasswd', '%00%01', '__proto__', 'constructor', 'a//b']) {
      const { isServed } = await bystander(ws, name)
      await isServed()
    }
    expect((await (await connectRaw(`${ws}/${'n'.repeat(2000)}`)).closed).code).toBe(4404)
    // A megabyte doesn't even get through the handshake.
    await expect(connectRaw(`${ws}/${'n'.repeat(1_000_000)}`)).rejects.toThrow(/431|ECONNRESET|EPIPE|hang up/)
    expect((await readdir(data)).filter((file) => /etc|passwd|proto/.test(file))).toEqual([])
    expect(Object.hasOwn(Object.prototype, 'generation')).toBe(false)
  })

  it('exposed by accident: binds to this machine only, and refuses a public address without authorization', async () => {
    expect((await startServer()).url).toContain('127.0.0.1')
    const refused = runInkwire(['serve', '--host', '0.0.0.0', '--port', '0', '--data', await tempDir()])
    expect(await refused.exited).toBe(2)
    expect(refused.stderr()).toContain('--insecure-public')
  })
})
