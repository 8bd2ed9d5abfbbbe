/** Damage to single records: the document is complete or flagged, never silently short, and all others are served. */
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Journal, StoredDocument } from '../../server/journal/journal.js'
import { FORMAT_KEY, parseKey } from '../../server/journal/keys.js'
import type { LevelJournal } from '../../server/journal/level-journal.js'
import { encodeCatalog, readRecord } from '../../server/journal/records.js'
import { atVersion, flipBit } from '../support/journal-damage.js'
import { nextTurn, startJournal, startWitness } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'

const entry = (n: number) => ({ update: Uint8Array.of(n, n, n), time: 1000 + n, author: 'ada' })

/** Writes `runs` commits of two updates each, compacted up to `compacted`. */
const write = async (journal: Journal, name: string, runs: number, compacted: number): Promise<void> => {
  let durable = 0
  const log = await journal.open(name, (seq) => {
    durable = seq
  })
  for (let run = 0; run < runs; run++) {
    log.append(entry(run))
    const last = log.append(entry(run))
    while (durable < last) await nextTurn()
  }
  if (compacted > 0) await log.compact({ seq: compacted, update: Uint8Array.of(9) })
  log.release()
}

/** What opening a document comes to. */
const outcome = async (journal: Journal, name: string): Promise<StoredDocument | string | null> => {
  try {
    return await journal.read(name)
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'another error'
  }
}

