import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Authorize } from '../../server/index.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { openClient } from '../support/clients.js'
import { forge, forgePresence } from '../support/forge.js'
import { built, runInkwire, serveProcess, startServer } from '../support/inkwire.js'
import { connectRaw, type Raw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/** Things that somebody with too much time tries, each over real sockets. */

const SECRET = 'a secret of thirty-two bytes at least'

const tokenFor = (docs: Record<string, string>, sub = 'ada', exp: number | string = '1h'): Promise<string> =>
  new SignJWT({ docs })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(exp)
    .sign(new TextEncoder().encode(SECRET))

/** Connects as a browser or a proxy would, with these headers: how it ended, and what had been said until then. */
const comeWith = async (
  url: string,
  headers: Record<string, string>,
): Promise<{ code: number | 'in'; heard: Buffer[] }> => {
  const socket = new WebSocket(url, { headers })
  onTestFinished(() => socket.terminate())
  const heard: Buffer[] = []
  const code = await new Promise<number | 'in'>((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      heard.push(data)
      if (data[0] === 0) resolve('in')
    })
    socket.once('close', resolve)
    socket.once('error', reject)
  })
  return { code, heard }
}

const remember = () => {
  const lines: string[] = []
  const say = (fields: unknown, message: string): void =>
    void lines.push(JSON.stringify({ ...Object(fields), message }))
  const logger = { debug: say, info: say, warn: say, error: say, child: () => logger }
  return { lines, logger }
}

/** The token is the user's name and, after a slash, the access. */
const byName: Authorize = ({ token }) => {
  const [user = '', access = 'write'] = (token ?? '').split('/')
  return { user, access: access === 'read' ? 'read' : 'write' }
}

const enter = async (url: string, token: string, protocols: string[] = [SUBPROTOCOL]): Promise<Raw> => {
  const raw = await connectRaw(`${url}/doc?token=${token}`, protocols)
  await raw.first('syncStep1')
  return raw
}

const isSaved = (raw: Raw, messages: number): Promise<unknown> =>
  until(`${messages} are saved`, () => raw.all('ack').some(({ durable }) => durable >= messages))

describe('a reader', () => {
  it('that says an absent writer’s id is its own does not keep that writer from writing', async () => {
    const { ws } = await startServer({ authorize: byName, limits: { foreignEditsMs: 500 } })
    const eve = await enter(ws, 'eve/read')
    eve.send({ type: 'awareness', update: forgePresence({ id: 7, clock: 1, json: '{}' }) })
    await eve.first('awareness')
    const ada = await enter(ws, 'ada')
    ada.send({ type: 'awareness', update: forgePresence({ id: 7, clock: 1, json: '{}' }) })
    for (let i = 0; i < 5; i++) {
      ada.send({ type: 'update', update: forge({ client: 7, clock: i, structs: [{ text: 'x' }] }) })
    }
    await isSaved(ada, 5)
    // It is hers now: another writer can't take the clocks that her next edits will have.
    const mallory = await enter(ws, 'mallory')
    mallory.send({ type: 'update', update: forge({ client: 7, clock: 5, structs: [{ gc: 1000 }] }) })
    expect((await mallory.closed).code).toBe(1013)
    ada.send({ type: 'update', update: forge({ client: 7, clock: 5, structs: [{ text: 'y' }] }) })
    await isSaved(ada, 6)
  })
})

