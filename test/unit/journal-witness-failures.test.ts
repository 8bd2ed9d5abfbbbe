/** The witness while its store fails: what it keeps, when it tries again, and what it says. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nameToBytes } from '../../server/journal/name.js'
import { type Seen, type Witnessed, witnessKey } from '../../server/journal/seen.js'
import type { Witness } from '../../server/journal/witness.js'
import { startJournal, startWitness } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'
import { later, seen } from '../support/journal-witness.js'

const G1 = '1'.repeat(32)
const G2 = '2'.repeat(32)
const name = nameToBytes('a')
const document = () => ({ witnessKey: witnessKey(name), generation: G1 })

describe('a witness that cannot be written', () => {
  const name2 = nameToBytes('b')
  const document2 = { witnessKey: witnessKey(name2), generation: G2 }
  let store: FakeStore
  let witness: Witness
  let logged: string[]
  let hasRoom: boolean

  beforeEach(async () => {
    vi.useFakeTimers({ now: 0 })
    store = new FakeStore()
    logged = []
    hasRoom = true
    witness = startWitness(store, {
      later,
      hasRoom: async () => hasRoom,
      elapsed: Date.now,
      logger: {
        info: (_, message) => logged.push(`info: ${message}`),
        warn: (_, message) => logged.push(`warn: ${message}`),
        error: (_, message) => logged.push(`error: ${message}`),
      },
    })
    await told(document(), 1)
  })
  afterEach(async () => {
    await witness.close()
    vi.useRealTimers()
  })

  const told = async (of: Witnessed, seq: number): Promise<void> => {
    witness.saw(of, seq)
    await vi.advanceTimersByTimeAsync(100)
  }
  const fail = async (seq: number): Promise<void> => {
    store.broken = new Error('IO error: No space left on device')
    await told(document(), seq)
  }
  /** What somebody finds who looks after the process was killed. */
  const onDisk = (of: Uint8Array): Promise<Seen | null> => startWitness(new FakeStore(store.disk)).recall(of)

  test('tries again by itself, and tells the last word on each document that it was told meanwhile', async () => {
    await fail(2)
    expect(witness.working).toBe(false)
    store.broken = null
    for (let seq = 1; seq <= 5; seq++) await told(document2, seq)
    expect(await onDisk(name)).toEqual(seen({ seq: 1 }))
    await vi.advanceTimersByTimeAsync(1000)
    expect(store.reopened).toEqual([{ repair: false }])
    expect(store.batches.at(-1)).toHaveLength(2)
    expect(witness.working).toBe(true)
    // The word that could not be written, though nothing came after it; and the last one of the other document.
    expect(await onDisk(name)).toEqual(seen({ seq: 2 }))
    expect(await onDisk(name2)).toEqual(seen({ generation: G2, seq: 5 }))
    await told(document(), 3)
    expect(await onDisk(name)).toEqual(seen({ seq: 3 }))
  })

  test('tries after 1 s, then after twice as long each time, up to a minute', async () => {
    const times: number[] = []
    const reopen = store.reopen.bind(store)
    store.reopen = (...given) => {
      times.push(Date.now())
      return reopen(...given)
    }
    await fail(2)
    const began = Date.now()
    await vi.advanceTimersByTimeAsync(250_000)
    const pauses = times.map((time, index) => time - (times[index - 1] ?? began))
    expect(pauses.map((ms) => Math.round(ms / 1000))).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  test('says so once, and once that it works again', async () => {
    await fail(2)
    await vi.advanceTimersByTimeAsync(20_000)
    await told(document(), 3)
    const begins = 'warn: the witness can not be written; until it can, losses may go unnoticed'
    expect(logged).toEqual([begins])
    store.broken = null
    await vi.advanceTimersByTimeAsync(60_000)
    expect(logged).toEqual([begins, 'info: the witness works again'])
    await fail(4)
    expect(logged.at(-1)).toBe(begins)
  })

  test('is tried at once when the journal works again', async () => {
    const journals = new FakeStore()
    const journal = await startJournal(journals, { witness, wait: () => Promise.resolve() })
    const log = await journal.open('c', () => {})
    await fail(2)
    await vi.advanceTimersByTimeAsync(40_000)
    expect(journal.witnessed).toBe(false)
    store.broken = null
    journals.failures.push('nothing written')
    log.append({ update: Uint8Array.of(1), time: 0, author: '' })
    await vi.waitFor(() => expect(journal.witnessed).toBe(true), { interval: 1, timeout: 100 })
    expect(await onDisk(name)).toEqual(seen({ seq: 2 }))
    // Once is enough.
    const { length } = store.reopened
    await vi.advanceTimersByTimeAsync(200_000)
    expect(store.reopened).toHaveLength(length)
  })

  test('is still read while there is no room to open it again', async () => {
    hasRoom = false
    await fail(2)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(store.reopened).toEqual([])
    expect(await witness.recall(name)).toEqual(seen({ seq: 1 }))
    hasRoom = true
    store.broken = null
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await onDisk(name)).toEqual(seen({ seq: 2 }))
  })

  test('over a damaged table has its store repaired first', async () => {
    store.broken = Object.assign(new Error('Corruption: bad block'), { code: 'LEVEL_CORRUPTION' })
    await told(document(), 2)
    store.broken = null
    await vi.advanceTimersByTimeAsync(1000)
    expect(store.reopened).toEqual([{ repair: true }])
  })

  test('keeps nobody waiting who wants what was seen to be written', async () => {
    await fail(2)
    const before = Date.now()
    await witness.flush()
    expect(Date.now()).toBe(before)
  })

  test('has a last try when it is closed, and none after it', async () => {
    await fail(2)
    await vi.advanceTimersByTimeAsync(10_000)
    store.broken = null
    await witness.close()
    expect(store.closed).toBe(true)
    expect(await onDisk(name)).toEqual(seen({ seq: 2 }))
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is closed at once, also when the last try fails', async () => {
    await fail(2)
    await witness.close()
    expect(store.closed).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    // A commit that hung until now.
    await told(document(), 3)
    await vi.advanceTimersByTimeAsync(200_000)
    expect(store.reopened).toHaveLength(1)
  })

  test('does not believe its store that a document is leaving, before it was opened again', async () => {
    await fail(2)
    const leaving = (): Promise<void> => witness.leaving(name, { generation: G1, seq: 1 })
    await expect(leaving()).rejects.toThrow('No space left')
    // The change was not made, so it is not about to leave.
    store.broken = null
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await onDisk(name)).toEqual(seen({ seq: 2 }))
    await fail(3)
    store.broken = null
    await leaving()
    expect(await onDisk(name)).toEqual(seen({ seq: 3, leaving: true }))
    // Nor is anything older written after it.
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await onDisk(name)).toEqual(seen({ seq: 3, leaving: true }))
  })

  test('forgets later who left, but not who has come under that name since', async () => {
    await told(document2, 1)
    await witness.leaving(name, { generation: G1, seq: 1 })
    await witness.leaving(name2, { generation: G2, seq: 1 })
    store.broken = new Error('IO error')
    await witness.forget(name)
    await witness.forget(name2)
    witness.saw({ ...document2, generation: G1 }, 7)
    store.broken = null
    await vi.advanceTimersByTimeAsync(1000)
    expect(await onDisk(name)).toBeNull()
    expect(await onDisk(name2)).toEqual(seen({ seq: 7 }))
  })
})
