import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { parseKey } from '../../server/journal/keys.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { built, runInkwire, serveProcess } from '../support/inkwire.js'
import { flipBit } from '../support/journal-damage.js'
import { connectRaw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

/** Three documents of five edits each, every one in a record of its own; and the generations they are at. */
const filled = async (): Promise<{ data: string; generations: Map<string, string> }> => {
  const data = await tempDir()
  const server = built.createServer({ port: 0, data })
  const generations = new Map<string, string>()
  for (const name of ['a', 'b', 'c']) {
    const doc = new Y.Doc()
    for (let i = 1; i <= 5; i++) {
      const before = Y.encodeStateVector(doc)
      doc.getText('text').insert(doc.getText('text').length, String(i))
      await server.documents.merge(name, Y.encodeStateAsUpdate(doc, before))
    }
    generations.set(name, (await server.documents.stats(name))?.generation ?? '')
  }
  await server.close()
  return { data, generations }
}

/** Changes a document's record of one update in the store itself; `null` removes it. */
const damage = async (
  data: string,
  generation: string | undefined,
  seq: number,
  change: (value: Uint8Array) => Uint8Array | null,
): Promise<void> => {
  const db = new Level<Uint8Array, Uint8Array>(join(data, 'journal'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  for await (const [key, value] of db.iterator()) {
    const parsed = parseKey(key)
    if (parsed.kind !== 'run' || parsed.generation !== generation || parsed.seq !== seq) continue
    const changed = change(value)
    if (changed) await db.put(key, changed)
    else await db.del(key)
  }
  await db.close()
}

/** Takes a document out of the store, as damage to its files can: nothing of it is left but in the witness. */
const lose = async (data: string, name: string, generation: string | undefined): Promise<void> => {
  const db = new Level<Uint8Array, Uint8Array>(join(data, 'journal'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  for await (const key of db.keys()) {
    const parsed = parseKey(key)
    const records = parsed.kind === 'run' || parsed.kind === 'snapshot'
    if (records && parsed.generation === generation) await db.del(key)
    if (parsed.kind === 'catalog' && Buffer.from(parsed.name).toString() === name) await db.del(key)
  }
  await db.close()
}

const flipped = (value: Uint8Array): Uint8Array => flipBit(value, value.length * 4)

describe('inkwire verify', () => {
  it('of a whole store says so, with a server and without', async () => {
    const { data } = await filled()
    const sound = { code: 0, out: '3 documents: nothing is wrong\n', err: '' }
    expect(await run('verify', '--data', data)).toEqual(sound)
    expect(await run('verify', '--json', '--data', data)).toEqual({ ...sound, out: '' })
    await serveProcess(data)
    expect(await run('verify', '--data', data)).toEqual(sound)
  })

  it.each(['running', 'stopped'])('names what is wrong with which document, the server %s', async (how) => {
    const { data, generations } = await filled()
    await damage(data, generations.get('a'), 3, flipped)
    await damage(data, generations.get('b'), 5, () => null)
    if (how === 'running') await serveProcess(data)
    const { code, out, err } = await run('verify', '--data', data)
    expect({ code, err }).toEqual({ code: 1, err: '' })
    const short = (name: string): string | undefined => generations.get(name)?.slice(0, 8)
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['DOCUMENT', 'GENERATION', 'PROBLEM'],
      ['a', short('a'), 'run 3: checksum does not match'],
      ['a', short('a'), 'update 3 is missing'],
      ['b', short('b'), 'update 5 is missing'],
      ['3 problems in a store of 3 documents'],
      [''],
    ])
    const json = await run('verify', '--json', '--data', data)
    expect(
      json.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))[2],
    ).toEqual({
      document: 'b',
      generation: generations.get('b'),
      problem: 'update 5 is missing',
    })
  })

  it('names a damaged file', async () => {
    const { data } = await filled()
    // Closing the store has put it into a table.
    const [file = ''] = (await readdir(join(data, 'journal'))).filter((name) => name.endsWith('.ldb'))
    const path = join(data, 'journal', file)
    await writeFile(path, flipBit(await readFile(path), 999))
    const { code, out } = await run('verify', '--data', data)
    expect(code).toBe(1)
    expect(out).toContain(`table journal/${file}: `)
  })

  it('of nothing is one line', async () => {
    expect(await run('verify', '--data', join(await tempDir(), 'x'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^inkwire: there is no data folder .*INKWIRE_NO_DOCUMENT\)\n$/),
    })
  })
})