describe('a page of somebody else, in the browser of somebody who is signed in', () => {
  it('gets nowhere with their cookie: 4403 and not a byte of the document', async () => {
    const { ws, server } = await startServer({
      authorize: built.authorizeByJwt({ secret: SECRET }),
      authCookie: 'session',
      allowedOrigins: ['https://app.example.com'],
    })
    await server.documents.merge('doc', forge({ structs: [{ text: 'private' }] }))
    const cookie = `session=${await tokenFor({ doc: 'write' })}`
    for (const origin of [
      'https://evil.example',
      'null',
      'https://app.example.com.evil.example',
      'http://app.example.com',
      'https://app.example.com:8443',
      'file://',
    ]) {
      const { code, heard } = await comeWith(`${ws}/doc`, { origin, cookie })
      expect({ origin, code, heard }).toEqual({ origin, code: 4403, heard: [] })
    }
    expect((await comeWith(`${ws}/doc`, { origin: 'https://app.example.com', cookie })).code).toBe('in')
    // The cookie of another name is none.
    expect((await comeWith(`${ws}/doc`, { cookie: cookie.replace('session', 'session2') })).code).toBe(4401)
  })

  it('gets nowhere by a name of its own that points to this machine (DNS rebinding)', async () => {
    const rebound = { host: 'evil.example:1234', origin: 'http://evil.example:1234' }
    const open = await startServer()
    expect((await comeWith(`${open.ws}/doc`, rebound)).code).toBe(4403)
    const port = new URL(open.url).port
    const own = { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` }
    expect((await comeWith(`${open.ws}/doc`, own)).code).toBe('in')
    // Through a proxy the name is the site's own; and where tokens are asked for, nothing is to be had by a name.
    expect((await comeWith(`${open.ws}/doc`, { ...rebound, 'x-forwarded-for': '203.0.113.9' })).code).toBe(
      'in',
    )
    const asked = await startServer({ authorize: byName })
    expect((await comeWith(`${asked.ws}/doc?token=ada`, rebound)).code).toBe('in')
  })
})

describe('document patterns, as names come over the wire', () => {
  it('count after decoding, letter by letter: no other spelling opens more', async () => {
    const { ws } = await startServer({ authorize: built.authorizeByJwt({ secret: SECRET }) })
    const token = await tokenFor({
      'team/*': 'write',
      'caf\u00e9': 'write',
      'öffentlich/**': 'read',
      '': 'admin',
    })
    const cases: [path: string, code: number | 'in'][] = [
      ['team/plan', 'in'],
      ['team%2Fplan', 'in'],
      ['team/a/b', 4403],
      ['team%2Fa%2Fb', 4403],
      ['team%2f..%2fsecret', 4403],
      // The client itself has made `/` of it.
      ['team/%2E%2E', 4404],
      // Not the client, and nobody here: one segment that is called so.
      ['team%2F..', 'in'],
      ['team%5Csecret', 4403],
      ['TEAM/plan', 4403],
      ['team', 4403],
      ['team/', 'in'],
      ['%C3%A9', 4403],
      ['caf%C3%A9', 'in'],
      // The same to look at, another name.
      ['cafe%CC%81', 4403],
      ['%C3%B6ffentlich/a/b', 'in'],
      ['__proto__', 4403],
      ['%2A', 4403],
      ['%2A%2A', 4403],
      ['team/%00', 'in'],
      ['team/x%ff', 4404],
    ]
    for (const [path, code] of cases) {
      expect({ path, ...(await comeWith(`${ws}/${path}?token=${token}`, {})) }).toMatchObject({ path, code })
    }
  })
})

describe('a permission', () => {
  it('that is lowered while an update waits for somebody else’s counts for that update', async () => {
    const { ws, server } = await startServer({ authorize: byName, limits: { foreignEditsMs: 5000 } })
    const owner = await enter(ws, 'owner')
    owner.send({ type: 'awareness', update: forgePresence({ id: 5, clock: 1, json: '{}' }) })
    await owner.first('awareness')
    const eve = await enter(ws, 'eve')
    eve.send({ type: 'awareness', update: forgePresence({ id: 6, clock: 1, json: '{}' }) })
    // The first one waits: it is under the owner's id. The token is on its way before that, its answer comes later.
    eve.send({ type: 'token', token: 'eve/read' })
    eve.send({ type: 'update', update: forge({ client: 5, structs: [{ text: 'a' }] }) })
    eve.send({ type: 'update', update: forge({ client: 6, structs: [{ text: 'b' }] }) })
    await until('she reads only', () => eve.all('hello').at(-1)?.access === 'read')
    owner.socket.close()
    await until('all was dealt with', () => eve.all('ack').at(-1)?.durable === 2)
    expect(eve.all('rejection').map(({ message, code }) => [message, code])).toEqual([
      [1, 4403],
      [2, 4403],
    ])
    await expect(server.documents.read('doc')).rejects.toMatchObject({ code: 'INKWIRE_NO_DOCUMENT' })
  })

  it('ends at its moment even while the event loop is busy: nothing that arrives after it is taken', async () => {
    // The server is in this process: to keep the loop busy is to keep it busy.
    let ends = 0
    const authorize: Authorize = () => ({ user: 'ada', access: 'write', expiresAt: ends })
    ends = Date.now() + 1000
    const { ws, server } = await startServer({ authorize })
    const raw = await enter(ws, 'ada')
    raw.send({ type: 'update', update: forge({ client: 1, structs: [{ text: 'in time' }] }) })
    await isSaved(raw, 1)
    await until('it is nearly over', () => Date.now() > ends - 100)
    while (Date.now() <= ends + 100);
    raw.send({ type: 'update', update: forge({ client: 1, clock: 7, structs: [{ text: 'too late' }] }) })
    expect((await raw.closed).code).toBe(4401)
    expect((await server.documents.stats('doc'))?.seq).toBe(1)
  })

  it('a user’s connections are counted together, in all documents', async () => {
    const { ws } = await startServer({ authorize: byName, limits: { maxConnectionsPerUser: 2 } })
    for (const document of ['a', 'b']) {
      await (await connectRaw(`${ws}/${document}?token=ada`)).first('syncStep1')
    }
    expect((await (await connectRaw(`${ws}/c?token=ada/read`)).closed).code).toBe(4529)
    await (await connectRaw(`${ws}/c?token=bob`)).first('syncStep1')
  })
})

describe('a document that is full', () => {
  it('is read by unmodified clients as ever; the one that adds to it is told and stops, and may still read', async () => {
    const { ws, server } = await startServer({ limits: { maxDocumentBytes: 5000 } })
    const author = openClient('stock', ws, 'doc')
    await author.whenSynced()
    author.text.insert(0, 'x'.repeat(4000))
    const reader = openClient('stock', ws, 'doc')
    await until('it is there', () => reader.text.length === 4000)
    let connects = 0
    server.on('connect', () => connects++)
    const closed = new Promise<number>((resolve) => author.onClosed(resolve))
    author.text.insert(0, 'y'.repeat(4000))
    expect(await closed).toBe(4413)
    // The others notice nothing, go on, and may delete.
    reader.text.insert(0, 'z')
    reader.text.delete(0, 1000)
    const late = openClient('stock', ws, 'doc')
    await late.whenSynced()
    await until('it has all', () => late.text.toString() === 'x'.repeat(3001))
    expect(connects).toBe(1)
    // Who comes back with what didn't fit sees the document first.
    const again = openClient('stock', ws, 'doc', { doc: author.doc })
    const stopped = new Promise<number>((resolve) => again.onClosed(resolve))
    expect(await stopped).toBe(4413)
    expect(again.text.toString()).toContain('x'.repeat(3000))
  })
})

describe('what was shown to be let in', () => {
  it('is in no log at its most talkative, no metric, no error: good, bad, expired, revoked, opaque', async () => {
    const data = await tempDir()
    const server = await serveProcess(data, {
      args: ['--auth-jwt-secret', SECRET, '--auth-cookie', 'session', '--log-level', 'debug'],
    })
    const good = await tokenFor({ doc: 'write' })
    const tokens = {
      good,
      damaged: `${good.slice(0, -4)}AAAA`,
      expired: await tokenFor({ doc: 'write' }, 'ada', 1),
      forbidden: await tokenFor({ other: 'write' }),
      opaque: 'opaque-token-0123456789',
    }
    const said: string[] = []
    for (const token of Object.values(tokens)) {
      for (const headers of [{ authorization: `Bearer ${token}` }, { cookie: `session=${token}` }]) {
        await comeWith(`${server.ws}/doc`, headers)
      }
      const inBand = await connectRaw(`${server.ws}/doc`, [SUBPROTOCOL])
      await inBand.first('authenticate')
      inBand.send({ type: 'token', token })
      await Promise.race([inBand.closed, inBand.first('hello')])
      const raw = await connectRaw(`${server.ws}/doc?x=1&token=${token}`)
      await Promise.race([raw.closed, raw.first('syncStep1')])
      // Things that go wrong after it.
      raw.sendBytes('text')
      said.push((await raw.closed).reason, JSON.stringify(raw.heard))
      said.push(await (await fetch(`${server.url}/doc?token=${token}`)).text())
      await comeWith(`${server.ws}/%ff?token=${token}`, {})
    }
    const revoke = runInkwire(['revoke', 'ada', '--data', data])
    await revoke.exited
    await comeWith(`${server.ws}/doc?token=${good}`, {})
    for (const path of ['/metrics', '/readyz', '/healthz'])
      said.push(await (await fetch(server.url + path)).text())
    server.child.kill('SIGTERM')
    await server.exited
    const all = [server.stderr(), server.stdout(), ...said, revoke.stdout(), revoke.stderr()].join('\n')
    expect(all).toContain('connection closed by us')
    expect(all).not.toContain(SECRET)
    for (const token of Object.values(tokens)) expect(all).not.toContain(token.slice(-12))
    // Nor in what lies in the folder.
    expect(await readFile(join(data, 'revoked.json'), 'utf8')).not.toContain(good.slice(-12))
  })

  it('is not in the log either when the service that is asked repeats it in its error; which is said a few times only', async () => {
    const { lines, logger } = remember()
    const authorize: Authorize = ({ token, headers }) => {
      throw Object.assign(new Error(`no session for ${token}`), { request: headers, token })
    }
    const { ws } = await startServer({ authorize, logger })
    for (let i = 0; i < 60; i++) {
      const raw = await connectRaw(`${ws}/doc?token=opaque-token-${i}-end`)
      expect((await raw.closed).code).toBe(1013)
    }
    const failed = lines.filter((line) => line.includes('authorization failed'))
    expect(failed[0]).toContain('no session for [redacted]')
    expect(failed.length).toBeLessThan(30)
    expect(lines.join('\n')).not.toContain('opaque-token')
  })

  it('X-Forwarded-For of a proxy that nobody told of is warned of, once', async () => {
    const { lines, logger } = remember()
    const { ws } = await startServer({ logger })
    for (let i = 0; i < 3; i++) await comeWith(`${ws}/doc`, { 'x-forwarded-for': '203.0.113.9' })
    expect(lines.filter((line) => line.includes('trusted-proxy'))).toHaveLength(1)
    const told = await startServer({ logger, trustedProxies: ['127.0.0.1'] })
    for (const hops of ['203.0.113.9', '1.2.3.4, 203.0.113.9:4711', '[2001:db8::7]:443'])
      expect((await comeWith(`${told.ws}/doc`, { 'x-forwarded-for': hops })).code).toBe('in')
    expect(lines.filter((line) => line.includes('trusted-proxy'))).toHaveLength(1)
  })
})

describe('the list of revoked users', () => {
  it('that can not be understood keeps the server from starting: it would let the revoked in', async () => {
    const data = await tempDir()
    const first = await startServer({ data })
    await first.server.revoke('eve')
    await first.server.close()
    const file = join(data, 'revoked.json')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.slice(0, -3))
    const server = runInkwire(['serve', '--port', '0', '--data', data])
    expect(await server.exited).toBe(1)
    expect(server.stderr()).toMatch(/revoked\.json can't be understood \(INKWIRE_STORE_FORMAT\)\n$/)
    // What a crash leaves beside it does no harm.
    await writeFile(file, text)
    await writeFile(`${file}.new`, text.slice(0, 10))
    const again = await startServer({ data })
    expect((await again.server.revoked()).map(({ user }) => user)).toEqual(['eve'])
  })

  it('is whole after many changes at once', async () => {
    const { server, data } = await startServer()
    const users = Array.from({ length: 50 }, (_, i) => `user ${i}`)
    await Promise.all([...users.map((user) => server.revoke(user)), server.unrevoke('user 7')])
    await server.close()
    const again = await startServer({ data })
    const revoked = (await again.server.revoked()).map(({ user }) => user)
    expect(revoked.sort()).toEqual(users.filter((user) => user !== 'user 7').sort())
  })
})
