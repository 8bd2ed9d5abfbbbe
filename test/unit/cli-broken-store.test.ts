/** What the commands say and do where LevelDB can't open the store any more. */
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { openLevelJournal } from '../../server/journal/level.js'
import { repairFiles } from '../../server/journal/repair-files.js'
import { command } from '../support/cli.js'
import { tempDir } from '../support/temp.js'

let data: string

const state = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

beforeEach(async () => {
  data = await tempDir()
  const journal = await openLevelJournal({ directory: data })
  for (const name of ['a', 'b']) {
    const log = await journal.open(name, () => undefined)
    log.append({ update: state(`text of ${name}`), time: 1, author: '' })
  }
  await journal.close()
})

const current = (): string => join(data, 'journal', 'CURRENT')

const manifest = async (): Promise<string> =>
  join(data, 'journal', (await readFile(current(), 'utf8')).trim())

const textOf = async (name: string) =>
  (await command(['export', name, '--format', 'text', '--data', data])).out

const DAMAGE: Readonly<Record<string, () => Promise<void>>> = {
  'no CURRENT': () => rm(current()),
  'an empty CURRENT': () => truncate(current()),
  'a CURRENT that leads nowhere': () => writeFile(current(), 'MANIFEST-999999\n'),
  'no MANIFEST': async () => rm(await manifest()),
  'an empty MANIFEST': async () => truncate(await manifest()),
  'a MANIFEST of zeros': async () => writeFile(await manifest(), Buffer.alloc(99)),
}

describe.each(Object.entries(DAMAGE))('a store with %s', (_, damage) => {
  beforeEach(damage)

  it.each([
    ['list'],
    ['stats'],
    ['verify'],
    ['export', 'a'],
    ['delete', 'a'],
    ['backup', 'never-made'],
    ['import', 'c', '-'],
  ])(
    'is not taken for an empty one by %s, which says why it can’t be opened and what to do',
    async (...argv) => {
      const before = await readdir(join(data, 'journal'))
      const { code, out, err } = await command([...argv, '--data', data], (io) => {
        io.input = new Uint8Array(state('c'))
      })
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toMatch(
        /^inkwire: the store in .*journal can't be opened: .*(CURRENT|MANIFEST|descriptor).*; run `inkwire repair` \(INKWIRE_STORE_FAILED\)\n$/,
      )
      // Its words are LevelDB's, each said once.
      expect(err.match(/No such file|Corruption/g)).toHaveLength(1)
      const after = await readdir(join(data, 'journal'))
      const kept = before.filter((file) => !/^LOG/.test(file))
      expect(after).toEqual(expect.arrayContaining(kept))
    },
  )

  it('is put together again by repair, which says so and where the originals are', async () => {
    const { code, out, err } = await command(['repair', '--data', data])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n')).toEqual([
      'the store was put together again from what is readable in its files',
      expect.stringMatching(/^ {2}the store in .* can't be opened: .*(CURRENT|MANIFEST|descriptor)/),
      `  files that were replaced are kept in ${join(data, 'journal', 'lost')}`,
      'no document is damaged',
      '',
    ])
    expect(await readdir(join(data, 'journal', 'lost'))).not.toEqual([])
    expect([await textOf('a'), await textOf('b')]).toEqual(['text of a', 'text of b'])
    expect(await command(['verify', '--data', data])).toMatchObject({ code: 0 })
    const again = await command(['repair', '--data', data])
    expect(again).toMatchObject({ code: 0, out: 'no document is damaged\n' })
  })

  it('is put together again for a repair of named documents, too', async () => {
    const { code, out } = await command(['repair', 'a', '--data', data])
    expect(code).toBe(0)
    expect(out).toMatch(/^the store was put together again .*\n.*\n.*lost\nnothing is wrong with "a"\n$/)
  })

  it('stays as it is while somebody has it open', async () => {
    await command(['repair', '--data', data])
    const journal = await openLevelJournal({ directory: data })
    await damage()
    await expect(repairFiles(data)).rejects.toMatchObject({ code: 'INKWIRE_STORE_LOCKED' })
    expect(await command(['repair', '--data', data])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/ in use .*\(INKWIRE_STORE_LOCKED\)\n$/),
    })
    await journal.close()
  })
})

it('a folder that holds no store at all is an empty one', async () => {
  await rm(join(data, 'journal'), { recursive: true })
  for (const argv of [['list'], ['repair']]) {
    expect(await command([...argv, '--data', data])).toMatchObject({
      code: 1,
      err: `inkwire: there are no documents in ${data} (INKWIRE_NO_DOCUMENT)\n`,
    })
  }
})
