/** Making a backup, time and again into the same folder, and restoring what is in it. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Journal } from '../../server/journal/journal.js'
import { openMemoryJournal } from '../../server/journal/memory.js'
import { backup } from '../../server/tools/backup.js'
import type { OpenDocuments } from '../../server/tools/documents.js'
import { localDocuments } from '../../server/tools/local.js'
import { noProgress } from '../../server/tools/progress.js'
import { restore } from '../../server/tools/restore.js'
import { stateOf } from '../../server/tools/state.js'
import { InkwireError } from '../../shared/errors.js'
import { flipBit } from '../support/journal-damage.js'
import { ODD_NAMES } from '../support/odd-names.js'
import { randomSession, seeded } from '../support/random-edits.js'
import { tempDir } from '../support/temp.js'

const update = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const textOf = async (documents: OpenDocuments, name: string): Promise<string | null> => {
  const stored = await documents.read(name)
  if (!stored) return null
  const doc = new Y.Doc()
  Y.applyUpdate(doc, stateOf(stored))
  return doc.getText('t').toString()
}

const never = new AbortController().signal

const backUp = (documents: OpenDocuments, folder: string, signal = never) =>
  backup({ documents, folder, now: () => 1_700_000_000_000, progress: noProgress, signal })

const putBack = (
  documents: OpenDocuments,
  folder: string,
  options: { names?: string[]; force?: boolean; signal?: AbortSignal } = {},
) => restore({ documents, folder, progress: noProgress, signal: never, ...options })

/** A journal, and what a tool sees of it. */
const journalWith = async (...names: string[]): Promise<{ journal: Journal; documents: OpenDocuments }> => {
  const journal = openMemoryJournal()
  const documents = localDocuments(journal)
  for (const name of names) await documents.merge(name, update(`of ${name}`))
  return { journal, documents }
}

/** The same documents, of which one can't be read. */
const withDamaged = (documents: OpenDocuments, damaged: string): OpenDocuments => {
  const refuse = (name: string): void => {
    if (name === damaged) throw new InkwireError('INKWIRE_DOCUMENT_DAMAGED', `"${name}" is damaged`)
  }
  return {
    ...documents,
    read: async (name) => {
      refuse(name)
      return documents.read(name)
    },
    readUnless: async (version, name) => {
      refuse(name)
      return documents.readUnless(version, name)
    },
  }
}

const filesIn = async (folder: string): Promise<string[]> => (await readdir(join(folder, 'documents'))).sort()

