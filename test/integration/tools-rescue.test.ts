import { chmod, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connectControl } from '../../server/control/client.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { openClient } from '../support/clients.js'
import { forge } from '../support/forge.js'
import { runInkwire, serveProcess } from '../support/inkwire.js'
import { connectRaw, type Raw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/**
 * What an operator does when a token leaked or a document was spoiled, from outside: real processes, a running server
 * or none.
 */

const SECRET = 'thirty-two bytes of secret, or a few more'

const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

const tokenOf = async (user: string): Promise<string> => {
  const minted = runInkwire(['token', '**=write', '--sub', user], { INKWIRE_AUTH_JWT_SECRET: SECRET })
  expect(await minted.exited).toBe(0)
  return minted.stdout().trim()
}

const serve = (data: string) => serveProcess(data, { args: ['--auth-jwt-secret', SECRET] })

const enter = async (url: string, token = '', protocols: string[] = [SUBPROTOCOL]): Promise<Raw> => {
  const raw = await connectRaw(`${url}?token=${token}`, protocols)
  await raw.first('syncStep1')
  return raw
}

const closeCode = async (url: string, token: string): Promise<number | 'in'> => {
  const raw = await connectRaw(`${url}?token=${token}`)
  return Promise.race([raw.closed.then(({ code }) => code), raw.first('syncStep1').then(() => 'in' as const)])
}

const write = async (raw: Raw, update: Uint8Array): Promise<void> => {
  const before = raw.all('ack').at(-1)?.durable ?? 0
  raw.send({ type: 'update', update })
  await until('it is saved', () => raw.all('ack').some(({ durable }) => durable > before))
}

/** A moment between what came before and what comes after, as `--before` takes it. */
const moment = async (): Promise<string> => {
  const start = Date.now()
  await until('a millisecond has passed', () => Date.now() > start + 1)
  const now = Date.now()
  await until('another has', () => Date.now() > now + 1)
  return new Date(now).toISOString()
}

const textOf = async (name: string, data: string): Promise<string> =>
  (await run('export', name, '--format', 'text', '--data', data)).out

describe('a token leaked: inkwire revoke', () => {
  it('closes the user’s connections within a second, in all documents, and nobody else’s; also over restarts', async () => {
    const data = await tempDir()
    const server = await serve(data)
    const [eve, ada] = [await tokenOf('eve'), await tokenOf('ada')]
    const eves = [
      await enter(`${server.ws}/one`, eve),
      await enter(`${server.ws}/two`, eve),
      await enter(`${server.ws}/two`, eve, []),
    ]
    const other = await enter(`${server.ws}/two`, ada)
    const process = runInkwire(['revoke', 'eve', '--data', data])
    const codes = Promise.all(eves.map(async ({ closed }) => (await closed).code))
    // The command ends when it is on disk; until then a second at most has passed since it was asked for.
    expect(await process.exited).toBe(0)
    const told = performance.now()
    expect(await codes).toEqual([4403, 4403, 4403])
    expect(performance.now() - told).toBeLessThan(1000)
    expect(process.stdout()).toBe('revoked "eve": 3 connections closed, tokens of up to now are refused\n')
    expect(await closeCode(`${server.ws}/one`, eve)).toBe(4403)
    expect(other.socket.readyState).toBe(1)
    expect(server.stderr()).toContain('by the operator: revoked')
    expect(server.stderr()).not.toContain(eve.slice(-20))

    server.child.kill('SIGKILL')
    await server.exited
    const again = await serve(data)
    expect(await closeCode(`${again.ws}/one`, eve)).toBe(4403)
    expect(await closeCode(`${again.ws}/one`, ada)).toBe('in')
    expect((await run('revoked', '--data', data)).out).toMatch(
      /^SINCE +USER\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}eve\n$/,
    )
    expect(await run('unrevoke', 'eve', '--data', data)).toEqual({
      code: 0,
      out: '"eve" is no longer revoked\n',
      err: '',
    })
    expect(await closeCode(`${again.ws}/one`, eve)).toBe('in')
  })

  it('works without a server: the next one refuses the user', async () => {
    const data = await tempDir()
    const first = await serve(data)
    first.child.kill('SIGTERM')
    expect(await first.exited).toBe(0)
    expect(await run('revoked', '--data', data)).toEqual({ code: 0, out: 'nobody is revoked\n', err: '' })
    const eve = await tokenOf('eve')
    expect((await run('revoke', 'eve', '--data', data)).out).toBe(
      'revoked "eve": no server is running, tokens of up to now are refused\n',
    )
    await run('revoke', '__proto__', '--data', data)
    const { out } = await run('revoked', '--json', '--data', data)
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { user: 'eve', since: expect.any(Number) },
      { user: '__proto__', since: expect.any(Number) },
    ])
    const server = await serve(data)
    expect(await closeCode(`${server.ws}/doc`, eve)).toBe(4403)
    server.child.kill('SIGTERM')
    await server.exited
    expect((await run('unrevoke', 'eve', '--data', data)).out).toBe('"eve" is no longer revoked\n')
    expect((await run('unrevoke', 'eve', '--data', data)).out).toBe('"eve" was not revoked\n')
  })

  it('refuses to write beside a server that does not answer, and into a folder that is none', async () => {
    const data = await tempDir()
    await serve(data)
    // As if its control socket could not be made.
    await writeFile(join(data, 'control.path'), join(data, 'nowhere'))
    expect(await run('revoke', 'eve', '--data', data)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/in use by another .*INKWIRE_STORE_LOCKED\)\n$/),
    })
    const typo = join(data, 'typo')
    expect(await run('revoke', 'eve', '--data', typo)).toEqual({
      code: 1,
      out: '',
      err: `inkwire: there is no data folder ${typo} (INKWIRE_NO_DOCUMENT)\n`,
    })
    await expect(readFile(join(data, 'revoked.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.skipIf(process.getuid?.() !== 0)('names what another user of the machine may not open', async () => {
    const data = await tempDir()
    await serve(data)
    await chmod(data, 0o755)
    // The command itself may lie where that user can't read it.
    process.seteuid?.(65_534)
    const asked = connectControl(data)
    await expect(asked.finally(() => process.seteuid?.(0))).rejects.toThrow(
      /control\.sock: it is of a server that another user runs, .*\(EACCES\)$/,
    )
  })

  it('a user without a name is nobody to revoke', async () => {
    const data = await tempDir()
    const server = await serve(data)
    for (const stop of [false, true]) {
      if (stop) {
        server.child.kill('SIGTERM')
        await server.exited
      }
      expect(await run('revoke', '', '--data', data)).toMatchObject({
        code: 2,
        err: expect.stringContaining('INKWIRE_BAD_OPTION'),
      })
    }
  })

  it('is a call of the control socket, too: POST /revocation', async () => {
    const data = await tempDir()
    const server = await serve(data)
    const eve = await tokenOf('eve')
    const raw = await enter(`${server.ws}/doc`, eve)
    const answer = await new Promise<string>((resolve, reject) => {
      const options = {
        socketPath: join(data, 'control.sock'),
        path: '/revocation?user=eve',
        method: 'POST',
      }
      request(options, async (response) => {
        let text = ''
        for await (const chunk of response) text += String(chunk)
        resolve(text)
      })
        .on('error', reject)
        .end()
    })
    expect(JSON.parse(answer)).toEqual({ closed: 1 })
    expect((await raw.closed).code).toBe(4403)
  })
})

