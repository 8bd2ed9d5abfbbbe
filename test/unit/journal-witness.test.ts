/** What the witness says, and when it says it. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nameToBytes } from '../../server/journal/name.js'
import { judge, witnessKey } from '../../server/journal/seen.js'
import type { Witness } from '../../server/journal/witness.js'
import { nextTurn, startWitness } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'
import { later, seen } from '../support/journal-witness.js'

const G1 = '1'.repeat(32)
const G2 = '2'.repeat(32)

describe('judge', () => {
  test.each([
    ['nothing seen, nothing there', null, null, 'ok'],
    ['nothing seen', null, { generation: G1, seq: 4 }, 'ok'],
    ['as seen', seen(), { generation: G1, seq: 9 }, 'ok'],
    ['more than seen: the witness is late', seen(), { generation: G1, seq: 12 }, 'ok'],
    ['less than seen', seen(), { generation: G1, seq: 8 }, 'damaged'],
    ['gone', seen(), null, 'damaged'],
    ['another generation', seen(), { generation: G2, seq: 20 }, 'damaged'],
    ['about to go, and gone', seen({ leaving: true }), null, 'ok'],
    ['about to go, and still there', seen({ leaving: true }), { generation: G1, seq: 9 }, 'ok'],
    ['about to go, still there and short', seen({ leaving: true }), { generation: G1, seq: 3 }, 'damaged'],
    ['about to go, and replaced', seen({ leaving: true }), { generation: G2, seq: 1 }, 'ok'],
    ['not fsynced, and short', seen({ synced: false }), { generation: G1, seq: 8 }, 'lost'],
    ['not fsynced, and gone', seen({ synced: false }), null, 'lost'],
  ] as const)('%s', (_, was, found, status) => {
    expect(judge(was, found).status).toBe(status)
  })
})

describe('the witness', () => {
  const name = nameToBytes('a')
  const document = (generation = G1) => ({ witnessKey: witnessKey(name), generation })
  const start = (): { store: FakeStore; witness: Witness } => {
    const store = new FakeStore()
    return { store, witness: startWitness(store) }
  }

  test('remembers the last word, written once for many', async () => {
    const { store, witness } = start()
    for (let seq = 1; seq <= 50; seq++) witness.saw(document(), seq)
    await witness.flush()
    expect(store.batches.length).toBe(1)
    expect(await witness.recall(name)).toEqual(seen({ seq: 50 }))
    expect(await witness.recall(nameToBytes('b'))).toBeNull()
  })

  describe('is told', () => {
    beforeEach(() => void vi.useFakeTimers({ now: 0 }))
    afterEach(() => void vi.useRealTimers())

    /** A document is seen after each of these pauses; the times when that was written, which takes so long each time. */
    const written = async (pauses: readonly number[], took: number): Promise<number[]> => {
      const store = new FakeStore()
      const times: number[] = []
      const write = store.write.bind(store)
      store.write = async (...given) => {
        times.push(Date.now())
        await new Promise<void>((resolve) => later(took, resolve))
        await write(...given)
      }
      const witness = startWitness(store, { later, elapsed: Date.now })
      for (const [index, ms] of pauses.entries()) {
        await vi.advanceTimersByTimeAsync(ms)
        witness.saw(document(), index)
      }
      await vi.advanceTimersByTimeAsync(1000)
      await witness.flush()
      return times
    }
    const steady = (times: number, ms: number): number[] => Array.from({ length: times }, () => ms)

    test('20 ms after what comes once', async () => {
      expect(await written([0], 1)).toEqual([20])
    })

    test('while there is always more, so seldom that it takes one part in 300 of the time', async () => {
      const times = await written(steady(200, 10), 1)
      expect(times.slice(0, -1)).toEqual([30, 331, 632, 933, 1234, 1535, 1836])
    })

    test('half a second late at most', async () => {
      const times = await written(steady(200, 10), 5)
      expect(times.slice(0, -1)).toEqual([30, 535, 1040, 1545])
    })

    test('50 ms after the last of many: a quiet time finds nothing that it has not seen', async () => {
      const times = await written(steady(200, 10), 1)
      expect(times.at(-1)).toBe(2050)
    })

    test('of each that comes more than 50 ms after the one before', async () => {
      expect(await written(steady(4, 100), 1)).toEqual([120, 250, 350, 450])
    })
  })

  test('doesn’t pause any more when it is closed', async () => {
    const store = new FakeStore()
    const witness = startWitness(store, { later: () => () => {}, elapsed: () => 0 })
    witness.saw(document(), 9)
    await witness.close()
    expect(store.batches.length).toBe(1)
  })

  test('keeps no names', async () => {
    const { store, witness } = start()
    const secret = nameToBytes('a name that must not be told')
    witness.saw({ witnessKey: witnessKey(secret), generation: G1 }, 1)
    await witness.flush()
    for (const [key, value] of store.disk) {
      expect(Buffer.from(key, 'hex').includes(Buffer.from(secret))).toBe(false)
      expect(Buffer.from(value).includes(Buffer.from(secret))).toBe(false)
    }
  })

  test('nothing older overtakes the word that a document is leaving', async () => {
    const { store, witness } = start()
    let open = (): void => {}
    store.gate = () => new Promise((resolve) => (open = resolve))
    witness.saw(document(), 3)
    await nextTurn()
    await nextTurn()
    // One write is under way, one word is waiting.
    witness.saw(document(), 4)
    const left = witness.leaving(name, { generation: G1, seq: 4 })
    store.gate = () => Promise.resolve()
    open()
    await left
    await witness.flush()
    expect(await witness.recall(name)).toEqual(seen({ seq: 4, leaving: true }))
  })

  test('what comes after it was left counts again', async () => {
    const { witness } = start()
    await witness.leaving(name, { generation: G1, seq: 4 })
    witness.saw(document(G2), 1)
    await witness.flush()
    expect(await witness.recall(name)).toEqual(seen({ generation: G2, seq: 1 }))
    await witness.forget(name)
    expect(await witness.recall(name)).toBeNull()
  })

  test('a deletion that it cannot be told of is not begun', async () => {
    const { store, witness } = start()
    store.broken = new Error('IO error')
    await expect(witness.leaving(name, { generation: G1, seq: 1 })).rejects.toThrow('IO error')
    await witness.close()
  })

  test('that cannot be read says nothing', async () => {
    const { store, witness } = start()
    witness.saw(document(), 1)
    await witness.flush()
    store.readsFail = new Error('IO error')
    expect(await witness.recall(name)).toBeNull()
  })
})
