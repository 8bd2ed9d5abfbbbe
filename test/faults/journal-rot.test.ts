/** Flipped bits, torn tails and missing files in copies of a real store: complete, or flagged; never silently short. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Journal, StoredDocument } from '../../server/journal/journal.js'
import { openLevelJournal } from '../../server/journal/level.js'
import type { LevelJournal } from '../../server/journal/level-journal.js'
import { repairFiles } from '../../server/journal/repair-files.js'
import { flipBit } from '../support/journal-damage.js'
import { until } from '../support/until.js'
import { documentName, drawer, snapshotOf, updateOf } from './journal-contents.js'

const SEED = Number(process.env.INKWIRE_SEED ?? Date.now() % 1_000_000)
const ROUNDS = Number(process.env.INKWIRE_ROT_ROUNDS ?? 30)
const DOCUMENTS = 12

/** Writes documents of which some rest long before others, compacts some, deletes one. */
const fill = async (journal: LevelJournal): Promise<Map<string, number>> => {
  const durable = new Map<string, number>()
  const names = Array.from({ length: DOCUMENTS }, (_, index) => documentName(index))
  const logs = await Promise.all(names.map((name) => journal.open(name, (seq) => durable.set(name, seq))))
  for (let round = 1; round <= 60; round++) {
    for (const [i, log] of logs.entries()) {
      if (round > 10 * (i + 1)) continue
      log.append({ update: updateOf(names[i] ?? '', round), time: round, author: `author ${i}` })
    }
    await until('all is durable', () => journal.queuedBytes === 0)
    if (round === 45) {
      logs[3]?.release()
      await journal.delete(names[3] ?? '')
      durable.set(names[3] ?? '', 0)
    }
    if (round === 30) await logs[7]?.compact({ seq: 25, update: snapshotOf(names[7] ?? '', 25) })
  }
  for (const log of logs) log.release()
  // The witness is told a moment after the commit; who verifies waits for that.
  for await (const finding of journal.verify()) expect(finding).toBeNull()
  return durable
}

/** Every update that was salvaged is one that was written, in its order. */
const checkContents = ({ name, tail }: StoredDocument, durable: ReadonlyMap<string, number>): void => {
  let seq = 0
  for (const { update } of tail) {
    do seq++
    while (seq <= (durable.get(name) ?? 0) && Buffer.compare(updateOf(name, seq), update) !== 0)
    expect(seq, name).toBeLessThanOrEqual(durable.get(name) ?? 0)
  }
}

/** What became of a damaged store. */
type Outcome = 'complete' | 'flagged' | 'not opened'

const inspect = async (directory: string, durable: ReadonlyMap<string, number>): Promise<Outcome> => {
  let journal: Journal
  try {
    journal = await openLevelJournal({ directory, ballastBytes: 0 })
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^INKWIRE_STORE_(FAILED|FORMAT)$/) })
    return 'not opened'
  }
  let flagged = 0
  for (const [name, seq] of durable) {
    try {
      const document = await journal.read(name)
      expect(document?.seq ?? 0, `${name} is silently short`).toBe(seq)
      for (const entry of document?.tail ?? []) {
        expect(Buffer.compare(entry.update, updateOf(name, entry.seq))).toBe(0)
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'INKWIRE_DOCUMENT_DAMAGED'))
        throw error
      flagged++
    }
  }
  await journal.close()
  return flagged > 0 ? 'flagged' : 'complete'
}

