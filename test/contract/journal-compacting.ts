import { describe, expect, test } from 'vitest'
import { bytes, entry, openLog, plain, plainSnapshot, seqs, write } from '../support/journal-documents.js'
import type { StoreUnderTest } from '../support/journal-under-test.js'

/** Snapshots: what they take the place of, and who still holds what. */
export const describeCompacting = (store: StoreUnderTest): void => {
  describe('compact', () => {
    test('puts a snapshot in the place of what it covers', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      for (let n = 1; n <= 10; n++) {
        log.append(entry(n))
        if (n % 3 === 0) await durable(n)
      }
      await durable(10)
      await log.compact({ seq: 7, update: bytes(9, 9, 9), index: bytes(4) })
      log.append(entry(11))
      await durable(11)
      const check = async () => {
        const document = await store.journal.read('a')
        expect(document?.snapshot?.seq).toBe(7)
        expect([...(document?.snapshot?.update ?? [])]).toEqual([9, 9, 9])
        expect([...(document?.snapshot?.index ?? [])]).toEqual([4])
        expect(seqs(document)).toEqual([8, 9, 10, 11])
        expect(document?.seq).toBe(11)
        expect(document?.generation).toBe(log.document.generation)
      }
      await check()
      log.release()
      await store.reopen()
      await check()
    })

    test('again and again, with nothing after it, keeps one snapshot', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      for (let n = 1; n <= 5; n++) {
        log.append(entry(n))
        await durable(n)
        await log.compact({ seq: n, update: bytes(n) })
      }
      log.release()
      await store.reopen()
      const document = await store.journal.read('a')
      expect(plain(document)).toMatchObject({ snapshot: { seq: 5, update: [5] }, tail: [], seq: 5 })
      expect(document?.snapshot).not.toHaveProperty('index')
      const { log: next, durable: then } = await openLog(store.journal, 'a')
      expect(next.append(entry(6))).toBe(6)
      await then(6)
      await next.compact({ seq: 6, update: bytes(6) })
      expect((await store.journal.read('a'))?.snapshot?.seq).toBe(6)
    })

    test('while updates are being appended loses none of them', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      let compactions: Promise<void> = Promise.resolve()
      for (let n = 1; n <= 200; n++) {
        log.append(entry(n))
        if (n % 20 !== 0) continue
        await durable(n - 5)
        const at = n - 5
        compactions = compactions.then(() => log.compact({ seq: at, update: bytes(at) }))
      }
      await compactions
      await durable(200)
      const document = await store.journal.read('a')
      expect(document?.snapshot?.seq).toBe(195)
      expect(seqs(document)).toEqual([196, 197, 198, 199, 200])
    })

    test('refuses what is not durable, nothing at all, and what an earlier one covers', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      log.append(entry(1))
      log.append(entry(2))
      await expect(log.compact({ seq: 2, update: bytes(1) })).rejects.toThrow(RangeError)
      await durable(2)
      await expect(log.compact({ seq: 0, update: bytes(1) })).rejects.toThrow(RangeError)
      await log.compact({ seq: 2, update: bytes(1) })
      await expect(log.compact({ seq: 1, update: bytes(1) })).rejects.toThrow(RangeError)
    })

    test("the log's document lets go of what is covered", async () => {
      await write(store.journal, 'a', 6)
      const { log } = await openLog(store.journal, 'a')
      await log.compact({ seq: 4, update: bytes(1) })
      expect(seqs(log.document)).toEqual([5, 6])
      expect(log.document).toMatchObject({ seq: 6, snapshot: { seq: 4 } })
    })
  })

  describe('snapshot and letGo', () => {
    test('reads once more what opening read, index included; null without one', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      expect(await log.snapshot()).toBeNull()
      for (let n = 1; n <= 6; n++) log.append(entry(n))
      await durable(6)
      expect(await log.snapshot()).toBeNull()
      await log.compact({ seq: 4, update: bytes(1, 2), index: bytes(3) })
      const read = await log.snapshot()
      expect([read?.seq, [...(read?.update ?? [])], [...(read?.index ?? [])]]).toEqual([4, [1, 2], [3]])
      await log.compact({ seq: 5, update: bytes(5) })
      expect(await log.snapshot()).toMatchObject({ seq: 5 })
      expect(await log.snapshot()).not.toHaveProperty('index')
      log.release()
      await store.reopen()
      const { log: next } = await openLog(store.journal, 'a')
      expect([...((await next.snapshot())?.update ?? [])]).toEqual([5])
    })

    test('while it is being replaced gives the old or the new one', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      for (let n = 1; n <= 100; n++) log.append(entry(n))
      await durable(100)
      await log.compact({ seq: 1, update: bytes(1) })
      for (let n = 2; n <= 100; n++) {
        const compacted = log.compact({ seq: n, update: bytes(n) })
        for (const seq of await Promise.all(
          [log.snapshot(), log.snapshot()].map(async (r) => (await r)?.seq),
        ))
          expect([n - 1, n]).toContain(seq)
        await compacted
        expect((await log.snapshot())?.seq).toBe(n)
      }
    })

    test('is not that of another document, nor of a generation before', async () => {
      for (const [name, value] of [
        ['a', 1],
        ['b', 2],
      ] as const) {
        await store.journal.replace(name, { snapshot: { seq: 3, update: bytes(value) }, tail: [] })
      }
      await store.journal.replace('a', { snapshot: { seq: 2, update: bytes(9) }, tail: [] })
      const { log } = await openLog(store.journal, 'a')
      expect(plainSnapshot(await log.snapshot())).toEqual([2, 9])
      const { log: other } = await openLog(store.journal, 'b')
      expect(plainSnapshot(await other.snapshot())).toEqual([3, 2])
    })

    test('refuses when the log was released or the journal closed', async () => {
      const { log } = await openLog(store.journal, 'a')
      log.release()
      await expect(log.snapshot()).rejects.toThrow('released')
      const { log: open } = await openLog(store.journal, 'b')
      await store.journal.close()
      await expect(open.snapshot()).rejects.toMatchObject({ code: 'INKWIRE_STORE_CLOSED' })
    })

    test('a log that has let go holds no contents, before and after a compaction, and goes on', async () => {
      await write(store.journal, 'a', 3)
      const { log, durable } = await openLog(store.journal, 'a')
      const { generation } = log.document
      log.letGo()
      expect(log.document).toEqual({ name: 'a', generation, snapshot: null, tail: [], seq: 3 })
      log.append(entry(4))
      await durable(4)
      await log.compact({ seq: 3, update: bytes(1) })
      expect(log.document).toMatchObject({ snapshot: null, tail: [] })
      expect(plainSnapshot(await log.snapshot())).toEqual([3, 1])
      expect(seqs(await store.journal.read('a'))).toEqual([4])
    })
  })
}