describe('a backup', () => {
  it('gives every document back, whatever it is called', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith(
      ...ODD_NAMES,
      '.',
      '..',
      '.hidden',
      'A',
      'a',
      `${'é'.repeat(500)}`,
    )
    const report = await backUp(documents, folder)
    expect(report).toMatchObject({
      documents: ODD_NAMES.length + 6,
      written: ODD_NAMES.length + 6,
      failed: [],
    })
    const { documents: other } = await journalWith()
    expect((await putBack(other, folder)).restored).toBe(ODD_NAMES.length + 6)
    for await (const { name } of documents.list()) expect(await textOf(other, name)).toBe(`of ${name}`)
  })

  it('holds one Yjs state per document, of snapshot and tail together', async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
    const { docs, updates } = randomSession(seed)
    const { journal, documents } = await journalWith()
    const cut = Math.floor(seeded(seed)() * updates.length)
    const snapshot = new Y.Doc()
    for (const each of updates.slice(0, cut)) Y.applyUpdate(snapshot, each)
    await journal.replace('doc', {
      snapshot: { seq: cut + 1, update: Y.encodeStateAsUpdate(snapshot) },
      tail: updates.slice(cut).map((each) => ({ update: each, time: 1, author: '' })),
    })
    const folder = await tempDir()
    await backUp(documents, folder)
    const [file = ''] = await filesIn(folder)
    const restored = new Y.Doc()
    Y.applyUpdate(restored, await readFile(join(folder, 'documents', file)))
    expect(Y.encodeStateVector(restored), `SEED=${seed}`).toEqual(Y.encodeStateVector(docs[0] ?? restored))
  })

  it('writes only what changed the next time, and drops what was deleted', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b', 'c')
    expect(await backUp(documents, folder)).toMatchObject({ documents: 3, written: 3, removed: 0 })
    const before = await filesIn(folder)
    expect(await backUp(documents, folder)).toMatchObject({ documents: 3, written: 0, bytes: 0, removed: 0 })
    expect(await filesIn(folder)).toEqual(before)
    await documents.merge('b', update('more'))
    await documents.delete('c')
    expect(await backUp(documents, folder)).toMatchObject({ documents: 2, written: 1, removed: 1 })
    const after = await filesIn(folder)
    expect(after.filter((file) => before.includes(file))).toHaveLength(1)
    expect(after).toHaveLength(2)
    // The same contents under another generation are another document.
    await documents.replace('a', update('of a'))
    expect(await backUp(documents, folder)).toMatchObject({ documents: 2, written: 1, removed: 0 })
  })

  it('writes a file again that is missing or cut short', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b', 'c')
    await backUp(documents, folder)
    const [one = '', two = ''] = await filesIn(folder)
    await rm(join(folder, 'documents', one))
    await writeFile(join(folder, 'documents', two), 'short')
    expect(await backUp(documents, folder)).toMatchObject({ documents: 3, written: 2 })
    await putBack((await journalWith()).documents, folder)
  })

  it('that fails leaves the earlier one whole', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    await backUp(documents, folder)
    await documents.merge('a', update('more'))
    const failing: OpenDocuments = {
      ...documents,
      readUnless: async (version, name) => {
        if (name === 'b') throw new InkwireError('INKWIRE_STORE_FAILED', 'the disk is gone')
        return documents.readUnless(version, name)
      },
    }
    await expect(backUp(failing, folder)).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
    const { documents: other } = await journalWith()
    await putBack(other, folder)
    expect(await textOf(other, 'a')).toBe('of a')
    expect(await backUp(documents, folder)).toMatchObject({ documents: 2, written: 1 })
    expect(await filesIn(folder)).toHaveLength(2)
  })

  it('that is interrupted, too', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    await backUp(documents, folder)
    const before = await readFile(join(folder, 'manifest.json'), 'utf8')
    await expect(backUp(documents, folder, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(await readFile(join(folder, 'manifest.json'), 'utf8')).toBe(before)
    expect(await readdir(folder)).toEqual(['documents', 'manifest.json'])
  })

  it('keeps its earlier copy of a document that became damaged, and says which it is', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    await backUp(documents, folder)
    await documents.merge('a', update('more'))
    const damaged = withDamaged(documents, 'a')
    const failed = [{ name: 'a', problem: '"a" is damaged', kept: true }]
    expect(await backUp(damaged, folder)).toMatchObject({ documents: 2, written: 0, removed: 0, failed })
    const { documents: other } = await journalWith()
    expect((await putBack(other, folder)).outdated).toEqual([{ name: 'a', reason: '"a" is damaged' }])
    expect(await textOf(other, 'a')).toBe('of a')
    // Once it can be read again, that is over.
    expect(await backUp(documents, folder)).toMatchObject({ documents: 2, written: 1, failed: [] })
    expect((await putBack(other, folder, { force: true })).outdated).toEqual([])
  })

  it('keeps it also when the document is not even listed any more', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    await backUp(documents, folder)
    const lost: OpenDocuments = {
      ...withDamaged(documents, 'a'),
      async *list() {
        yield { name: 'b', generation: '' }
      },
    }
    expect(await backUp(lost, folder)).toMatchObject({ documents: 2, removed: 0, failed: [{ kept: true }] })
  })

  it('goes on without a document that it never had', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    const report = await backUp(withDamaged(documents, 'a'), folder)
    expect(report).toMatchObject({ documents: 1, removed: 0, failed: [{ name: 'a', kept: false }] })
  })

  it('is whole and on disk when documents are lost, and tells how many', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    expect((await backUp(documents, folder)).lost).toBe(0)
    await documents.merge('a', update('more'))
    expect(await backUp({ ...documents, lost: async () => 3 }, folder)).toMatchObject({ written: 1, lost: 3 })
    await documents.merge('a', update('still more'))
    const lost = async (): Promise<number> => {
      throw new InkwireError('INKWIRE_STORE_FAILED', 'it can not be told')
    }
    await expect(backUp({ ...documents, lost }, folder)).rejects.toMatchObject({
      code: 'INKWIRE_STORE_FAILED',
    })
    expect(await backUp(documents, folder)).toMatchObject({ written: 0, lost: 0 })
  })

  it('starts anew over a damaged one', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a')
    await backUp(documents, folder)
    await writeFile(join(folder, 'manifest.json'), '{"format":"inkwire-backup","version":1,"docu')
    const report = await backUp(documents, folder)
    expect(report).toMatchObject({ documents: 1, written: 1 })
    expect(report.anew).toMatch(/manifest.json of the backup is damaged/)
  })

  it('refuses a folder that holds something else', async () => {
    const folder = await tempDir()
    await writeFile(join(folder, 'thesis.txt'), 'years of work')
    const { documents } = await journalWith('a')
    await expect(backUp(documents, folder)).rejects.toMatchObject({
      code: 'INKWIRE_BAD_OPTION',
      message: expect.stringContaining('"thesis.txt" is in it'),
    })
    expect(await readdir(folder)).toEqual(['thesis.txt'])
  })

  it('leaves files alone that it did not write', async () => {
    const folder = await tempDir()
    await mkdir(join(folder, 'documents'))
    await writeFile(join(folder, 'documents', 'note.txt'), 'mine')
    const { documents } = await journalWith('a')
    await backUp(documents, folder)
    expect(await filesIn(folder)).toContain('note.txt')
  })

  it('is made by one at a time, whatever became of the one before', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a')
    await writeFile(join(folder, 'lock'), `${process.ppid}\n`)
    await expect(backUp(documents, folder)).rejects.toThrow(`another backup (process ${process.ppid})`)
    await writeFile(join(folder, 'lock'), `${2 ** 22 + 1}\n`)
    await backUp(documents, folder)
    await writeFile(join(folder, 'lock'), '')
    await backUp(documents, folder)
    expect(await readdir(folder)).toEqual(['documents', 'manifest.json'])
  })
})

