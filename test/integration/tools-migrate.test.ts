import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LeveldbPersistence } from 'y-leveldb'
import * as Y from 'yjs'
import { runInkwire, serveProcess } from '../support/inkwire.js'
import { contents, randomSession } from '../support/random-edits.js'
import { tempDir } from '../support/temp.js'

const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

/** Writes into a store as y-websocket's server does. */
const withYLevelDb = async (
  folder: string,
  use: (store: LeveldbPersistence) => Promise<void>,
): Promise<void> => {
  const store = new LeveldbPersistence(folder)
  await use(store)
  await store.destroy()
}

const textDoc = (text: string): Y.Doc => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return doc
}

/** What a folder holds, and when it was last changed. */
const fingerprint = async (folder: string): Promise<string[]> => {
  const files = (await readdir(folder)).sort()
  const lines = files.map(async (file) => {
    const { size, mtimeMs, ctimeMs, ino } = await stat(join(folder, file))
    const hash = createHash('sha256')
      .update(await readFile(join(folder, file)))
      .digest('hex')
    return [file, size, mtimeMs, ctimeMs, ino, hash].join(' ')
  })
  return Promise.all(lines)
}

/** A document as the built command exports it. */
const exported = async (data: string, name: string, folder: string): Promise<Y.Doc> => {
  const file = join(folder, 'exported.yjs')
  expect(await run('export', name, '--data', data, '--output', file)).toMatchObject({ code: 0 })
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await readFile(file))
  return doc
}

