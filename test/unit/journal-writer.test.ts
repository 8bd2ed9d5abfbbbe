/** Which updates and compactions are written together, and when. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { DocumentLog } from '../../server/journal/journal.js'
import { STALLED_MS } from '../../server/journal/write-watch.js'
import { nextTurn } from '../support/journal-start.js'
import {
  deferred,
  entry,
  journal,
  open,
  startAnew,
  store,
  until,
  withJournal,
} from '../support/journal-writer.js'

describe('the writer', () => {
  withJournal()

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
      await startAnew({ elapsed: () => now })
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
      await startAnew({ onCommit })
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

    const passTen = async (): Promise<void> => {
      await pass(5)
      await until(() => timers.length > 0)
      await pass(5)
    }

    beforeEach(async () => {
      now = 0
      timers = []
      await startAnew({
        elapsed: () => now,
        later: (ms, task) => {
          // Whether the disk answers is looked at beside it.
          if (ms === STALLED_MS) return () => {}
          const timer = { due: now + ms, task }
          timers.push(timer)
          return () => {
            timers = timers.filter((each) => each !== timer)
          }
        },
      })
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
      await pass(5)
      await until(() => timers.length > 0)
      expect(acks.at(-1)).toBe(100)
      await pass(5)
      await until(() => acks.at(-1) === 101)
      expect(timers).toEqual([])
      log.append(entry(102))
      await until(() => timers.length > 0)
      await passTen()
      await until(() => acks.at(-1) === 102)
    })

    test('waits for more as long as more keeps coming, for 33 ms at most', async () => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      for (let n = 1; n <= 6; n++) {
        log.append(entry(first + n))
        await pass(5)
        await until(() => timers.length > 0)
      }
      expect(acks.at(-1)).toBe(first - 1)
      log.append(entry(first + 7))
      await pass(4)
      await until(() => acks.at(-1) === first + 7)
    })

    test('what comes meanwhile goes along', async () => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      const before = store.batches.length
      const others = await Promise.all(['b', 'c', 'd'].map(open))
      for (const other of others) other.log.append(entry(1))
      await passTen()
      await until(() => acks.at(-1) === first && others.every((other) => other.acks.length > 0))
      expect(store.batches).toHaveLength(before + 1)
    })

    test.each([
      ['sixteen updates at once', 16, 3],
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

    test('so are thirty-two that came one by one', async () => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      for (let n = 1; n < 15; n++) log.append(entry(first + n))
      await pass(5)
      await until(() => timers.length > 0)
      // More than would have been enough a moment before.
      for (let n = 15; n < 31; n++) log.append(entry(first + n))
      expect(acks.at(-1)).toBe(first - 1)
      log.append(entry(first + 31))
      await until(() => acks.at(-1) === first + 31)
      expect(timers).toEqual([])
    })

    test('after a quiet time commits come at once again', async () => {
      const { log, acks } = await open('a')
      const first = await until10Apart(log, acks)
      await passTen()
      await until(() => acks.at(-1) === first)
      await pass(3400)
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
})