describe('inkwire backup of a store that has lost documents', () => {
  it.each(['running', 'stopped'])(
    'saves all others, says how many, and fails; the server %s',
    async (how) => {
      const { data, generations } = await filled()
      const target = join(await tempDir(), 'backup')
      await lose(data, 'b', generations.get('b'))
      if (how === 'running') await serveProcess(data)
      expect(await run('backup', target, '--data', data)).toEqual({
        code: 1,
        out: expect.stringMatching(/^2 documents backed up: 2 written \(.*\), 0 unchanged\n$/),
        err:
          'inkwire: 1 document that nobody deleted is missing from the store, and so from what is new in the ' +
          'backup: run `inkwire verify`\n',
      })
      expect((await run('verify', '--data', data)).code).toBe(1)
      const other = join(await tempDir(), 'restored')
      expect(await run('restore', target, '--data', other)).toMatchObject({ code: 0 })
      expect((await run('list', '--data', other)).out).toBe('a\nc\n')
      expect((await run('export', 'c', '--format', 'text', '--data', other)).out).toBe('12345')
    },
  )

  it('does not take a deleted document for a lost one', async () => {
    const { data } = await filled()
    const target = join(await tempDir(), 'backup')
    await run('backup', target, '--data', data)
    await run('delete', 'b', '--data', data)
    expect(await run('backup', target, '--data', data)).toEqual({
      code: 0,
      out: '2 documents backed up: 0 written (0 B), 2 unchanged, 1 removed\n',
      err: '',
    })
  })
})

it('a server that starts on a store that has lost documents logs how many, once, and nothing when none is', async () => {
  const { data, generations } = await filled()
  const said = (text: string): string[] =>
    text.split('\n').filter((line) => line.includes('missing from the store'))
  const sound = await serveProcess(data)
  sound.child.kill('SIGTERM')
  await sound.exited
  expect(said(sound.stderr())).toEqual([])
  for (const name of ['a', 'c']) await lose(data, name, generations.get(name))
  const server = await serveProcess(data)
  await until('it is said', () => said(server.stderr()).length > 0)
  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
  const lines = said(server.stderr())
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'error',
    documents: 2,
    msg: 'documents that nobody deleted are missing from the store: run `inkwire verify`',
  })
})