describe('inkwire migrate y-leveldb', () => {
  it('takes over every document of a real store, which stays as it is; twice is once', async () => {
    const folder = await tempDir()
    const from = join(folder, 'y-leveldb')
    const data = join(folder, 'data')
    const sessions = new Map(
      [1, 2, 3].map((seed) => [`session-${seed}`, randomSession(seed, { edits: 300 })]),
    )
    await withYLevelDb(from, async (store) => {
      for (const [name, { updates }] of sessions) {
        for (const update of updates) await store.storeUpdate(name, update)
      }
      // Loaded by a client: beyond 500 updates, that merges them.
      await store.getYDoc('session-1')
      await store.flushDocument('session-2')
      // Names as they come in a request's path.
      await store.storeUpdate('caf%C3%A9%2Fa%20b', Y.encodeStateAsUpdate(textDoc('named')))
      await store.storeUpdate('100%', Y.encodeStateAsUpdate(textDoc('percent')))
      await store.storeUpdate(`long-${'n'.repeat(200)}`, Y.encodeStateAsUpdate(textDoc('long')))
      await store.setMeta('session-3', 'owner', { id: 7 })
      // Opened, never written.
      await store.getStateVector('empty')
      await store.storeUpdate('deleted', Y.encodeStateAsUpdate(textDoc('deleted')))
      await store.clearDocument('deleted')
    })
    const before = await fingerprint(from)

    const first = await run('migrate', 'y-leveldb', '--from', from, '--data', data)
    expect(first).toEqual({
      code: 0,
      out: '6 documents migrated and compared, 1 was empty\n',
      err: 'inkwire: 1 document had metadata in that store; there is no place for it here\n',
    })
    expect(await fingerprint(from)).toEqual(before)
    expect((await readdir(data)).filter((file) => file.startsWith('migrate'))).toEqual([])

    expect((await run('list', '--data', data)).out.split('\n')).toEqual([
      '100%',
      'café/a b',
      `long-${'n'.repeat(200)}`,
      'session-1',
      'session-2',
      'session-3',
      '',
    ])
    for (const [name, { docs }] of sessions) {
      expect(contents(await exported(data, name, folder))).toEqual(contents(docs[0] ?? new Y.Doc()))
    }
    expect((await exported(data, 'café/a b', folder)).getText('text').toString()).toBe('named')

    expect(await run('migrate', 'y-leveldb', '--from', from, '--data', data)).toMatchObject({
      code: 0,
      out: '0 documents migrated and compared, 6 were here already, 1 was empty\n',
    })
    expect(await fingerprint(from)).toEqual(before)
  })

  it('takes over a store whose server was killed, and what it wrote since', async () => {
    const folder = await tempDir()
    const from = join(folder, 'y-leveldb')
    const data = join(folder, 'data')
    const doc = textDoc('one')
    // Not closed: what is in its log is all there is, as after a kill.
    const store = new LeveldbPersistence(from)
    await store.storeUpdate('doc', Y.encodeStateAsUpdate(doc))
    expect(await run('migrate', 'y-leveldb', '--from', from, '--data', data)).toMatchObject({ code: 0 })
    const since = Y.encodeStateVector(doc)
    doc.getText('text').insert(3, ' two')
    await store.storeUpdate('doc', Y.encodeStateAsUpdate(doc, since))
    await store.destroy()
    expect((await run('migrate', 'y-leveldb', '--from', from, '--data', data)).out).toBe(
      '1 document migrated and compared\n',
    )
    expect((await run('export', 'doc', '--format', 'text', '--data', data)).out).toBe('one two')
  })

  it('goes through a running server', async () => {
    const folder = await tempDir()
    const from = join(folder, 'y-leveldb')
    const data = join(folder, 'data')
    await withYLevelDb(from, async (store) => {
      for (let i = 0; i < 30; i++)
        await store.storeUpdate(`doc ${i}`, Y.encodeStateAsUpdate(textDoc(`text ${i}`)))
    })
    const server = await serveProcess(data)
    expect(await run('migrate', 'y-leveldb', '--from', from, '--data', data)).toEqual({
      code: 0,
      out: '30 documents migrated and compared\n',
      err: '',
    })
    expect((await run('export', 'doc 7', '--format', 'text', '--data', data)).out).toBe('text 7')
    server.child.kill('SIGKILL')
    await server.exited
    expect((await run('export', 'doc 8', '--format', 'text', '--data', data)).out).toBe('text 8')
    expect((await run('migrate', 'y-leveldb', '--from', from, '--data', data)).out).toBe(
      '0 documents migrated and compared, 30 were here already\n',
    )
  })

  it('goes on after it was killed', async () => {
    const folder = await tempDir()
    const from = join(folder, 'y-leveldb')
    const data = join(folder, 'data')
    await withYLevelDb(from, async (store) => {
      for (let i = 0; i < 200; i++)
        await store.storeUpdate(`doc ${i}`, Y.encodeStateAsUpdate(textDoc(`text ${i}`)))
    })
    const killed = runInkwire(['migrate', 'y-leveldb', '--from', from, '--data', data])
    // Somewhere in the middle of it, if the store has been created by then; at its beginning otherwise.
    const deadline = performance.now() + 10_000
    while (performance.now() < deadline && killed.child.exitCode === null) {
      if ((await readdir(join(data, 'journal')).catch(() => [])).length > 0) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    killed.child.kill('SIGKILL')
    await killed.exited
    const { code, out } = await run('migrate', 'y-leveldb', '--from', from, '--data', data)
    expect(code).toBe(0)
    const [, migrated = '0', present = '0'] =
      /^(\d+) documents? migrated and compared(?:, (\d+) were here)?/.exec(out) ?? []
    expect(Number(migrated) + Number(present)).toBe(200)
    expect((await run('list', '--data', data)).out.trim().split('\n')).toHaveLength(200)
    expect((await run('export', 'doc 199', '--format', 'text', '--data', data)).out).toBe('text 199')
  })

  it('refuses what is no such store, and touches nothing', async () => {
    const folder = await tempDir()
    await writeFile(join(folder, 'file'), '')
    expect(await run('migrate', 'y-leveldb', '--from', folder, '--data', join(folder, 'data'))).toEqual({
      code: 2,
      out: '',
      err: `inkwire: ${folder} is no store of y-leveldb: there is no LevelDB in it (INKWIRE_BAD_OPTION)\n`,
    })
    expect(await run('migrate', 'y-leveldb', '--data', folder)).toMatchObject({
      code: 2,
      err: "inkwire: required option '--from <folder>' not specified\n",
    })
  })
})

describe('inkwire migrate folder', () => {
  it('takes over every state file below it', async () => {
    const folder = await tempDir()
    const from = join(folder, 'states')
    const data = join(folder, 'data')
    await mkdir(join(from, 'sub'), { recursive: true })
    await writeFile(join(from, 'a.yjs'), Y.encodeStateAsUpdate(textDoc('a')))
    await writeFile(join(from, 'b%2Fc%20d.bin'), Y.encodeStateAsUpdate(textDoc('b')))
    await writeFile(join(from, 'sub', 'e.f.yjs'), Y.encodeStateAsUpdate(textDoc('e')))
    await writeFile(join(from, 'readme.txt'), 'no state')
    expect(await run('migrate', 'folder', '--from', from, '--data', data)).toEqual({
      code: 0,
      out: '3 documents migrated and compared\n',
      err: '',
    })
    expect((await run('list', '--data', data)).out).toBe('a\nb/c d\nsub/e.f\n')
    await writeFile(join(from, 'broken.bin'), 'no update')
    await writeFile(join(from, 'a.bin'), Y.encodeStateAsUpdate(textDoc('another a')))
    const again = await run('migrate', 'folder', '--from', from, '--data', data)
    expect(again).toMatchObject({
      code: 1,
      // a.bin comes before a.yjs now, and is another document.
      out: '0 documents migrated and compared, 2 were here already, 3 failed\n',
    })
    expect(again.err.split('\n')).toEqual([
      'inkwire: not taken over: a.bin (as "a"): there is another document of that name here',
      'inkwire: not taken over: a.yjs (as "a"): a.bin has the same name here',
      expect.stringMatching(
        /^inkwire: not taken over: broken.bin \(as "broken"\): there are bytes in it that are no/,
      ),
      '',
    ])
    expect((await run('export', 'a', '--format', 'text', '--data', data)).out).toBe('a')
  })

  it('takes names as they are when told to', async () => {
    const folder = await tempDir()
    const from = join(folder, 'states')
    await mkdir(from)
    await writeFile(join(from, 'a%20b.yjs'), Y.encodeStateAsUpdate(textDoc('a')))
    await writeFile(join(from, 'a b.yjs'), Y.encodeStateAsUpdate(textDoc('another')))
    expect(await run('migrate', 'folder', '--from', from, '--data', join(folder, 'decoded'))).toEqual({
      code: 1,
      out: '1 document migrated and compared, 1 failed\n',
      err:
        'inkwire: not taken over: a%20b.yjs (as "a b"): a b.yjs has the same name here\n' +
        'inkwire: names that are one when they are decoded are kept apart by --raw-names\n',
    })
    const data = join(folder, 'data')
    expect((await run('migrate', 'folder', '--from', from, '--data', data, '--raw-names')).code).toBe(0)
    expect((await run('list', '--data', data)).out).toBe('a b\na%20b\n')
    const again = await run('migrate', 'folder', '--from', from, '--data', data)
    expect(again.out).toBe('0 documents migrated and compared, 1 was here already, 1 failed\n')
  })

  it('says what it can not find', async () => {
    const from = join(await tempDir(), 'missing')
    expect(await run('migrate', 'folder', '--from', from, '--data', from)).toEqual({
      code: 1,
      out: '',
      err: `inkwire: ${from}: no such file or folder (ENOENT)\n`,
    })
  })
})
