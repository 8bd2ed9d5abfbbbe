/** Damage to a table is the matter of the documents that lie there, and of nobody else. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LevelJournal, openLevelJournal } from '../../server/journal/level.js'
import { flipBit } from '../support/journal-damage.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const DOCUMENTS = 300

/** Every document gets an update of some 3 KB. */
const writeAll = async (journal: LevelJournal, names: readonly string[]): Promise<void> => {
  const logs = await Promise.all(names.map((name) => journal.open(name, () => {})))
  for (const log of logs) log.append({ update: randomBytes(3000), time: Date.now(), author: '' })
  await until('all is durable', () => journal.queuedBytes === 0)
  for (const log of logs) log.release()
}

const largestTable = async (folder: string): Promise<string> => {
  const tables = (await readdir(folder))
    .filter((file) => file.endsWith('.ldb'))
    .map((file) => join(folder, file))
  const sizes = await Promise.all(tables.map(async (path) => ({ path, size: (await stat(path)).size })))
  return sizes.sort((a, b) => b.size - a.size)[0]?.path ?? ''
}

test('a damaged block: a few documents are set apart, all others are served, written to and compacted', async () => {
  const directory = await tempDir()
  const names = Array.from({ length: DOCUMENTS }, (_, i) => `document ${i}`)
  let journal = await openLevelJournal({ directory, ballastBytes: 0 })
  await writeAll(journal, names)
  await journal.close()
  const path = await largestTable(join(directory, 'journal'))
  const table = await readFile(path)
  await writeFile(path, flipBit(table, Math.floor(table.length / 2) * 8 + 3))

  const told: string[] = []
  const logger = { info: () => {}, warn: () => {}, error: (_: object, text: string) => told.push(text) }
  journal = await openLevelJournal({ directory, ballastBytes: 0, logger })
  expect(told).toContain('a table of the store is damaged')
  for (const name of names) await journal.read(name).catch(() => null)
  const damaged = [...journal.quarantined.keys()]
  expect(damaged.length).toBeGreaterThan(0)
  expect(damaged.length).toBeLessThan(5)

  // New documents lie between the old ones; LevelDB compacts everything, again and again.
  const states: string[] = []
  journal.onState(({ status }) => states.push(status))
  const healthy = names.filter((name) => !damaged.includes(name))
  for (let round = 0; round < 4; round++) {
    await writeAll(journal, healthy)
    await writeAll(
      journal,
      Array.from({ length: 50 }, (_, i) => `new ${round} ${i}`),
    )
    await journal.delete(`new ${round} 0`)
    await journal.settled()
  }
  expect(states).toEqual([])
  for (const name of healthy) expect((await journal.read(name))?.seq).toBe(5)
  for (const name of damaged) expect((await journal.repair(name))?.aside.length).toBeLessThanOrEqual(1)
  expect(journal.quarantined.size).toBe(0)
  await journal.close()
  // The original of the table is kept.
  expect(await readdir(join(directory, 'journal', 'lost'))).toHaveLength(1)
})
