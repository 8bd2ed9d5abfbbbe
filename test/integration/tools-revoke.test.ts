/** What an operator does when a token leaked, from outside: real processes, a running server or none. */
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connectControl } from '../../server/control/client.js'
import { runInkwire } from '../support/inkwire.js'
import { closeCode, enter, run, serve, tokenOf } from '../support/rescue.js'
import { tempDir } from '../support/temp.js'

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