describe.each(['killed', 'closed'] as const)('a store that was %s', (how) => {
  const draw = drawer(SEED)
  let root: string
  let store: string
  let durable: Map<string, number>
  let copies = 0

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'inkwire-rot-'))
    const live = join(root, 'live')
    store = join(root, 'store')
    const journal = await openLevelJournal({ directory: live, ballastBytes: 0 })
    durable = await fill(journal)
    // As the files lie there now is how a killed process leaves them.
    if (how === 'killed') await cp(live, store, { recursive: true })
    await journal.close()
    if (how === 'closed') await cp(live, store, { recursive: true })
  })

  afterAll(() => rm(root, { recursive: true }))

  /** The files of a folder that a store is made of, with their sizes. */
  const files = async (folder: string): Promise<{ path: string; size: number }[]> => {
    const names = (await readdir(join(store, folder))).filter((name) => !/^LO(CK|G)/.test(name))
    return Promise.all(
      names.map(async (name) => {
        const path = join(folder, name)
        return { path, size: (await stat(join(store, path))).size }
      }),
    )
  }

  const damagedCopy = async (damage: (copy: string) => Promise<void>): Promise<string> => {
    const copy = join(root, `copy ${++copies}`)
    await mkdir(copy)
    await cp(store, copy, { recursive: true })
    await damage(copy)
    return copy
  }

  const tryOut = async (damage: (copy: string) => Promise<void>): Promise<Outcome> => {
    const copy = await damagedCopy(damage)
    try {
      return await inspect(copy, durable)
    } finally {
      await rm(copy, { recursive: true })
    }
  }

  test('is complete when nothing happened to it', async () => {
    expect(await tryOut(async () => {})).toBe('complete')
  })

  test(`a bit flipped anywhere, ${ROUNDS} times (seed ${SEED})`, async () => {
    const all = [...(await files('journal')), ...(await files('witness'))]
    const total = all.reduce((sum, { size }) => sum + size, 0)
    const tally: Record<Outcome, number> = { complete: 0, flagged: 0, 'not opened': 0 }
    for (let round = 0; round < ROUNDS; round++) {
      let at = draw(total)
      const file = all.find(({ size }) => {
        if (at < size) return true
        at -= size
        return false
      })
      if (!file) continue
      const bit = at * 8 + draw(8)
      tally[
        await tryOut(async (copy) => {
          const path = join(copy, file.path)
          await writeFile(path, flipBit(await readFile(path), bit))
        })
      ]++
    }
    console.log(`${how}, flipped bits:`, tally)
  })

  test.runIf(how === 'closed')('has nothing in its log', async () => {
    for (const { path, size } of await files('journal')) if (path.endsWith('.log')) expect(size).toBe(0)
  })

  test.runIf(how === 'killed')(
    `its log cut anywhere, ${ROUNDS / 3} times (seed ${SEED})`,
    async (context) => {
      const logs = (await files('journal')).filter(({ path, size }) => path.endsWith('.log') && size > 0)
      // LevelDB may have begun a new log just before the kill.
      if (logs.length === 0) context.skip('there was nothing in the log when the process was killed')
      for (let round = 0; round < ROUNDS / 3; round++) {
        for (const { path, size } of logs) {
          expect(await tryOut((copy) => truncate(join(copy, path), draw(size)))).toBe('flagged')
        }
      }
    },
  )

  test(`repair, after a bit was flipped anywhere, ${ROUNDS / 3} times (seed ${SEED})`, async () => {
    const all = await files('journal')
    for (let round = 0; round < ROUNDS / 3; round++) {
      const file = all[draw(all.length)]
      if (!file || file.size === 0) continue
      const bit = draw(file.size * 8)
      const copy = await damagedCopy(async (to) => {
        const path = join(to, file.path)
        await writeFile(path, flipBit(await readFile(path), bit))
      })
      await repairFiles(copy)
      const journal = await openLevelJournal({ directory: copy, ballastBytes: 0 })
      for (const [name, seq] of durable) {
        const before = await journal.read(name).catch(() => 'damaged')
        const report = await journal.repair(name)
        expect(report !== null, `${file.path}, bit ${bit}, ${name}`).toBe(before === 'damaged')
        const repaired = await journal.read(name)
        expect(repaired?.tail.length ?? 0).toBeLessThanOrEqual(seq)
        if (report && repaired) checkContents(repaired, durable)
      }
      for await (const finding of journal.verify()) expect(finding).toBeNull()
      expect(journal.quarantined.size).toBe(0)
      await journal.close()
      await rm(copy, { recursive: true })
    }
  })

  test('any one file missing', async () => {
    for (const { path, size } of await files('journal')) {
      const outcome = await tryOut((copy) => rm(join(copy, path)))
      if (size > 0) expect(outcome, path).not.toBe('complete')
    }
    for (const { path } of await files('witness')) {
      expect(await tryOut((copy) => rm(join(copy, path))), path).toBe('complete')
    }
  })

  test('without CURRENT it is not taken for a new store, which would remove all tables; repair finds them', async () => {
    const copy = await damagedCopy((to) => rm(join(to, 'journal', 'CURRENT')))
    await expect(openLevelJournal({ directory: copy })).rejects.toMatchObject({
      code: 'INKWIRE_STORE_FAILED',
    })
    expect(await repairFiles(copy)).toBe(true)
    expect(await inspect(copy, durable)).toBe('complete')
    expect(await repairFiles(copy)).toBe(false)
    await rm(copy, { recursive: true })
  })

  test('all of the journal missing, but not the witness: not taken for a new store', async () => {
    expect(await tryOut((copy) => rm(join(copy, 'journal'), { recursive: true }))).toBe('flagged')
  })
})