describe('a restore', () => {
  it('puts every document under a new generation', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    const before = await documents.read('a')
    await backUp(documents, folder)
    await documents.merge('a', update('later'))
    await putBack(documents, folder, { force: true })
    const after = await documents.read('a')
    expect(await textOf(documents, 'a')).toBe('of a')
    expect(after?.generation).not.toBe(before?.generation)
  })

  it('leaves documents alone that are not in the backup or were not named', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b')
    await backUp(documents, folder)
    for (const name of ['a', 'b', 'c']) await documents.replace(name, update('later'))
    expect((await putBack(documents, folder, { names: ['a', 'a'] })).restored).toBe(1)
    expect(await Promise.all(['a', 'b', 'c'].map((name) => textOf(documents, name)))).toEqual([
      'of a',
      'later',
      'later',
    ])
    expect((await putBack(documents, folder, { force: true })).restored).toBe(2)
    expect(await textOf(documents, 'c')).toBe('later')
  })

  it('refuses where there are documents, unless names are given or it is forced to', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a')
    await backUp(documents, folder)
    await expect(putBack(documents, folder)).rejects.toMatchObject({ code: 'INKWIRE_NOT_EMPTY' })
  })

  it.each(['flipped', 'short', 'missing', 'another'])('writes nothing when a file is %s', async (how) => {
    const folder = await tempDir()
    const { documents } = await journalWith('a', 'b', 'c')
    await backUp(documents, folder)
    const [first = '', second = ''] = await filesIn(folder)
    const path = join(folder, 'documents', second)
    const bytes = await readFile(path)
    if (how === 'flipped') await writeFile(path, flipBit(bytes, 37))
    if (how === 'short') await writeFile(path, bytes.subarray(1))
    if (how === 'missing') await rm(path)
    if (how === 'another') await writeFile(path, await readFile(join(folder, 'documents', first)))
    const { documents: other } = await journalWith()
    await expect(putBack(other, folder)).rejects.toMatchObject({
      code: 'INKWIRE_BAD_BACKUP',
      message: expect.stringContaining('"b"'),
    })
    for (const name of ['a', 'b', 'c']) expect(await other.read(name)).toBeNull()
    // The others can be had.
    expect((await putBack(other, folder, { names: ['a', 'c'] })).restored).toBe(2)
  })

  it('knows what is not in the backup, and what is no backup', async () => {
    const folder = await tempDir()
    const { documents } = await journalWith('a')
    await expect(putBack(documents, folder, { force: true })).rejects.toMatchObject({
      code: 'INKWIRE_BAD_BACKUP',
      message: `there is no backup in ${folder}`,
    })
    await backUp(documents, folder)
    await expect(putBack(documents, folder, { names: ['z'] })).rejects.toMatchObject({
      code: 'INKWIRE_NO_DOCUMENT',
    })
  })
})
