import { describe, expect, it } from 'vitest'
import { openClient } from '../support/clients.js'
import { forge } from '../support/forge.js'
import { serveProcess } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { enter, moment, run, serve, textOf, tokenOf, write } from '../support/rescue.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

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
