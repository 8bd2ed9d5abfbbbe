/** Deleting means that the bytes are gone from the files: proven by looking for them in every file of the store. */
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Journal } from '../../server/journal/journal.js'
import { type LevelJournal, openLevelJournal } from '../../server/journal/level.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const open = (directory: string, crashpoint?: (name: string) => void): Promise<LevelJournal> =>
  openLevelJournal({ directory, ballastBytes: 0, ...(crashpoint ? { crashpoint } : {}) })

/** Writes updates that each hold bytes found nowhere else; gives these. */
const write = async (journal: Journal, name: string, count: number, size: number): Promise<Buffer[]> => {
  let durable = 0
  const log = await journal.open(name, (seq) => {
    durable = seq
  })
  const marks: Buffer[] = []
  let last = log.document.seq
  for (let i = 0; i < count; i++) {
    const update = randomBytes(size)
    marks.push(update.subarray(0, 16))
    last = log.append({ update, time: Date.now(), author: 'ada' })
    if (i % 50 === 49) await until('it is durable', () => durable >= last)
  }
  await until('it is durable', () => durable >= last)
  log.release()
  return marks
}

const compact = async (journal: Journal, name: string, size: number): Promise<Buffer[]> => {
  const log = await journal.open(name, () => {})
  const update = randomBytes(size)
  await log.compact({ seq: log.document.seq, update })
  log.release()
  return [update.subarray(100, 116)]
}

/** LevelDB moves what it holds to other files at its own time: if one goes meanwhile, all are looked at again. */
const filesOf = async (directory: string): Promise<Buffer[]> => {
  for (;;) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    try {
      return await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name))))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** How many of the marks are in any file. */
const found = async (directory: string, marks: readonly Buffer[]): Promise<number> => {
  const files = await filesOf(directory)
  return marks.filter((mark) => files.some((file) => file.includes(mark))).length
}

const NAME = 'a document that nobody may ever hear of again'

test('a small document that was just written', async () => {
  const directory = await tempDir()
  const journal = await open(directory)
  const others = await write(journal, 'other', 20, 100)
  const marks = await write(journal, NAME, 20, 100)
  expect(await found(directory, marks)).toBeGreaterThan(15)
  await journal.delete(NAME)
  await journal.settled()
  expect(await found(directory, marks)).toBe(0)
  expect(await found(directory, others)).toBeGreaterThan(15)
  await journal.close()
})

test('a large one with snapshots, in tables of several levels, among others', async () => {
  const directory = await tempDir()
  let journal = await open(directory)
  const marks: Buffer[] = []
  for (let round = 0; round < 4; round++) {
    marks.push(...(await write(journal, NAME, 200, 8000)))
    await write(journal, `other ${round}`, 100, 8000)
    if (round % 2) marks.push(...(await compact(journal, NAME, 500_000)))
    if (round === 2) {
      await journal.close()
      journal = await open(directory)
    }
  }
  const snapshot = marks.at(-1) ?? Buffer.alloc(0)
  expect(await found(directory, [snapshot])).toBe(1)
  await journal.delete(NAME)
  await journal.settled()
  expect(await found(directory, marks)).toBe(0)
  for (let round = 0; round < 4; round++) expect((await journal.read(`other ${round}`))?.seq).toBe(100)
  await journal.close()
})

test('its name too, once the store was opened again', async () => {
  const directory = await tempDir()
  const journal = await open(directory)
  const name = Buffer.from(NAME)
  await write(journal, 'other', 3, 100)
  await write(journal, NAME, 3, 100)
  await write(journal, 'yet another', 3, 100)
  expect(await found(directory, [name])).toBe(1)
  await journal.delete(NAME)
  await journal.settled()
  await journal.close()
  await (await open(directory)).close()
  expect(await found(directory, [name])).toBe(0)
})

test('its name too, when that lies in another table than its records', async () => {
  const directory = await tempDir()
  // Generations that lie behind all others.
  const last = (size: number): Uint8Array => randomBytes(size).fill(0xff, 0, 4)
  let journal = await openLevelJournal({ directory, ballastBytes: 0, randomBytes: last })
  await write(journal, NAME, 3, 100)
  await journal.close()
  journal = await open(directory)
  for (let i = 0; i < 40; i++) await write(journal, `other ${i}`, 10, 10_000)
  await journal.delete('other 0')
  await journal.settled()
  await journal.delete(NAME)
  await journal.settled()
  await journal.close()
  await (await open(directory)).close()
  expect(await found(directory, [Buffer.from(NAME)])).toBe(0)
})

test('what was replaced', async () => {
  const directory = await tempDir()
  const journal = await open(directory)
  const marks = await write(journal, NAME, 50, 1000)
  await journal.replace(NAME, { snapshot: { seq: 1, update: randomBytes(100) }, tail: [] })
  await journal.settled()
  expect(await found(directory, marks)).toBe(0)
  await journal.close()
})

test('when the process dies at any step of the removal, the next one finishes it', async () => {
  for (const point of ['delete.after', 'purge.before', 'purge.after', 'purged.before']) {
    const directory = await tempDir()
    const copy = join(await tempDir(), 'copy')
    const journal = await open(directory, (name) => {
      // As the files are at this moment, a killed process would leave them.
      if (name === point && !existsSync(copy)) cpSync(directory, copy, { recursive: true })
    })
    const marks = await write(journal, NAME, 50, 1000)
    await journal.delete(NAME)
    await journal.settled()
    await journal.close()
    const next = await open(copy)
    await next.settled()
    expect(await next.read(NAME)).toBeNull()
    expect(await found(copy, marks)).toBe(0)
    await next.close()
  }
})
