/** `inkwire list`, `export` and `import`, on data folders. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { openLevelJournal } from '../../server/journal/level.js'
import { command } from '../support/cli.js'

let folder: string
let data: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inkwire-cli-'))
  data = join(folder, 'data')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const state = (text: string, root = 'text'): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText(root).insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const store = async (name: string, ...updates: Uint8Array[]): Promise<void> => {
  const journal = await openLevelJournal({ directory: data })
  const log = await journal.open(name, () => undefined)
  for (const update of updates) log.append({ update, time: 1, author: '' })
  await journal.close()
}

describe('list', () => {
  it('prints the names, one a line', async () => {
    await store('b', state('x'))
    await store('a/b 🙂', state('x'))
    await store('two\nlines\u001b[31m\u2028', state('x'))
    const { code, out } = await command(['list', '--data', data])
    expect({ code, lines: out.split('\n') }).toEqual({
      code: 0,
      lines: ['a/b 🙂', 'b', '"two\\nlines\\u001b[31m\\u2028"', ''],
    })
  })

  it('prints JSON when asked to', async () => {
    await store('a', state('x'))
    const { out } = await command(['list', '--json', '--data', data])
    expect(JSON.parse(out)).toEqual({ name: 'a', generation: expect.stringMatching(/^[0-9a-f]{32}$/) })
  })

  it('takes the folder from the environment', async () => {
    await store('a', state('x'))
    const { out } = await command(['list'], (io) => {
      io.env = { INKWIRE_DATA: data }
    })
    expect(out).toBe('a\n')
  })
})

describe('export', () => {
  it('gives the whole state as an update by default', async () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (const [at, character] of [...'hello'].entries()) doc.getText('text').insert(at, character)
    await store('a', ...updates)
    const { code, bytes } = await command(['export', 'a', '--data', data])
    const copy = new Y.Doc()
    Y.applyUpdate(copy, bytes)
    expect({ code, text: copy.getText('text').toString() }).toEqual({ code: 0, text: 'hello' })
  })

  it('gives text and JSON, of all roots or of one', async () => {
    await store('a', state('hello', 'body'), state('Title', 'title'))
    const out = async (...argv: string[]) => (await command(['export', 'a', '--data', data, ...argv])).out
    expect(JSON.parse(await out('--format', 'json'))).toEqual({ body: 'hello', title: 'Title' })
    expect(await out('--format', 'text', '--root', 'body')).toBe('hello')
    expect(await out('--format', 'text')).toBe('=== body ===\nhello\n\n=== title ===\nTitle\n')
  })

  it('writes into a file', async () => {
    await store('a', state('hello'))
    const output = join(folder, 'out.txt')
    const { code, out } = await command([
      'export',
      'a',
      '--format',
      'text',
      '--output',
      output,
      '--data',
      data,
    ])
    expect({ code, out, file: await readFile(output, 'utf8') }).toEqual({ code: 0, out: '', file: 'hello' })
  })

  it('does not print an update on a terminal', async () => {
    await store('a', state('hello'))
    const { code, out, err } = await command(['export', 'a', '--data', data], (io) => {
      io.isTTY = true
    })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('--output <file>')
  })

  it('fails for a document that is not there', async () => {
    await store('a', state('hello'))
    expect(await command(['export', 'b', '--data', data])).toMatchObject({
      code: 1,
      out: '',
      err: 'inkwire: there is no document "b" (INKWIRE_NO_DOCUMENT)\n',
    })
  })
})

describe.each([['list'], ['export', 'a']])('%s on a folder without documents', (...argv) => {
  it('fails and creates nothing when there is no folder', async () => {
    const { code, err } = await command([...argv, '--data', data])
    expect({ code, err }).toEqual({
      code: 1,
      err: `inkwire: there is no data folder ${data} (INKWIRE_NO_DOCUMENT)\n`,
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('fails and creates nothing when the folder holds something else', async () => {
    const { code, err } = await command([...argv, '--data', folder])
    expect({ code, err }).toEqual({
      code: 1,
      err: `inkwire: there are no documents in ${folder} (INKWIRE_NO_DOCUMENT)\n`,
    })
    expect(await readdir(folder)).toEqual([])
  })
})

describe('import', () => {
  const file = async (bytes: Uint8Array): Promise<string> => {
    const path = join(folder, 'state.bin')
    await writeFile(path, bytes)
    return path
  }
  const text = async (name: string) =>
    (await command(['export', name, '--format', 'text', '--data', data])).out

  it('creates a document, and the folder, from a state', async () => {
    const bytes = state('hello')
    const { code, out } = await command(['import', 'new/one', await file(bytes), '--data', data])
    expect({ code, out }).toEqual({ code: 0, out: `merged ${bytes.length} bytes into "new/one"\n` })
    expect(await text('new/one')).toBe('hello')
  })

  it('merges into what is there', async () => {
    await store('a', state('hello'))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, (await command(['export', 'a', '--data', data])).bytes)
    doc.getText('text').insert(5, ' world')
    await command(['import', 'a', await file(Y.encodeStateAsUpdate(doc)), '--data', data])
    expect(await text('a')).toBe('hello world')
  })

  it('writes nothing that is there already', async () => {
    await store('a', state('hello'))
    const { bytes } = await command(['export', 'a', '--data', data])
    const { code, out } = await command(['import', 'a', await file(bytes), '--data', data])
    expect({ code, out }).toEqual({ code: 0, out: '"a" has all of it already\n' })
    const journal = await openLevelJournal({ directory: data })
    expect((await journal.read('a'))?.seq).toBe(1)
    await journal.close()
  })

  it('reads stdin for -', async () => {
    const { code } = await command(['import', 'a', '-', '--data', data], (io) => {
      io.input = new Uint8Array(state('from stdin'))
    })
    expect(code).toBe(0)
    expect(await text('a')).toBe('from stdin')
  })

  it('says so when something before it is missing', async () => {
    const doc = new Y.Doc()
    doc.getText('text').insert(0, 'a')
    const before = Y.encodeStateVector(doc)
    doc.getText('text').insert(1, 'b')
    const { code, out } = await command([
      'import',
      'a',
      await file(Y.encodeStateAsUpdate(doc, before)),
      '--data',
      data,
    ])
    expect(code).toBe(0)
    expect(out).toContain('parts of it wait for updates that are missing')
  })

  it.each<[string, Uint8Array, string]>([
    ['text', Buffer.from('just text'), 'is not a Yjs update (v1)'],
    ['nothing', new Uint8Array(), 'is not a Yjs update (v1)'],
    ['a v2 update', Y.encodeStateAsUpdateV2(new Y.Doc()), 'v2'],
  ])('refuses %s and creates nothing', async (_, bytes, message) => {
    const { code, err } = await command(['import', 'a', await file(bytes), '--data', data])
    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err).toContain('(INKWIRE_BAD_UPDATE)')
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['state.bin'])
  })

  it('names a folder that is given in the place of the file', async () => {
    const { code, err } = await command(['import', 'a', folder, '--data', data])
    expect({ code, err }).toEqual({ code: 1, err: `inkwire: ${folder}: a folder, not a file (EISDIR)\n` })
  })

  it('says when there is no such file', async () => {
    const missing = join(folder, 'missing')
    const { code, err } = await command(['import', 'a', missing, '--data', data])
    expect({ code, err }).toEqual({ code: 1, err: `inkwire: ${missing}: no such file or folder (ENOENT)\n` })
  })
})

describe('restore and backup that are refused', () => {
  const backup = () => join(folder, 'backup')

  it('make nothing when there is no backup', async () => {
    expect(await command(['restore', backup(), '--data', data])).toMatchObject({
      code: 1,
      err: `inkwire: there is no backup in ${backup()} (INKWIRE_BAD_BACKUP)\n`,
    })
    expect(await readdir(folder)).toEqual([])
    expect(await command(['revoke', 'eve', '--data', data])).toMatchObject({
      code: 1,
      err: `inkwire: there is no data folder ${data} (INKWIRE_NO_DOCUMENT)\n`,
    })
  })

  it('make nothing when it lacks what is asked for, or is damaged; a sound one is restored', async () => {
    await store('a', state('hello'))
    expect(await command(['backup', backup(), '--data', data])).toMatchObject({ code: 0 })
    await rm(data, { recursive: true })
    const restored = (...names: string[]) => command(['restore', backup(), ...names, '--data', data])
    expect(await restored('b')).toMatchObject({ code: 1, err: expect.stringContaining('no document "b"') })
    const file = join(backup(), 'documents', (await readdir(join(backup(), 'documents')))[0] ?? '')
    const sound = await readFile(file)
    await writeFile(file, 'damaged')
    expect(await restored()).toMatchObject({ code: 1, err: expect.stringContaining('damaged or missing') })
    expect(await readdir(folder)).toEqual(['backup'])
    await writeFile(file, sound)
    expect(await restored()).toMatchObject({ code: 0, out: expect.stringMatching(/^1 document restored/) })
  })

  it('leave a data folder as it is that is named as the folder of the backup, and a file', async () => {
    await store('a', state('hello'))
    const before = await readdir(data)
    expect(await command(['backup', data, '--data', data])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/ is no folder of backups: ".*" is in it\. Choose an empty or a new one/),
    })
    expect(await readdir(data)).toEqual(before)
    const file = join(folder, 'file')
    await writeFile(file, '')
    expect(await command(['backup', file, '--data', data])).toMatchObject({
      code: 1,
      err: `inkwire: ${file}: not a folder (ENOTDIR)\n`,
    })
  })
})

describe('a folder that is in use', () => {
  it.each([['list'], ['export', 'a'], ['import', 'a', '-']])(
    '%s fails with one clear line',
    async (...argv) => {
      const journal = await openLevelJournal({ directory: data })
      const { code, err } = await command([...argv, '--data', data], (io) => {
        io.input = new Uint8Array(state('x'))
      })
      await journal.close()
      expect(code).toBe(1)
      expect(err).toMatch(/^inkwire: .* in use .*\(INKWIRE_STORE_LOCKED\)\n$/)
    },
  )
})

describe('a name that would break lines or drive a terminal', () => {
  const ODD = 'two\nlines\u001b[31m'
  const SHOWN = '"two\\nlines\\u001b[31m"'

  it('is shown as JSON wherever a command names it', async () => {
    const file = join(folder, 'state.yjs')
    const update = state('x')
    await writeFile(file, update)
    await store('plain', update)
    const said = async (...argv: string[]): Promise<string> => {
      const { out, err } = await command([...argv, '--data', data])
      return out + err
    }
    expect(await said('import', ODD, file)).toBe(`merged ${update.length} bytes into ${SHOWN}\n`)
    expect(await said('import', ODD, file)).toBe(`${SHOWN} has all of it already\n`)
    expect(await said('rollback', ODD, '--before', '1d', '--dry-run')).toContain(`${SHOWN} back to before`)
    expect(await said('delete', ODD)).toBe(`deleted ${SHOWN}\n`)
    for (const argv of [
      ['delete', ODD],
      ['export', ODD],
      ['stats', ODD],
    ]) {
      expect(await said(...argv)).toBe(`inkwire: there is no document ${SHOWN} (INKWIRE_NO_DOCUMENT)\n`)
    }
  })
})
