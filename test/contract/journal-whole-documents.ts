import { describe, expect, test } from 'vitest'
import { bytes, entry, names, openLog, plain, seqs, write } from '../support/journal-documents.js'
import type { StoreUnderTest } from '../support/journal-under-test.js'
import { ODD_NAMES } from '../support/odd-names.js'

/** What is done with documents as a whole, by name. */
export const describeWholeDocuments = (store: StoreUnderTest): void => {
  describe('list', () => {
    test('names documents with history in order of name bytes, however odd', async () => {
      for (const name of ODD_NAMES) await write(store.journal, name, 1)
      await openLog(store.journal, 'without history')
      const sorted = [...ODD_NAMES].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await names(store.journal)).toEqual(sorted)
      for await (const { name, generation } of store.journal.list()) {
        expect((await store.journal.read(name))?.generation).toBe(generation)
      }
    })

    test('goes on beyond one page', async () => {
      const many = Array.from({ length: 2500 }, (_, i) => `doc ${String(i).padStart(5, '0')}`)
      const logs = await Promise.all(many.map((name) => openLog(store.journal, name)))
      for (const { log } of logs) log.append(entry(1))
      await Promise.all(logs.map(({ durable }) => durable(1)))
      expect(await names(store.journal)).toEqual(many)
    })
  })

  describe('delete', () => {
    test('removes a document; its name starts anew under another generation', async () => {
      const log = await write(store.journal, 'a', 3)
      await write(store.journal, 'b', 1)
      expect(await store.journal.delete('a')).toBe(true)
      expect(await store.journal.delete('a')).toBe(false)
      expect(await store.journal.read('a')).toBeNull()
      expect(await names(store.journal)).toEqual(['b'])
      const { log: next, durable } = await openLog(store.journal, 'a')
      expect(next.document.generation).not.toBe(log.document.generation)
      expect(next.append(entry(1))).toBe(1)
      await durable(1)
      next.release()
      await store.reopen()
      expect(seqs(await store.journal.read('a'))).toEqual([1])
      expect((await store.journal.read('a'))?.generation).toBe(next.document.generation)
      expect(seqs(await store.journal.read('b'))).toEqual([1])
    })

    test('a name that starts anew right after is not touched by what is left to do of the deletion', async () => {
      for (let round = 1; round <= 5; round++) {
        await write(store.journal, 'a', round)
        expect(await store.journal.delete('a')).toBe(true)
        const next = await openLog(store.journal, 'a')
        for (let n = 1; n <= 20; n++) {
          next.log.append(entry(n))
          await next.durable(n)
        }
        next.log.release()
        expect(await names(store.journal)).toEqual(['a'])
        expect((await store.journal.read('a'))?.seq).toBe(20)
        await store.journal.delete('a')
      }
      await store.reopen()
      expect(await names(store.journal)).toEqual([])
    })

    test('is refused while the document has a writer', async () => {
      const { log } = await openLog(store.journal, 'a')
      await expect(store.journal.delete('a')).rejects.toMatchObject({ code: 'INKWIRE_STORE_LOCKED' })
      log.release()
      expect(await store.journal.delete('a')).toBe(false)
    })

    test('one of two at once finds it', async () => {
      await write(store.journal, 'a', 1)
      const found = await Promise.all([store.journal.delete('a'), store.journal.delete('a')])
      expect(found.filter(Boolean)).toHaveLength(1)
    })
  })

  describe('replace', () => {
    test('puts other contents in place under a new generation', async () => {
      const log = await write(store.journal, 'a', 3)
      const content = { snapshot: { seq: 5, update: bytes(5) }, tail: [entry(1), entry(2)] }
      const summary = await store.journal.replace('a', content)
      expect(summary.name).toBe('a')
      expect(summary.generation).not.toBe(log.document.generation)
      const check = async () => {
        const document = await store.journal.read('a')
        expect(document?.generation).toBe(summary.generation)
        expect(plain(document)).toMatchObject({ snapshot: { seq: 5, update: [5] }, seq: 7 })
        expect(seqs(document)).toEqual([6, 7])
      }
      await check()
      await store.reopen()
      await check()
    })

    test('creates a document, and one without a snapshot counts from 1', async () => {
      await store.journal.replace('a', { snapshot: null, tail: [entry(1), entry(2)] })
      const { log } = await openLog(store.journal, 'a')
      expect(log.document).toMatchObject({ snapshot: null, seq: 2 })
      expect(log.append(entry(3))).toBe(3)
    })

    test('refuses nothing at all, a snapshot of nothing, and a document that has a writer', async () => {
      await expect(store.journal.replace('a', { snapshot: null, tail: [] })).rejects.toThrow(RangeError)
      const empty = { snapshot: { seq: 0, update: bytes() }, tail: [entry(1)] }
      await expect(store.journal.replace('a', empty)).rejects.toThrow(RangeError)
      await openLog(store.journal, 'a')
      await expect(store.journal.replace('a', { snapshot: null, tail: [entry(1)] })).rejects.toMatchObject({
        code: 'INKWIRE_STORE_LOCKED',
      })
    })
  })

  describe('stats', () => {
    test('tells sizes, counts and times', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      for (let n = 1; n <= 4; n++) log.append(entry(n))
      await durable(4)
      await log.compact({ seq: 2, update: new Uint8Array(50) })
      const stats = await store.journal.stats('a')
      expect(stats).toMatchObject({
        name: 'a',
        generation: log.document.generation,
        seq: 4,
        snapshotBytes: 50,
        tailUpdates: 2,
        tailBytes: 6,
      })
      expect(stats?.created).toBeGreaterThan(0)
      expect(stats?.lastWrite).toBeGreaterThan(0)
      expect(await store.journal.stats('none')).toBeNull()
    })
  })
}
