/** Verify names what is wrong; repair salvages what is readable, keeps the original, and says what was lost. */
import { beforeEach, describe, expect, test } from 'vitest'
import { parseKey } from '../../server/journal/keys.js'
import type { LevelJournal } from '../../server/journal/level-journal.js'
import type { Finding } from '../../server/journal/verify.js'
import { atVersion, flipBit } from '../support/journal-damage.js'
import { nextTurn, startJournal, startWitness } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'

const entry = (n: number) => ({ update: Uint8Array.of(n), time: 1000 + n, author: '' })

describe('a store', () => {
  let disk: Map<string, Uint8Array>
  let witnessDisk: Map<string, Uint8Array>
  let generations: Map<string, string>

  beforeEach(async () => {
    disk = new Map()
    witnessDisk = new Map()
    generations = new Map()
    const journal = await open()
    for (const name of ['a', 'b']) {
      let durable = 0
      const log = await journal.open(name, (seq) => {
        durable = seq
      })
      generations.set(name, log.document.generation)
      for (let n = 1; n <= 5; n++) {
        log.append(entry(n))
        while (durable < n) await nextTurn()
      }
      if (name === 'b') await log.compact({ seq: 2, update: Uint8Array.of(77) })
      log.release()
    }
    await journal.close()
  })

  const open = (): Promise<LevelJournal> =>
    startJournal(new FakeStore(disk), { witness: startWitness(new FakeStore(witnessDisk)) })

  /** The key of a record of a document. */
  const keyOf = (name: string, kind: string, seq = 0): string => {
    for (const key of disk.keys()) {
      const parsed = parseKey(Buffer.from(key, 'hex'))
      if (parsed.kind !== kind) continue
      if (parsed.kind === 'catalog' && Buffer.from(parsed.name).toString() === name) return key
      if (parsed.kind !== 'run' && parsed.kind !== 'snapshot') continue
      if (parsed.generation === generations.get(name) && parsed.seq === seq) return key
    }
    throw new Error(`no ${kind} ${seq} of ${name}`)
  }

  const verify = async (journal: LevelJournal): Promise<Finding[]> => {
    const findings: Finding[] = []
    for await (const finding of journal.verify()) findings.push(finding)
    return findings
  }

  const updates = async (journal: LevelJournal, name: string) => {
    const document = await journal.read(name)
    return {
      snapshot: document?.snapshot && [document.snapshot.seq, ...document.snapshot.update],
      tail: document?.tail.map(({ update }) => update[0]),
    }
  }

  test('that is whole has no findings, and nothing to repair', async () => {
    const journal = await open()
    const progress = { documents: 0, records: 0 }
    for await (const finding of journal.verify(progress)) expect(finding).toBeNull()
    // Format, two catalog entries, five runs, one snapshot and three runs.
    expect(progress).toEqual({ documents: 2, records: 12 })
    expect(await journal.repair('a')).toBeNull()
    expect(await journal.repair('unheard of')).toBeNull()
    await journal.close()
  })

  test('of which a document is deleted and another replaced while it is looked at: neither is lost', async () => {
    const store = new FakeStore(disk)
    const journal = await startJournal(store, { witness: startWitness(new FakeStore(witnessDisk)) })
    const change = async (): Promise<void> => {
      await journal.delete('a')
      await journal.replace('b', { snapshot: null, tail: [entry(1)] })
    }
    // What was seen has been read by then, and the catalog has not.
    store.beforeScan = change
    expect(await journal.lost()).toBe(0)
    await journal.close()
  })

  test('of which a document is deleted in the middle of a verification: that is no finding', async () => {
    const store = new FakeStore(disk)
    const journal = await startJournal(store, { witness: startWitness(new FakeStore(witnessDisk)) })
    store.beforeScan = async () => void (await journal.delete('a'))
    expect(await verify(journal)).toEqual([])
    await journal.close()
  })

  test('with lost catalog entries: it knows how many, with a witness', async () => {
    disk.delete(keyOf('a', 'catalog'))
    const journal = await open()
    expect(await journal.lost()).toBe(1)
    await journal.close()
    disk.delete(keyOf('b', 'catalog'))
    const again = await open()
    expect(await again.lost()).toBe(2)
    await again.repair('a')
    expect(await again.lost()).toBe(1)
    await again.close()
    const blind = await startJournal(new FakeStore(disk))
    expect(await blind.lost()).toBe(0)
    await blind.close()
  })

  test('with records missing in the middle and at the end: each gap is named, the rest is salvaged', async () => {
    disk.delete(keyOf('a', 'run', 2))
    disk.delete(keyOf('a', 'run', 5))
    const generation = generations.get('a')
    const journal = await open()
    const problems = ['update 2 is missing', 'update 5 is missing']
    expect(await verify(journal)).toEqual(problems.map((problem) => ({ document: 'a', generation, problem })))
    const report = await journal.repair('a')
    expect(report).toMatchObject({ name: 'a', aside: [generation], updates: 3, snapshot: false, problems })
    expect(report?.generation).not.toBe(generation)
    expect(await updates(journal, 'a')).toEqual({ snapshot: null, tail: [1, 3, 4] })
    expect(await verify(journal)).toEqual([])
    expect(journal.quarantined.size).toBe(0)
    // The damaged original is still there, until the document goes.
    expect(disk.has(keyOf('a', 'run', 4))).toBe(true)
    await journal.delete('a')
    await journal.settled()
    expect(() => keyOf('a', 'run', 4)).toThrow()
    await journal.close()
  })

  test('with a damaged record: the caller decides what of the rest still applies', async () => {
    const key = keyOf('b', 'run', 4)
    disk.set(key, flipBit(disk.get(key) ?? new Uint8Array(), 80))
    const journal = await open()
    expect((await verify(journal)).map(({ problem }) => problem)).toEqual([
      'run 4: checksum does not match',
      'update 4 is missing',
    ])
    const report = await journal.repair('b', async ({ snapshot, entries }) => {
      expect(entries.map(({ seq }) => seq)).toEqual([3, 5])
      return { snapshot, tail: entries.filter(({ seq }) => seq === 3) }
    })
    expect(report).toMatchObject({ updates: 1, snapshot: true })
    expect(await updates(journal, 'b')).toEqual({ snapshot: [2, 77], tail: [3] })
    await journal.close()
  })

  test('with a lost catalog entry: the document is found by the name in its records', async () => {
    disk.delete(keyOf('a', 'catalog'))
    const journal = await open()
    expect((await verify(journal)).map(({ document, problem }) => [document, problem])).toEqual([
      ['a', 'its records are there, but no catalog entry leads to them'],
      [null, "a document of 5 updates that was seen is not in the catalog; its name can't be told"],
    ])
    const report = await journal.repair('a')
    expect(report).toMatchObject({ aside: [generations.get('a')], updates: 5 })
    expect(await updates(journal, 'a')).toEqual({ snapshot: null, tail: [1, 2, 3, 4, 5] })
    expect(await verify(journal)).toEqual([])
    await journal.close()
  })

  test('with a lost catalog entry and first record: the document is found by the witness', async () => {
    disk.delete(keyOf('a', 'catalog'))
    disk.delete(keyOf('a', 'run', 1))
    const journal = await open()
    expect(await journal.repair('a')).toMatchObject({ aside: [generations.get('a')], updates: 4 })
    expect(await updates(journal, 'a')).toEqual({ snapshot: null, tail: [2, 3, 4, 5] })
    await journal.close()
  })

  test('with a lost catalog entry and records of two generations: the one that was seen last counts', async () => {
    const old = [1, 2, 3, 4, 5].map((n) => keyOf('a', 'run', n))
    const values = old.map((key) => disk.get(key) ?? new Uint8Array())
    const before = await open()
    await before.replace('a', { snapshot: null, tail: [entry(8), entry(9)] })
    await before.settled()
    await before.close()
    for (const [i, key] of old.entries()) disk.set(key, values[i] ?? new Uint8Array())
    disk.delete(keyOf('a', 'catalog'))
    const journal = await open()
    const report = await journal.repair('a')
    expect(report?.aside).toHaveLength(2)
    expect(await updates(journal, 'a')).toEqual({ snapshot: null, tail: [8, 9] })
    await journal.close()
  })

  test('with a damaged catalog entry: likewise', async () => {
    const key = keyOf('b', 'catalog')
    disk.set(key, flipBit(disk.get(key) ?? new Uint8Array(), 70))
    const journal = await open()
    expect((await verify(journal)).map(({ document }) => document)).toContain('b')
    expect(await journal.repair('b')).toMatchObject({ updates: 3, snapshot: true })
    expect(await verify(journal)).toEqual([])
    await journal.close()
  })

  test('with nothing readable left: the document is gone, and can start anew', async () => {
    for (let n = 1; n <= 5; n++) disk.delete(keyOf('a', 'run', n))
    const journal = await open()
    const report = await journal.repair('a')
    expect(report).toMatchObject({ generation: null, updates: 0, snapshot: false })
    expect(await journal.read('a')).toBeNull()
    expect(await verify(journal)).toEqual([])
    const log = await journal.open('a', () => {})
    expect(log.document.seq).toBe(0)
    log.release()
    await journal.close()
  })

  test('with a record of a newer version is reported and not repaired', async () => {
    const key = keyOf('a', 'run', 3)
    disk.set(key, atVersion(9, Buffer.from(key, 'hex'), disk.get(key) ?? new Uint8Array()))
    const journal = await open()
    expect((await verify(journal)).map(({ problem }) => problem)).toContain('a record is of format 9')
    await expect(journal.repair('a')).rejects.toMatchObject({ code: 'INKWIRE_STORE_FORMAT' })
    await journal.close()
  })

  test('with keys that mean nothing is reported', async () => {
    disk.set('7f01', Uint8Array.of(1))
    const journal = await open()
    expect(await verify(journal)).toEqual([
      { document: null, generation: null, problem: 'an unknown key: 7f01' },
    ])
    await journal.close()
  })

  test('that is written to while it is verified is not blamed for it', async () => {
    const journal = await open()
    const log = await journal.open('a', () => {})
    for await (const finding of journal.verify()) expect(finding).toBeNull()
    const verified = verify(journal)
    for (let n = 6; n <= 50; n++) {
      log.append(entry(n))
      await nextTurn()
    }
    expect(await verified).toEqual([])
    await journal.delete('b')
    await expect(journal.repair('a')).rejects.toMatchObject({ code: 'INKWIRE_STORE_LOCKED' })
    await journal.close()
  })
})