describe('a damaged store', () => {
  let disk: Map<string, Uint8Array>
  let witnessDisk: Map<string, Uint8Array>
  let whole: Map<string, StoredDocument | string | null>
  const NAMES = ['tail', 'compacted', 'snapshot', 'b']

  beforeEach(async () => {
    disk = new Map()
    witnessDisk = new Map()
    const journal = await open(true)
    await write(journal, 'tail', 3, 0)
    await write(journal, 'compacted', 4, 5)
    await write(journal, 'snapshot', 2, 4)
    await write(journal, 'b', 1, 0)
    whole = new Map()
    for (const name of NAMES) whole.set(name, await outcome(journal, name))
    await journal.close()
  })

  const open = (witnessed: boolean): Promise<LevelJournal> =>
    startJournal(new FakeStore(disk), {
      witness: witnessed ? startWitness(new FakeStore(witnessDisk)) : null,
    })

  const keysOf = (kind: string): string[] =>
    [...disk.keys()].filter((key) => parseKey(Buffer.from(key, 'hex')).kind === kind)

  /** The runs of one document, in order. */
  const runsOf = (name: string): string[] => {
    const document = whole.get(name)
    const generation = typeof document === 'object' ? document?.generation : null
    return keysOf('run')
      .filter((key) => {
        const parsed = parseKey(Buffer.from(key, 'hex'))
        return parsed.kind === 'run' && parsed.generation === generation
      })
      .sort()
  }

  const documentKeys = (): string[] => [...disk.keys()].filter((key) => key !== hex(FORMAT_KEY))

  /** Every document is as it was, or refused as damaged; gives the names of the refused. */
  const completeOrFlagged = async (journal: Journal): Promise<string[]> => {
    const flagged: string[] = []
    for (const name of NAMES) {
      const now = await outcome(journal, name)
      if (now === 'INKWIRE_DOCUMENT_DAMAGED') flagged.push(name)
      else expect(now).toEqual(whole.get(name))
    }
    expect([...journal.quarantined.keys()].sort()).toEqual([...flagged].sort())
    return flagged
  }

  test('any one record gone: exactly one document is flagged, the others are served', async () => {
    for (const key of documentKeys()) {
      const value = disk.get(key)
      disk.delete(key)
      const journal = await open(true)
      expect(await completeOrFlagged(journal)).toHaveLength(1)
      await journal.close()
      if (value) disk.set(key, value)
    }
  })

  test('any one bit flipped: exactly one document is flagged, the others are served', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...documentKeys()), fc.nat(), async (key, at) => {
        const value = disk.get(key) ?? new Uint8Array()
        disk.set(key, flipBit(value, at % (value.length * 8)))
        const journal = await open(true)
        expect(await completeOrFlagged(journal)).toHaveLength(1)
        await journal.close()
        disk.set(key, value)
      }),
    )
  })

  test('any set of records gone: complete or flagged', async () => {
    const all = [...disk]
    await fc.assert(
      fc.asyncProperty(fc.subarray(documentKeys()), async (gone) => {
        for (const key of gone) disk.delete(key)
        const journal = await open(true)
        await completeOrFlagged(journal)
        await journal.close()
        for (const [key, value] of all) disk.set(key, value)
      }),
    )
  })

  test('without a witness a hole is noticed, but not that last updates are gone', async () => {
    const [first = '', second = '', third = ''] = runsOf('tail')
    const run = disk.get(second) ?? new Uint8Array()
    disk.delete(second)
    const journal = await open(false)
    await expect(journal.read('tail')).rejects.toThrow('updates 3 to 4 are missing')
    disk.set(second, run)
    disk.delete(third)
    expect(first).not.toBe('')
    const blind = await open(false)
    expect(await blind.read('tail')).toMatchObject({ seq: 4 })
    const seeing = await open(true)
    await expect(seeing.read('tail')).rejects.toThrow('updates 5 to 6 are missing')
    await Promise.all([journal.close(), blind.close(), seeing.close()])
  })

  test('the reason is told', async () => {
    for (const key of keysOf('run')) disk.delete(key)
    const journal = await open(true)
    await expect(journal.open('compacted', () => {})).rejects.toThrow(
      'document "compacted" is damaged: updates 6 to 8 are missing',
    )
    await expect(journal.open('b', () => {})).rejects.toThrow(
      'document "b" is damaged: its records are missing',
    )
    await journal.close()
  })

  test('a catalog entry that is gone is not taken for a new document', async () => {
    for (const key of keysOf('catalog')) disk.delete(key)
    const journal = await open(true)
    expect(await completeOrFlagged(journal)).toEqual(NAMES)
    await expect(journal.open('b', () => {})).rejects.toThrow('it is not in the catalog, but had 2 updates')
    expect(await outcome(journal, 'never heard of')).toBeNull()
    await journal.close()
  })

  test('records of another document under its generation are noticed', async () => {
    const [a, b] = keysOf('catalog')
    const [x, y] = [disk.get(a ?? ''), disk.get(b ?? '')]
    if (!a || !b || !x || !y) throw new Error('no two documents')
    // Sealed for another key, as a store with swapped entries would have them.
    disk.set(a, y)
    disk.set(b, x)
    const journal = await open(true)
    expect(await completeOrFlagged(journal)).toHaveLength(2)
    await journal.close()
  })

  test("a catalog entry that leads to another document's records is noticed", async () => {
    const [a = '', b = ''] = keysOf('catalog').filter((key) => disk.get(key)?.length)
    const other = readRecord(Buffer.from(b, 'hex'), disk.get(b) ?? new Uint8Array())
    if (other.status !== 'ok' || other.record.kind !== 'catalog') throw new Error('no catalog entry')
    disk.set(a, encodeCatalog(Buffer.from(a, 'hex'), other.record))
    const journal = await open(false)
    const parsed = parseKey(Buffer.from(a, 'hex'))
    const name = parsed.kind === 'catalog' ? Buffer.from(parsed.name).toString() : ''
    await expect(journal.read(name)).rejects.toThrow('belongs to another document')
    await journal.close()
  })

  test('a document that is replaced or deleted while it is read is not taken for damaged', async () => {
    for (const witnessed of [true, false]) {
      const store = new FakeStore(disk)
      const witness = witnessed ? startWitness(new FakeStore(witnessDisk)) : null
      const journal = await startJournal(store, { witness })
      store.beforeScan = async () => {
        await journal.replace('b', { snapshot: null, tail: [entry(1), entry(2), entry(3)] })
        await journal.settled()
      }
      expect(await journal.read('b')).toMatchObject({ seq: 3 })
      store.beforeScan = async () => {
        await journal.delete('b')
        await journal.settled()
      }
      expect(await journal.read('b')).toBeNull()
      await write(journal, 'b', 1, 0)
      await journal.close()
    }
  })

  test('records that a snapshot covers are passed over', async () => {
    const [run = ''] = runsOf('b')
    const covered = disk.get(run) ?? new Uint8Array()
    const journal = await open(true)
    const log = await journal.open('b', () => {})
    await log.compact({ seq: 2, update: Uint8Array.of(5) })
    log.release()
    await journal.close()
    expect(disk.has(run)).toBe(false)
    disk.set(run, covered)
    const again = await open(true)
    expect(await again.read('b')).toMatchObject({ seq: 2, tail: [], snapshot: { seq: 2 } })
    await again.close()
  })

  test('a record of a newer version is refused in words, and never rewritten', async () => {
    for (const kind of ['catalog', 'run', 'snapshot']) {
      const [key] = keysOf(kind)
      const value = disk.get(key ?? '')
      if (!key || !value) throw new Error('no such record')
      const newer = atVersion(2, Buffer.from(key, 'hex'), value)
      disk.set(key, newer)
      const journal = await open(true)
      const outcomes = await Promise.all(NAMES.map((name) => outcome(journal, name)))
      expect(outcomes.filter((each) => each === 'INKWIRE_STORE_FORMAT')).toHaveLength(1)
      await journal.close()
      expect(disk.get(key)).toBe(newer)
      disk.set(key, value)
    }
  })

  test('a store of a newer version is not opened', async () => {
    const value = disk.get(hex(FORMAT_KEY))
    disk.set(hex(FORMAT_KEY), atVersion(2, FORMAT_KEY, value ?? new Uint8Array()))
    await expect(open(true)).rejects.toMatchObject({ code: 'INKWIRE_STORE_FORMAT' })
  })

  test('a damaged document can be deleted, and nothing of it is left', async () => {
    for (const key of keysOf('catalog')) disk.delete(key)
    for (const name of NAMES) {
      const journal = await open(true)
      expect(await journal.delete(name)).toBe(true)
      await journal.settled()
      expect(await outcome(journal, name)).toBeNull()
      await journal.close()
    }
    expect([...disk.keys()]).toEqual([hex(FORMAT_KEY)])
    expect(witnessDisk.size).toBe(0)
  })

  test('a damaged document can be replaced', async () => {
    for (const key of keysOf('run')) disk.delete(key)
    const journal = await open(true)
    const { generation } = await journal.replace('b', { snapshot: null, tail: [entry(1)] })
    expect(await journal.read('b')).toMatchObject({ generation, seq: 1 })
    expect(journal.quarantined.has('b')).toBe(false)
    await journal.close()
    const again = await open(true)
    expect(await again.read('b')).toMatchObject({ generation, seq: 1 })
    await again.close()
  })

  test('a damaged witness says nothing', async () => {
    for (const [key, value] of witnessDisk) witnessDisk.set(key, flipBit(value, 3))
    const journal = await open(true)
    expect(await completeOrFlagged(journal)).toEqual([])
    await journal.close()
  })

  test('in durability os a loss that a power cut explains is served, with a warning', async () => {
    witnessDisk.clear()
    const os = await startJournal(new FakeStore(disk), {
      durability: 'os',
      witness: startWitness(new FakeStore(witnessDisk), { synced: false }),
    })
    await write(os, 'b', 2, 0)
    await os.close()
    disk.delete(runsOf('b').at(-1) ?? '')
    const warnings: object[] = []
    const journal = await startJournal(new FakeStore(disk), {
      witness: startWitness(new FakeStore(witnessDisk)),
      logger: { info: () => {}, warn: (details) => warnings.push(details), error: () => {} },
    })
    expect(await journal.read('b')).toMatchObject({ seq: 4 })
    expect(warnings).toEqual([{ document: 'b', problem: 'updates 5 to 6 are missing' }])
    await journal.close()
  })
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