describe('inkwire repair', () => {
  it('saves what can be saved, says what was lost, and leaves nothing wrong', async () => {
    const { data, generations } = await filled()
    await damage(data, generations.get('a'), 3, flipped)
    await damage(data, generations.get('b'), 5, () => null)
    const { code, out, err } = await run('repair', '--data', data)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^repaired "a", now of generation [0-9a-f]{8}: 2 updates kept$/),
      '  run 3: checksum does not match',
      '  update 3 is missing',
      '  2 readable updates left out, which need what is lost',
      expect.stringMatching(/^repaired "b", now of generation [0-9a-f]{8}: 4 updates kept$/),
      '  update 5 is missing',
      '',
    ])
    expect(await run('verify', '--data', data)).toMatchObject({ code: 0 })
    expect((await run('export', 'a', '--format', 'text', '--data', data)).out).toBe('12')
    expect((await run('export', 'b', '--format', 'text', '--data', data)).out).toBe('1234')
    expect((await run('export', 'c', '--format', 'text', '--data', data)).out).toBe('12345')
    expect(await run('repair', '--data', data)).toEqual({ code: 0, out: 'no document is damaged\n', err: '' })

    // A client that has the old history is told, and the document can be worked on again.
    const server = await serveProcess(data)
    const old = await connectRaw(`${server.ws}/a`, [SUBPROTOCOL])
    old.send({ type: 'join', generation: generations.get('a') ?? '', seq: 0 })
    expect((await old.closed).code).toBe(4409)
    const now = await connectRaw(`${server.ws}/a`, [SUBPROTOCOL])
    expect(await now.first('hello')).toMatchObject({ seq: 2 })
  })

  it('says of a lost document that it can’t be repaired, and not that none is damaged; by its name it is given up', async () => {
    const { data, generations } = await filled()
    await lose(data, 'b', generations.get('b'))
    const lost = {
      code: 1,
      out: '',
      err:
        "inkwire: can't be repaired: a document of 5 updates that was seen is not in the catalog; its name can't " +
        'be told\n',
    }
    expect(await run('repair', '--data', data)).toEqual(lost)
    // Beside one that can be.
    await damage(data, generations.get('a'), 5, () => null)
    expect(await run('repair', '--data', data)).toEqual({
      ...lost,
      out: expect.stringMatching(/^repaired "a", .*\n {2}update 5 is missing\n$/),
    })
    expect(await run('repair', 'b', '--data', data)).toEqual({
      code: 0,
      out:
        'nothing of "b" can be saved: it is no document any more\n' +
        '  document "b" is damaged: it is not in the catalog, but had 5 updates\n',
      err: '',
    })
    expect(await run('repair', '--data', data)).toEqual({ code: 0, out: 'no document is damaged\n', err: '' })
    expect(await run('verify', '--data', data)).toMatchObject({ code: 0 })
  })

  it('of named documents only', async () => {
    const { data, generations } = await filled()
    await damage(data, generations.get('a'), 3, flipped)
    await damage(data, generations.get('b'), 5, () => null)
    const { code, out, err } = await run('repair', 'b', 'c', 'd', '--data', data)
    expect({ code, err }).toEqual({
      code: 1,
      err: 'inkwire: there is no document "d" (INKWIRE_NO_DOCUMENT)\n',
    })
    expect(out).toMatch(/^repaired "b", .*\n {2}update 5 is missing\nnothing is wrong with "c"\n$/)
    expect((await run('verify', '--data', data)).out).toMatch(/\n2 problems in a store of 3 documents\n$/)
  })

  it('is not done under a running server', async () => {
    const { data } = await filled()
    await serveProcess(data)
    expect(await run('repair', '--data', data)).toEqual({
      code: 1,
      out: '',
      err: `inkwire: a server is running on ${data}: stop it for a repair (INKWIRE_STORE_LOCKED)\n`,
    })
  })

  it('leaves other commands working meanwhile, and a backup its earlier copy', async () => {
    const { data, generations } = await filled()
    const target = join(await tempDir(), 'backup')
    await run('backup', target, '--data', data)
    await damage(data, generations.get('a'), 3, flipped)
    const again = await run('backup', target, '--data', data)
    expect(again).toMatchObject({ code: 1, out: '3 documents backed up: 0 written (0 B), 3 unchanged\n' })
    expect(again.err).toMatch(/^inkwire: document "a" is damaged: .*; the backup keeps its earlier copy\n$/)
    const stats = await run('stats', '--data', data)
    expect(stats.code).toBe(1)
    expect(stats.out).toMatch(/^damaged .* a$/m)
    // The backup puts it right as well.
    expect(await run('restore', target, 'a', '--data', data)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^inkwire: "a" is from an earlier backup than the others/),
    })
    expect((await run('export', 'a', '--format', 'text', '--data', data)).out).toBe('12345')
    expect(await run('verify', '--data', data)).toMatchObject({ code: 0 })
  })
})
