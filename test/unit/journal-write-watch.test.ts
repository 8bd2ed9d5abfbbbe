/** What is known of a write that the disk doesn't answer. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WriteWatch } from '../../server/journal/write-watch.js'
import { startJournal } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'
import { deferred } from '../support/journal-writer.js'

let logged: string[]
let timers: number

const deps = {
  elapsed: () => Date.now(),
  later: (ms: number, task: () => void) => {
    timers++
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
  logger: {
    info: (_: object, message: string) => logged.push(`info: ${message}`),
    warn: (_: object, message: string) => logged.push(`warn: ${message}`),
    error: (_: object, message: string) => logged.push(`error: ${message}`),
  },
}
const HUNG = 'error: the disk has not answered for 5 s; nothing is saved until it does'
const AGAIN = 'info: the disk answers again'

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  logged = []
  timers = 0
})
afterEach(() => void vi.useRealTimers())

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

describe('a write that the disk doesn’t answer', () => {
  test('has stalled after 5 s, which is said once, as that it answers again', async () => {
    const watch = new WriteWatch(deps)
    const disk = deferred()
    const written = watch.during(() => disk.promise)
    await pass(4999)
    expect([watch.ms, watch.stalledMs, logged]).toEqual([4999, 0, []])
    await pass(1)
    expect([watch.ms, watch.stalledMs, logged]).toEqual([5000, 5000, [HUNG]])
    await pass(60_000)
    expect([watch.ms, watch.stalledMs, logged]).toEqual([65_000, 65_000, [HUNG]])
    disk.resolve()
    await written
    expect([watch.ms, watch.stalledMs, logged]).toEqual([0, 0, [HUNG, AGAIN]])
  })

  test('is noticed after many that took no time, and again the next time', async () => {
    const watch = new WriteWatch(deps)
    for (let round = 1; round <= 2; round++) {
      for (let n = 0; n < 320; n++) await Promise.all([watch.during(async () => {}), pass(10)])
      expect(logged).toHaveLength(2 * (round - 1))
      const disk = deferred()
      const written = watch.during(() => disk.promise)
      await pass(4999)
      expect(logged).toHaveLength(2 * (round - 1))
      await pass(1)
      expect(logged.at(-1)).toBe(HUNG)
      disk.resolve()
      await written
    }
    expect(logged).toEqual([HUNG, AGAIN, HUNG, AGAIN])
  })

  test('while the whole process was stopped is no news of the disk: it is looked at once more', async () => {
    const watch = new WriteWatch(deps)
    const [answered, hung] = [deferred(), deferred()]
    const first = watch.during(() => answered.promise)
    vi.setSystemTime(60_000)
    await pass(5000)
    expect(logged).toEqual([])
    answered.resolve()
    await first
    await pass(1000)
    expect(logged).toEqual([])

    const second = watch.during(() => hung.promise)
    vi.setSystemTime(120_000)
    await pass(5999)
    expect(logged).toEqual([])
    await pass(1)
    expect(logged).toEqual([HUNG])
    hung.resolve()
    await second
  })

  test('that fails is over', async () => {
    const watch = new WriteWatch(deps)
    await expect(watch.during(() => Promise.reject(new Error('IO error')))).rejects.toThrow('IO error')
    expect(watch.ms).toBe(0)
    await pass(10_000)
    expect(logged).toEqual([])
  })

  test('is looked for by one timer for all writes of five seconds, and by none when there are none', async () => {
    const watch = new WriteWatch(deps)
    for (let n = 0; n < 1000; n++) await Promise.all([watch.during(async () => {}), pass(10)])
    expect(timers).toBeLessThanOrEqual(2)
    await pass(10_000)
    expect(vi.getTimerCount()).toBe(0)
    await watch.during(async () => {})
    watch.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the journal', () => {
  test.each(['append', 'compact', 'delete'] as const)('whose disk hangs during %s says so', async (step) => {
    const store = new FakeStore()
    const journal = await startJournal(store, deps)
    const entry = { update: Uint8Array.of(1), time: 0, author: '' }
    const acks: number[] = []
    const log = await journal.open('a', (seq) => acks.push(seq))
    log.append(entry)
    log.commit()
    await vi.waitFor(() => expect(acks).toEqual([1]))
    expect([journal.writingMs, journal.stalledMs]).toEqual([0, 0])
    const disk = deferred()
    store.gate = () => disk.promise
    const { length } = store.batches
    let done: Promise<unknown> = Promise.resolve()
    if (step === 'append') log.append(entry)
    if (step === 'compact') done = log.compact({ seq: 1, update: Uint8Array.of(1) })
    if (step === 'delete') {
      log.release()
      done = journal.delete('a')
    }
    await vi.waitFor(() => expect(store.batches).toHaveLength(length + 1))
    const before = journal.writingMs
    await pass(7000)
    expect(journal.writingMs - before).toBe(7000)
    expect(journal.stalledMs).toBe(journal.writingMs)
    expect(logged).toEqual([HUNG])
    // It isn't failing: whoever comes is let in.
    expect(journal.state.status).toBe('ok')
    const other = await journal.open('b', () => {})
    other.release()
    store.gate = () => Promise.resolve()
    disk.resolve()
    await done
    await vi.waitFor(() => expect(journal.writingMs).toBe(0))
    expect(logged).toEqual([HUNG, AGAIN])
    await journal.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is closed while its disk hangs leaves no timer', async () => {
    const store = new FakeStore()
    const journal = await startJournal(store, deps)
    const log = await journal.open('a', () => {})
    store.gate = () => new Promise(() => {})
    log.append({ update: Uint8Array.of(1), time: 0, author: '' })
    await vi.waitFor(() => expect(store.batches).toHaveLength(2))
    expect((await journal.close(10)).unsaved).toEqual([{ name: 'a', updates: 1 }])
    expect(vi.getTimerCount()).toBe(0)
  })
})
