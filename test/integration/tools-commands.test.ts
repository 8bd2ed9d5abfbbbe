import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { InkwireServer } from '../../server/index.js'
import { built, runInkwire, serveProcess, startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

const state = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const fill = async (server: InkwireServer, texts: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, text] of Object.entries(texts)) await server.documents.merge(name, state(text))
}

/** A folder with documents, and a server on it or not. */
const folderWith = async (
  how: 'running' | 'stopped',
  texts: Readonly<Record<string, string>>,
): Promise<{ data: string; file: string }> => {
  const folder = await tempDir()
  const data = join(folder, 'data')
  if (how === 'running') {
    await fill((await startServer({ data })).server, texts)
  } else {
    const server = built.createServer({ port: 0, data })
    await fill(server, texts)
    await server.close()
  }
  return { data, file: join(folder, 'file') }
}

/** Names of the files below a folder that hold a text. */
const filesWith = async (folder: string, text: string): Promise<string[]> => {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.of())
    if (bytes.includes(text)) found.push(entry.name)
  }
  return found
}

describe.each(['running', 'stopped'] as const)('with the server %s', (how) => {
  it('list, export and import', async () => {
    const { data, file } = await folderWith(how, { b: 'text of b', 'a/ä\n': 'text of a' })
    expect(await run('list', '--data', data)).toEqual({ code: 0, out: '"a/ä\\n"\nb\n', err: '' })
    expect(await run('export', 'b', '--format', 'text', '--data', data)).toEqual({
      code: 0,
      out: 'text of b',
      err: '',
    })
    expect(await run('export', 'c', '--data', data)).toEqual({
      code: 1,
      out: '',
      err: 'inkwire: there is no document "c" (INKWIRE_NO_DOCUMENT)\n',
    })
    await writeFile(file, state('text of c'))
    const merged = { code: 0, out: expect.stringMatching(/^merged \d+ bytes into "c"\n$/), err: '' }
    expect(await run('import', 'c', file, '--data', data)).toEqual(merged)
    expect(await run('import', 'c', file, '--data', data)).toMatchObject({
      out: '"c" has all of it already\n',
    })
    expect((await run('export', 'c', '--format', 'text', '--data', data)).out).toBe('text of c')
  })

  it('stats, as a table and as JSON', async () => {
    const { data } = await folderWith(how, { one: 'x'.repeat(2000), two: 'y' })
    const { code, out, err } = await run('stats', '--data', data)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [head, first, second, sum, end] = out.split('\n')
    expect(head).toMatch(/^ *SIZE +UPDATES +IN TAIL +TAIL +GENERATION +LAST WRITE +DOCUMENT$/)
    expect(first).toMatch(/^2\.0 kB +1 +1 +2\.0 kB +[0-9a-f]{8} +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +one$/)
    expect(second).toMatch(/^ *\d+ B +1 +1 +\d+ B .* two$/)
    expect([sum, end]).toEqual(['2 documents, 2.0 kB', ''])

    const one = await run('stats', 'two', '--json', '--data', data)
    expect(
      one.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        name: 'two',
        generation: expect.stringMatching(/^[0-9a-f]{32}$/),
        seq: 1,
        snapshotBytes: 0,
        tailUpdates: 1,
        tailBytes: expect.any(Number),
        created: expect.any(Number),
        lastWrite: expect.any(Number),
      },
    ])
    expect(await run('stats', 'three', '--data', data)).toMatchObject({
      code: 1,
      err: 'inkwire: there is no document "three" (INKWIRE_NO_DOCUMENT)\n',
    })
  })

  it('delete leaves no byte of a document, and no other one is touched', async () => {
    const { data } = await folderWith(how, { doomed: 'deleted-marker', kept: 'text of kept' })
    expect(await run('delete', 'doomed', '--data', data)).toEqual({
      code: 0,
      out: 'deleted "doomed"\n',
      err: '',
    })
    const gone = async (): Promise<boolean> => (await filesWith(data, 'deleted-marker')).length === 0
    // A running server goes on working on its files; without one, all is done when the command ends.
    if (how === 'running') await until('every byte is gone', gone)
    else expect(await gone()).toBe(true)
    expect((await run('list', '--data', data)).out).toBe('kept\n')
    expect((await run('export', 'kept', '--format', 'text', '--data', data)).out).toBe('text of kept')
    expect(await run('delete', 'doomed', '--data', data)).toMatchObject({
      code: 1,
      err: 'inkwire: there is no document "doomed" (INKWIRE_NO_DOCUMENT)\n',
    })
  })
})

describe('a running server', () => {
  it('shows its clients what is imported, and closes those of a deleted document with 4404', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    const server = await serveProcess(data)
    const raw = await connectRaw(`${server.ws}/doc`)
    await raw.first('syncStep1')
    const file = join(folder, 'file')
    await writeFile(file, state('from the operator'))
    expect(await run('import', 'doc', file, '--data', data)).toMatchObject({ code: 0 })
    const doc = new Y.Doc()
    Y.applyUpdate(doc, (await raw.first('update')).update)
    expect(doc.getText('text').toString()).toBe('from the operator')
    expect(await run('delete', 'doc', '--data', data)).toMatchObject({ code: 0 })
    expect((await raw.closed).code).toBe(4404)
    // Who did it is in the log; what it said is not.
    expect(server.stderr()).toContain('by the operator: deleted')
    expect(server.stderr()).not.toContain('from the operator')
  })

  it('is reached by its own user only, and leaves no socket when it stops', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    expect((await stat(join(data, 'control.sock'))).mode & 0o777).toBe(0o600)
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect((await readdir(data)).filter((file) => file.startsWith('control'))).toEqual([])
  })

  it('that was killed is not in the way of tools, nor of the next one', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    server.child.kill('SIGKILL')
    await server.exited
    expect(await readdir(data)).toContain('control.sock')
    expect(await run('list', '--data', data)).toEqual({ code: 0, out: '', err: '' })
    await serveProcess(data)
    expect(await run('list', '--data', data)).toEqual({ code: 0, out: '', err: '' })
  })

  it('is reached in a folder whose path is too long for a socket', async () => {
    const data = join(await tempDir(), 'a-rather-long-name-of-a-folder'.repeat(4))
    await mkdir(data)
    const server = await serveProcess(data)
    expect(await run('stats', '--data', data)).toMatchObject({ code: 0, err: '' })
    server.child.kill('SIGTERM')
    await server.exited
    expect((await readdir(data)).filter((file) => file.startsWith('control'))).toEqual([])
  })
})

it('a folder that is in use by something that does not answer is named as such', async () => {
  const { server, data } = await startServer()
  await server.documents.merge('a', state('a'))
  // As another program that has the store open.
  await writeFile(join(data, 'control.path'), join(data, 'nowhere'))
  for (const args of [
    ['list'],
    ['stats'],
    ['delete', 'a'],
    ['backup', join(data, '..', 'x')],
    ['export', 'a'],
  ]) {
    expect(await run(...args, '--data', data)).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^inkwire: the .* is in use by another .*INKWIRE_STORE_LOCKED\)\n$/),
    })
  }
})
