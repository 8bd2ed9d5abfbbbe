/** What the writer does when a write fails, and what can be saved when the journal closes meanwhile. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { DocumentLog, JournalState } from '../../server/journal/journal.js'
import type { LevelJournal, LevelJournalDeps } from '../../server/journal/level-journal.js'
import { nextTurn, startJournal } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'
import { deferred, entry, journal, open, store, until, withJournal } from '../support/journal-writer.js'

describe('the writer', () => {
  let waits: number[]
  /** What stands in for waiting: at once, unless a test holds it. */
  let wait: LevelJournalDeps['wait']
  let makeRoom: () => Promise<boolean>

  const deps: Partial<LevelJournalDeps> = {
    makeRoom: () => makeRoom(),
    wait: (ms, signal) => wait(ms, signal),
  }
  const start = (on: FakeStore): Promise<LevelJournal> => startJournal(on, deps)

  beforeEach(() => {
    waits = []
    wait = async (ms) => {
      waits.push(ms)
      await nextTurn()
    }
    makeRoom = async () => true
  })
  withJournal(deps)

  describe('a failed write', () => {
    /** Writes until the store fails, and lets one batch be in flight when it does. */
    const failing = async (): Promise<{ log: DocumentLog; acks: number[]; states: JournalState[] }> => {
      const states: JournalState[] = []
      journal.onState((state) => states.push(state))
      const { log, acks } = await open('a')
      log.append(entry(1))
      await until(() => acks.length > 0)
      store.broken = new Error('IO error: No space left on device')
      log.append(entry(2))
      await until(() => journal.state.status === 'failing')
      return { log, acks, states }
    }

    test('stops the acknowledgements at once and starts them when all is written again', async () => {
      const { log, acks, states } = await failing()
      expect(journal.state).toEqual({
        status: 'failing',
        since: 1_700_000_000_000,
        reason: 'IO error: No space left on device',
      })
      for (let n = 3; n <= 9; n++) log.append(entry(n))
      await until(() => store.reopened.length >= 3)
      expect(acks).toEqual([1])
      expect(journal.queuedBytes).toBe(8 * 3)
      store.broken = null
      await until(() => acks.at(-1) === 9)
      expect(states.map(({ status }) => status)).toEqual(['failing', 'ok'])
      expect(journal.queuedBytes).toBe(0)
      const after = await start(new FakeStore(store.disk))
      expect((await after.read('a'))?.tail.map(({ update }) => update[0])).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8, 9,
      ])
      await after.close()
    })

    test('is not trusted to work again before the store was reopened', async () => {
      store.failures.push(null, 'nothing written')
      const { log, acks } = await open('a')
      log.append(entry(1))
      await until(() => acks.length > 0)
      log.append(entry(2))
      await until(() => acks.at(-1) === 2)
      expect(store.reopened).toEqual([{ repair: false }])
      // A write that only seemed to succeed would not be on the disk.
      const after = await start(new FakeStore(store.disk))
      expect((await after.read('a'))?.seq).toBe(2)
      await after.close()
    })

    test('that was written all the same does no harm when it is written again', async () => {
      store.failures.push('all written')
      const { log, acks } = await open('a')
      log.append(entry(1))
      await until(() => acks.length > 0)
      log.append(entry(2))
      await until(() => acks.at(-1) === 2)
      expect((await journal.read('a'))?.tail.map(({ seq }) => seq)).toEqual([1, 2])
    })

    test('is tried again with pauses that grow to 5 s', async () => {
      await failing()
      await until(() => waits.length >= 10)
      expect(waits.slice(0, 10)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
    })

    test('leaves the store open for reads while there is no room to reopen it', async () => {
      makeRoom = async () => false
      const { acks } = await failing()
      await until(() => waits.length >= 5)
      expect(store.reopened).toEqual([])
      expect((await journal.read('a'))?.seq).toBe(1)
      makeRoom = async () => true
      store.broken = null
      await until(() => acks.at(-1) === 2)
    })

    test('over a damaged table has the store repaired first', async () => {
      const { acks } = await failing()
      store.broken = Object.assign(new Error('Corruption: bad block'), { code: 'LEVEL_CORRUPTION' })
      await until(() => store.reopened.some(({ repair }) => repair))
      store.broken = null
      await until(() => acks.at(-1) === 2)
    })

    test('while it lasts new documents are refused, and old ones are opened and read', async () => {
      const { acks } = await failing()
      await expect(open('new')).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
      expect((await journal.read('a'))?.seq).toBe(1)
      store.broken = null
      await until(() => acks.at(-1) === 2)
      const { log } = await open('new')
      log.release()
    })

    test('while it lasts compact, delete and replace are refused at once and change nothing', async () => {
      const b = await open('b')
      b.log.append(entry(1))
      await until(() => b.acks.length > 0)
      b.log.release()
      const { log, acks } = await failing()
      const refused = { code: 'INKWIRE_STORE_FAILED' }
      await expect(log.compact({ seq: 1, update: Uint8Array.of(1) })).rejects.toMatchObject(refused)
      await expect(journal.delete('b')).rejects.toMatchObject(refused)
      const content = { snapshot: null, tail: [entry(9)] }
      await expect(journal.replace('b', content)).rejects.toMatchObject(refused)
      store.broken = null
      await until(() => acks.at(-1) === 2)
      expect((await journal.read('b'))?.tail).toHaveLength(1)
      await log.compact({ seq: 2, update: Uint8Array.of(1) })
    })

    test('of updates, before a compaction: that is refused, and not done when the store works again', async () => {
      const { log, acks } = await open('a')
      log.append(entry(1))
      await until(() => acks.at(-1) === 1)
      store.failures.push('nothing written')
      log.append(entry(2))
      const compaction = log.compact({ seq: 1, update: Uint8Array.of(7) })
      await expect(compaction).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
      await until(() => acks.at(-1) === 2)
      expect((await journal.read('a'))?.snapshot).toBeNull()
    })

    test.each([
      ['nothing written', false],
      ['all written', true],
    ] as const)('of a compaction with %s: the caller is told what is so', async (failure, landed) => {
      const { log, acks } = await open('a')
      for (let n = 1; n <= 3; n++) log.append(entry(n))
      await until(() => acks.at(-1) === 3)
      // Updates go first.
      store.failures.push(null, failure)
      const compaction = log.compact({ seq: 2, update: Uint8Array.of(7) })
      log.append(entry(4))
      if (landed) await compaction
      else await expect(compaction).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
      await until(() => acks.at(-1) === 4)
      const document = await journal.read('a')
      expect(document?.snapshot?.seq ?? 0).toBe(landed ? 2 : 0)
      expect(document?.tail.map(({ seq }) => seq)).toEqual(landed ? [3, 4] : [1, 2, 3, 4])
      await log.compact({ seq: 4, update: Uint8Array.of(8) })
      log.release()
      // No leftovers either way: format, catalog, one snapshot.
      expect(store.disk.size).toBe(3)
    })
  })

  describe('close', () => {
    test('while the store fails ends in time and tells by name what is not saved', async () => {
      const a = await open('a')
      const b = await open('b')
      const c = await open('c')
      c.log.append(entry(1))
      await until(() => c.acks.length > 0)
      store.broken = new Error('IO error')
      a.log.append(entry(1))
      a.log.append(entry(2))
      b.log.append(entry(1))
      await until(() => journal.state.status === 'failing')
      const deadline = deferred()
      const deadlines: number[] = []
      const backoff = wait
      wait = (ms, signal) => {
        if (ms !== 1234) return backoff(ms, signal)
        deadlines.push(ms)
        return deadline.promise
      }
      const closed = journal.close(1234)
      await until(() => deadlines.length === 1)
      deadline.resolve()
      const report = await closed
      expect([...report.unsaved].sort((x, y) => (x.name < y.name ? -1 : 1))).toEqual([
        { name: 'a', updates: 2 },
        { name: 'b', updates: 1 },
      ])
      expect(await journal.close()).toBe(report)
    })

    test('while the store fails saves all when it recovers in time', async () => {
      const { log, acks } = await open('a')
      store.broken = new Error('IO error')
      log.append(entry(1))
      await until(() => journal.state.status === 'failing')
      const held = wait
      wait = (ms, signal) => (ms === 5000 ? new Promise(() => {}) : held(ms, signal))
      const closed = journal.close()
      store.broken = null
      expect(await closed).toEqual({ unsaved: [] })
      expect(acks).toEqual([1])
    })

    test('does not wait for ever for a write that hangs', async () => {
      store.gate = () => new Promise(() => {})
      const { log } = await open('a')
      log.append(entry(1))
      await until(() => store.batches.length === 1)
      expect(await journal.close(10)).toEqual({ unsaved: [{ name: 'a', updates: 1 }] })
    })

    test('refuses what compactions and deletions were still waiting', async () => {
      const { log, acks } = await open('a')
      log.append(entry(1))
      await until(() => acks.length > 0)
      store.gate = () => new Promise(() => {})
      log.append(entry(2))
      await until(() => store.batches.length === 2)
      const compaction = log.compact({ seq: 1, update: Uint8Array.of(1) })
      const outcome = expect(compaction).rejects.toMatchObject({ code: 'INKWIRE_STORE_CLOSED' })
      await journal.close(10)
      await outcome
    })
  })
})
