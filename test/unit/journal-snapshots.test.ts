/** Reading a snapshot once more, from a store that fails or has been damaged meanwhile. */
import { describe, expect, test } from 'vitest'
import type { DocumentLog } from '../../server/journal/journal.js'
import type { LevelJournal } from '../../server/journal/level-journal.js'
import { atVersion, flipBit } from '../support/journal-damage.js'
import { nextTurn, startJournal } from '../support/journal-start.js'
import { FakeStore } from '../support/journal-store.js'

/** A document with a snapshot at 2, open. */
const setup = async (): Promise<{
  store: FakeStore
  journal: LevelJournal
  log: DocumentLog
  key: Buffer
}> => {
  const store = new FakeStore()
  const journal = await startJournal(store)
  let durable = 0
  const log = await journal.open('doc', (seq) => {
    durable = seq
  })
  for (let n = 1; n <= 3; n++) log.append({ update: Uint8Array.of(n), time: n, author: '' })
  while (durable < 3) await nextTurn()
  const before = new Set(store.disk.keys())
  await log.compact({ seq: 2, update: Uint8Array.of(9) })
  const added = [...store.disk.keys()].find((key) => !before.has(key)) ?? ''
  return { store, journal, log, key: Buffer.from(added, 'hex') }
}

/** Has the record read as `change` makes it. */
const alter = (
  store: FakeStore,
  key: Buffer,
  change: (value: Uint8Array) => Uint8Array | undefined,
): void => {
  const get = store.get.bind(store)
  store.get = async (asked) => {
    const value = await get(asked)
    return value && key.equals(asked) ? change(value) : value
  }
}

describe('a snapshot that is read once more', () => {
  test('INKWIRE_STORE_FAILED while the store can’t be read; the document isn’t called damaged', async () => {
    const { store, journal, log } = await setup()
    store.readsFail = new Error('IO error: Input/output error')
    await expect(log.snapshot()).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
    expect(journal.quarantined.size).toBe(0)
    store.readsFail = null
    expect(await log.snapshot()).toMatchObject({ seq: 2 })
  })

  test('INKWIRE_DOCUMENT_DAMAGED for any bit that has flipped, and when it is gone; the document is set apart', async () => {
    const { store, journal, log, key } = await setup()
    const bits = (store.disk.get(key.toString('hex'))?.length ?? 0) * 8
    expect(bits).toBeGreaterThan(0)
    let bit = 0
    alter(store, key, (value) => (bit === bits ? undefined : flipBit(value, bit)))
    for (; bit <= bits; bit++) {
      await expect(log.snapshot(), `bit ${bit}`).rejects.toMatchObject({ code: 'INKWIRE_DOCUMENT_DAMAGED' })
      expect(journal.quarantined.get('doc')).toContain('snapshot 2')
    }
  })

  test('INKWIRE_STORE_FORMAT for one that a newer version has written', async () => {
    const { store, log, key } = await setup()
    alter(store, key, (value) => atVersion(9, key, value))
    await expect(log.snapshot()).rejects.toMatchObject({ code: 'INKWIRE_STORE_FORMAT' })
  })

  test('doesn’t wait for a compaction that the disk doesn’t take', async () => {
    const { store, log } = await setup()
    let write: () => void = () => undefined
    const reached = new Promise<void>((writing) => {
      store.gate = () => {
        writing()
        return new Promise((resolve) => {
          write = resolve
        })
      }
    })
    const compacting = log.compact({ seq: 3, update: Uint8Array.of(8) })
    await reached
    expect(await log.snapshot()).toMatchObject({ seq: 2 })
    write()
    await compacting
    expect(await log.snapshot()).toMatchObject({ seq: 3 })
  })

  test('is the new one when a compaction has just taken the old one away', async () => {
    const { store, log } = await setup()
    const [get, write] = [store.get.bind(store), store.write.bind(store)]
    let written: () => void = () => undefined
    const inStore = new Promise<void>((resolve) => {
      written = resolve
    })
    store.write = async (writes) => {
      await write(writes)
      written()
      // In the store already, and the log doesn't know yet.
      await nextTurn()
      await nextTurn()
    }
    let compacted: Promise<void> | null = null
    store.get = async (key) => {
      compacted ??= log.compact({ seq: 3, update: Uint8Array.of(8) })
      await inStore
      return get(key)
    }
    expect(await log.snapshot()).toMatchObject({ seq: 3 })
    await compacted
  })
})