describe('a document was spoiled: inkwire rollback', () => {
  it('puts it right, and no other one is touched; clients get 4409, also unmodified ones', async () => {
    const data = await tempDir()
    const server = await serve(data)
    const [ada, eve] = [await tokenOf('ada'), await tokenOf('eve')]
    const [good, vandal] = [await enter(`${server.ws}/doc`, ada), await enter(`${server.ws}/doc`, eve)]
    const other = await enter(`${server.ws}/other`, ada)
    for (const each of [good, other]) {
      await write(each, forge({ client: 1, structs: [{ text: 'as it was' }] }))
    }
    const before = await moment()
    await write(vandal, forge({ deletes: [[1, 0, 9]] }))
    await write(vandal, forge({ client: 2, structs: [{ text: 'spoiled' }] }))
    await write(good, forge({ client: 1, clock: 9, structs: [{ text: '?' }] }))
    const stock = openClient('stock', server.ws, `doc?token=${ada}`)
    await stock.whenSynced()
    const stockClosed = new Promise<number>((resolve) => stock.onClosed(resolve))

    const would = await run('rollback', 'doc', '--before', before, '--dry-run', '--data', data)
    const table = [
      ` *UPDATES +SIZE +FIRST +LAST +AUTHOR`,
      ` *2 +\\d+ B +\\S+ \\S+Z +\\S+ \\S+Z +eve`,
      ` *1 +\\d+ B +\\S+ \\S+Z +\\S+ \\S+Z +ada\n`,
    ].join('\n')
    expect(would).toMatchObject({ code: 0, err: '' })
    expect(would.out).toMatch(
      new RegExp(`^"doc" back to before ${before} would lose 3 updates; nothing was done\n${table}$`),
    )
    expect(await textOf('doc', data)).toContain('spoiled')
    expect(good.socket.readyState).toBe(1)

    const did = await run('rollback', 'doc', '--before', before, '--data', data)
    expect(did).toMatchObject({ code: 0, err: '' })
    expect(did.out).toMatch(
      new RegExp(
        `^put "doc" back to before ${before}, now of generation [0-9a-f]{8}: 3 updates lost\n${table}$`,
      ),
    )
    expect((await good.closed).code).toBe(4409)
    expect((await vandal.closed).code).toBe(4409)
    expect(await stockClosed).toBe(4409)
    expect(await textOf('doc', data)).toBe('as it was')
    expect(other.socket.readyState).toBe(1)
    expect(await textOf('other', data)).toBe('as it was')
    expect(server.stderr()).toContain(`by the operator: rolled back to before ${before}`)
    // Again: there is nothing more to be done, and nobody is disconnected.
    const back = await enter(`${server.ws}/doc`, ada)
    const again = await run('rollback', 'doc', '--before', before, '--data', data)
    expect(again).toEqual({
      code: 0,
      out: `nothing came to "doc" since ${before}: nothing was done\n`,
      err: '',
    })
    await write(back, forge({ client: 9, structs: [{ text: '!' }] }))
  })

  it('works without a server, as far as updates are kept one by one, and further if it was not far enough', async () => {
    const data = await tempDir()
    const server = await serve(data)
    const raw = await enter(`${server.ws}/doc`, await tokenOf('ada'))
    const moments: string[] = []
    for (let i = 0; i < 3; i++) {
      moments.push(await moment())
      await write(raw, forge({ client: 1, clock: i, structs: [{ text: 'a' }] }))
    }
    server.child.kill('SIGKILL')
    await server.exited
    const [start = '', afterA = '', afterB = ''] = moments
    expect((await run('rollback', 'doc', '--before', afterB, '--data', data)).out).toContain('1 update lost')
    expect(await textOf('doc', data)).toBe('aa')
    expect((await run('rollback', 'doc', '--before', afterA, '--data', data)).out).toContain('1 update lost')
    expect(await textOf('doc', data)).toBe('a')
    expect((await run('rollback', 'doc', '--before', start, '--data', data)).out).toContain('1 update lost')
    expect((await run('export', 'doc', '--data', data)).code).toBe(0)
    expect(await textOf('doc', data)).toBe('')
    expect((await run('verify', '--data', data)).out).toBe('1 document: nothing is wrong\n')
  })

  it('--revoke: a program that spoils it again and again doesn’t get in between', async () => {
    const data = await tempDir()
    const server = await serve(data)
    const [ada, eve] = [await tokenOf('ada'), await tokenOf('eve')]
    const good = await enter(`${server.ws}/doc`, ada)
    await write(good, forge({ client: 1, structs: [{ text: 'as it was' }] }))
    const before = await moment()
    let [client, refused] = [100, 0]
    let going = true
    const vandalise = async (): Promise<void> => {
      while (going) {
        const raw = await connectRaw(`${server.ws}/doc?token=${eve}`)
        // Large ones: when the last one leaves, the document is compacted.
        raw.send({
          type: 'update',
          update: forge({ client: client++, structs: [{ text: 'x'.repeat(5000) }] }),
        })
        const { code } = await raw.closed
        if (code === 4403) refused++
      }
    }
    const vandal = vandalise()
    await until('it is spoiled', () => good.all('update').length > 0)
    const would = await run(
      'rollback',
      'doc',
      '--before',
      before,
      '--revoke',
      'eve',
      '--dry-run',
      '--data',
      data,
    )
    expect(would).toMatchObject({ code: 0, out: expect.not.stringContaining('revoked') })
    const did = await run('rollback', 'doc', '--before', before, '--revoke', 'eve', '--data', data)
    expect(did).toMatchObject({ code: 0, out: expect.stringMatching(/lost\n[\s\S]* eve\nrevoked "eve"\n$/) })
    await until('the program is refused', () => refused > 2)
    going = false
    await vandal
    expect(await textOf('doc', data)).toBe('as it was')
    server.child.kill('SIGTERM')
    await server.exited
    // Also without a server, and though there is nothing to be put back any more.
    const offline = await run('rollback', 'doc', '--before', before, '--revoke', 'mallory', '--data', data)
    expect(offline.out).toMatch(/nothing was done\nrevoked "mallory"\n$/)
    expect((await run('revoked', '--data', data)).out).toMatch(/eve\n.*mallory\n$/)
  })

  it('says so when the moment is out of reach, unclear or still to come', async () => {
    const data = await tempDir()
    const server = await serve(data)
    const raw = await enter(`${server.ws}/doc`, await tokenOf('ada'))
    await write(raw, forge({ client: 1, structs: [{ text: 'x'.repeat(20_000) }] }))
    raw.socket.close()
    // Nobody is left: the document is compacted.
    await until('it is compacted', async () => {
      const { out } = await run('stats', 'doc', '--json', '--data', data)
      return (JSON.parse(out) as { tailUpdates: number }).tailUpdates === 0
    })
    expect(await run('rollback', 'doc', '--before', '1h', '--data', data)).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^inkwire: "doc" can't be put back to before \S+Z: none of its updates are kept .*\(INKWIRE_NO_HISTORY\)\n$/,
      ),
    })
    expect(await run('rollback', 'nobody', '--before', '1h', '--data', data)).toMatchObject({
      code: 1,
      err: 'inkwire: there is no document "nobody" (INKWIRE_NO_DOCUMENT)\n',
    })
    for (const [before, line] of [
      ['yesterday', /--before must be like 10m or .*, not "yesterday"/],
      ['2026-11-21T10:30:00', /with its zone/],
      ['2999-01-01T00:00:00Z', /is still to come/],
    ] as const) {
      const { code, err } = await run('rollback', 'doc', '--before', before, '--data', data)
      expect(code).toBe(2)
      expect(err).toMatch(line)
      expect(err.trim().split('\n')).toHaveLength(1)
    }
    expect((await run('rollback', 'doc', '--data', data)).code).toBe(2)
  })

  it('holds against an author who goes on typing: what came after the moment is gone, what comes to the new one stays', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    const ours = openClient('ours', server.ws, 'doc')
    await ours.whenSynced()
    ours.text.insert(0, 'kept')
    await ours.ours?.whenSaved({ timeout: 10_000 })
    const before = await moment()
    const typing = setInterval(() => ours.text.insert(0, 'x'), 2)
    const closed = new Promise<number>((resolve) => ours.onClosed(resolve))
    await until('something came', () => ours.text.length > 50)
    const { code } = await run('rollback', 'doc', '--before', before, '--data', data)
    clearInterval(typing)
    expect(code).toBe(0)
    expect(await closed).toBe(4409)
    const fresh = openClient('stock', server.ws, 'doc')
    await fresh.whenSynced()
    expect(fresh.text.toString()).toBe('kept')
  })
})
