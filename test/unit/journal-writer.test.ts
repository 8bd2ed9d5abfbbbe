/** Group commit and what happens when a write fails, on a store that fails when told to. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DocumentLog, JournalState } from '../../server/journal/journal.js'
import type { LevelJournal, LevelJournalDeps } from '../../server/journal/level-journal.js'
import { nextTurn, startJournal } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'

const entry = (n: number, size = 3) => ({
  update: new Uint8Array(size).fill(n),
  time: 1_700_000_000_000 + n,
  author: '',
})

/** A promise and its handles. */
const deferred = () => {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe('the writer', () => {
  let store: FakeStore
  let journal: LevelJournal
  let waits: number[]
  /** What stands in for waiting: at once, unless a test holds it. */
  let wait: LevelJournalDeps['wait']
  let makeRoom: () => Promise<boolean>

  const start = (on: FakeStore, more: Partial<LevelJournalDeps> = {}): Promise<LevelJournal> =>
    startJournal(on, { makeRoom: () => makeRoom(), wait: (ms, signal) => wait(ms, signal), ...more })

  const open = async (name: string) => {
    const acks: number[] = []
    const log = await journal.open(name, (seq) => acks.push(seq))
    return { log, acks }
  }

  /** Waits for the condition, turn by turn of the event loop. */
  const until = (condition: () => boolean): Promise<void> =>
    vi.waitFor(() => expect(condition()).toBe(true), { timeout: 5000, interval: 1 })

  beforeEach(async () => {
    waits = []
    wait = async (ms) => {
      waits.push(ms)
      await nextTurn()
    }
    makeRoom = async () => true
    store = new FakeStore()
    journal = await start(store)
    store.batches.length = 0
  })

  afterEach(async () => {
    store.broken = null
    store.gate = () => Promise.resolve()
    await journal.close()
  })

  describe('group commit', () => {
    test('all of one turn goes in one batch, one record per document', async () => {
      const a = await open('a')
      const b = await open('b')
      for (let n = 1; n <= 50; n++) {
        a.log.append(entry(n))
        b.log.append(entry(n))
      }
      await until(() => b.acks.length > 0)
      // Two runs and two catalog entries.
      expect(store.batches.map((batch) => batch.length)).toEqual([4])
      expect([a.acks, b.acks]).toEqual([[50], [50]])
    })

    test('all that is queued while a batch is in flight goes in the next one', async () => {
      const first = deferred()
      store.gate = () => first.promise
      const { log, acks } = await open('a')
      log.append(entry(1))
      await until(() => store.batches.length === 1)
      for (let n = 2; n <= 40; n++) {
        log.append(entry(n))
        await nextTurn()
      }
      expect(store.batches).toHaveLength(1)
      expect(acks).toEqual([])
      store.gate = () => Promise.resolve()
      first.resolve()
      await until(() => acks.at(-1) === 40)
      expect(acks).toEqual([1, 40])
      expect(store.batches).toHaveLength(2)
    })

    test('what is held until somebody wants it is written all the same when there are many, and no commit for a while', async () => {
      let now = 1000
      journal = await start(new FakeStore(), { elapsed: () => now })
      const { log, acks } = await open('a')
      const hold = (count: number): void => {
        for (let n = 0; n < count; n++) log.hold(entry(n))
      }
      hold(31)
      await nextTurn()
      await nextTurn()
      expect(acks).toEqual([])
      hold(1)
      await until(() => acks.length > 0)
      expect(acks).toEqual([32])
      now += 11
      hold(100)
      await nextTurn()
      await nextTurn()
      expect(acks).toEqual([32])
      now += 1
      hold(1)
      await until(() => acks.length > 1)
      expect(acks).toEqual([32, 133])
    })

    test('a flood in one document does not hold up the others', async () => {
      const flood = await open('flood')
      const floodWhenQuiet: number[] = []
      const quiet = await journal.open('quiet', () => floodWhenQuiet.push(flood.acks.at(-1) ?? 0))
      for (let n = 1; n <= 40; n++) flood.log.append(entry(n, 1024 * 1024))
      quiet.append(entry(1))
      await until(() => flood.acks.at(-1) === 40)
      expect(floodWhenQuiet[0]).toBeLessThan(20)
      for (const batch of store.batches) {
        const bytes = batch.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
        expect(bytes).toBeLessThan(10 * 1024 * 1024)
      }
      expect((await journal.read('flood'))?.tail.map(({ update }) => update[0])).toEqual(
        Array.from({ length: 40 }, (_, i) => i + 1),
      )
    })

    test('a listener that throws keeps nobody else from hearing', async () => {
      const bad = await journal.open('bad', () => {
        throw new Error('not mine')
      })
      const good = await open('good')
      bad.append(entry(1))
      good.log.append(entry(1))
      await until(() => good.acks.length > 0)
      expect(journal.state.status).toBe('ok')
    })

    test('tells what each commit was', async () => {
      const onCommit = vi.fn()
      await journal.close()
      store = new FakeStore()
      journal = await start(store, { onCommit })
      const { log, acks } = await open('a')
      log.append(entry(1, 10))
      log.append(entry(2, 20))
      await until(() => acks.length > 0)
      expect(onCommit.mock.calls).toEqual([
        [{ durationMs: expect.any(Number), documents: 1, updates: 2, bytes: 30 }],
      ])
    })
  })

  describe('commits that follow each other', () => {
    let now: number
    /** What waits, by when it is due. */
    let timers: { due: number; task: () => void }[]

    const pass = async (ms: number): Promise<void> => {
      now += ms
      for (const { task } of timers.filter(({ due }) => due <= now)) task()
      timers = timers.filter(({ due }) => due > now)
      await nextTurn()
    }

    beforeEach(async () => {
      await journal.close()
      now = 0
      timers = []
      store = new FakeStore()
      journal = await start(store, {
        elapsed: () => now,
        later: (ms, task) => {
          const timer = { due: now + ms, task }
          timers.push(timer)
          return () => {
            timers = timers.filter((each) => each !== timer)
          }
        },
      })
      store.batches.length = 0
    })

    /** As many commits as come at once after a quiet time, each waited for. */
    const until10Apart = async (log: DocumentLog, acks: number[]): Promise<number> => {
      for (let n = 1; ; n++) {
        log.append(entry(n))
        await until(() => acks.at(-1) === n || timers.length > 0)
        if (timers.length > 0) return n
      }
    }

    test('who waits for each commit gets a hundred at once, then one every 10 ms', async () => {
      const { log, acks } = await open('a')
      const waiting = await until10Apart(log, acks)
      expect(waiting).toBe(101)
      expect(timers.map(({ due }) => due)).toEqual([10])
      await pass(10)
      await until(() => acks.at(-1) === 101)
      expect(timers).toEqual([])
      log.append(entry(102))
      await until(() => timers.length > 0)
      expect(timers.map(({ due }) => due)).toEqual([20])
      await pass(10)
      await until(() => acks.at(-1) === 102)
    })

    test('what comes meanwhile goes along', async () => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      const before = store.batches.length
      const others = await Promise.all(['b', 'c', 'd'].map(open))
      for (const other of others) other.log.append(entry(1))
      await pass(10)
      await until(() => acks.at(-1) === first && others.every((other) => other.acks.length > 0))
      expect(store.batches).toHaveLength(before + 1)
    })

    test.each([
      ['sixteen updates', 16, 3],
      ['64 KiB', 2, 40_000],
    ])('%s are enough for a commit of their own', async (_what, count, size) => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      for (let n = 1; n < count; n++) log.append(entry(n, size))
      expect(acks.at(-1)).toBe(first - 1)
      log.append(entry(count, size))
      await until(() => acks.at(-1) === first + count)
      expect(timers).toEqual([])
    })

    test('after a quiet time commits come at once again', async () => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      await pass(10)
      await until(() => acks.at(-1) === first)
      await pass(1000)
      const again = await open('b')
      expect(await until10Apart(again.log, again.acks)).toBe(101)
    })

    test('a journal that closes waits for no more', async () => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      expect((await journal.close()).unsaved).toEqual([])
      expect(acks.at(-1)).toBe(first)
      expect(timers).toEqual([])
    })
  })

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

  describe('a compaction', () => {
    test('waits while the garbage of an earlier one is being removed', async () => {
      const { log, acks } = await open('a')
      const grow = async (to: number): Promise<void> => {
        log.append(entry(to, 1024 * 1024))
        await until(() => acks.at(-1) === to)
      }
      const reclaimed = deferred()
      store.compacting = () => reclaimed.promise
      await grow(1)
      await grow(2)
      await log.compact({ seq: 1, update: Uint8Array.of(1) })
      let second = false
      const compaction = log.compact({ seq: 2, update: Uint8Array.of(2) }).then(() => {
        second = true
      })
      await grow(3)
      expect(second).toBe(false)
      reclaimed.resolve()
      await compaction
    })

    test('that still waits when its log is given back is refused', async () => {
      const { log, acks } = await open('a')
      log.append(entry(1))
      log.append(entry(2))
      await until(() => acks.at(-1) === 2)
      const written = deferred()
      store.gate = () => written.promise
      const first = log.compact({ seq: 1, update: Uint8Array.of(1) })
      const second = log.compact({ seq: 2, update: Uint8Array.of(2) })
      await until(() => store.batches.length === 2)
      log.release()
      const next = journal.open('a', () => {})
      written.resolve()
      await first
      await expect(second).rejects.toThrow('was released')
      expect((await next).document).toMatchObject({ seq: 2, snapshot: { seq: 1 } })
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
