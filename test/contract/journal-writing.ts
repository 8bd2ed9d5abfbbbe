import { describe, expect, test } from 'vitest'
import type { DocumentLog, Entry } from '../../server/journal/journal.js'
import { bytes, entry, names, openLog, plain, seqs, write } from '../support/journal-documents.js'
import type { StoreUnderTest } from '../support/journal-under-test.js'

/** What a writer is promised: one at a time, numbers without a hole, and that what is durable stays. */
export const describeWriting = (store: StoreUnderTest): void => {
  describe('open', () => {
    test('a name never heard of is an empty document with a fresh generation, and writes nothing', async () => {
      const { log } = await openLog(store.journal, 'new')
      expect(log.document).toMatchObject({ name: 'new', snapshot: null, tail: [], seq: 0 })
      expect(log.document.generation).toMatch(/^[0-9a-f]{32}$/)
      expect(await names(store.journal)).toEqual([])
      expect(await store.journal.read('new')).toBeNull()
      log.release()
      const { log: again } = await openLog(store.journal, 'new')
      expect(again.document.generation).not.toBe(log.document.generation)
    })

    test('there is one writer at a time', async () => {
      const { log } = await openLog(store.journal, 'a')
      await expect(openLog(store.journal, 'a')).rejects.toMatchObject({ code: 'INKWIRE_STORE_LOCKED' })
      const both = await Promise.allSettled([openLog(store.journal, 'b'), openLog(store.journal, 'b')])
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      log.release()
      log.release()
      await openLog(store.journal, 'a')
    })

    test('a released log takes nothing more', async () => {
      const log = await write(store.journal, 'a', 1)
      expect(() => log.append(entry(2))).toThrow()
      await expect(log.compact({ seq: 1, update: bytes(1) })).rejects.toThrow()
    })

    test('a log with updates that are not durable cannot be released', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      log.append(entry(1))
      expect(() => log.release()).toThrow()
      await durable(1)
      log.release()
    })

    test.each([
      ['an empty name', ''],
      ['a name of 1,025 bytes', 'x'.repeat(1025)],
      ['a name of 342 characters and 1,026 bytes', '€'.repeat(342)],
      ['a name with a lone surrogate', 'lone \ud800'],
    ])('refuses %s', async (_, name) => {
      await expect(openLog(store.journal, name)).rejects.toMatchObject({ code: 'INKWIRE_BAD_NAME' })
      await expect(store.journal.read(name)).rejects.toMatchObject({ code: 'INKWIRE_BAD_NAME' })
    })
  })

  describe('append', () => {
    test('numbers updates from 1 without a hole, at once', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      expect([1, 2, 3].map((n) => log.append(entry(n)))).toEqual([1, 2, 3])
      await durable(3)
      expect(log.append(entry(4))).toBe(4)
      await durable(4)
    })

    test('onDurable comes after append returned, rises, and ends at the last update', async () => {
      const { log, acks, durable } = await openLog(store.journal, 'a')
      for (let n = 1; n <= 300; n++) {
        log.append(entry(n))
        if (n === 1) expect(acks).toEqual([])
        if (n % 100 === 0) await durable(n - 50)
      }
      await durable(300)
      expect(acks.at(-1)).toBe(300)
      expect(acks).toEqual([...new Set(acks)].sort((a, b) => a - b))
    })

    test('what onDurable named can be read by then', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      log.append(entry(1))
      await durable(1)
      expect(seqs(await store.journal.read('a'))).toEqual([1])
    })

    test('what is held is written with commit(), with what others write, and at the latest by close', async () => {
      const [one, other] = [await openLog(store.journal, 'a'), await openLog(store.journal, 'b')]
      expect([one.log.hold(entry(1)), one.log.hold(entry(2))]).toEqual([1, 2])
      expect(store.journal.queuedBytes).toBeGreaterThan(0)
      other.log.commit()
      one.log.commit()
      await one.durable(2)
      one.log.hold(entry(3))
      other.log.append(entry(1))
      await one.durable(3)
      one.log.hold(entry(4))
      expect(await store.journal.close()).toEqual({ unsaved: [] })
      expect(one.acks.at(-1)).toBe(4)
    })

    test('an append from within onDurable is kept like any other', async () => {
      let log: DocumentLog | null = null
      const done = new Promise<void>((resolve) => {
        void store.journal
          .open('a', (seq) => {
            if (seq < 5) log?.append(entry(seq + 1))
            else resolve()
          })
          .then((opened) => {
            log = opened
            opened.append(entry(1))
          })
      })
      await done
      expect(seqs(await store.journal.read('a'))).toEqual([1, 2, 3, 4, 5])
    })

    test('keeps bytes, time and author of each update; long authors are cut', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      const given: Entry[] = [
        { update: bytes(0, 0), time: 5, author: '' },
        { update: new Uint8Array(100_000).fill(7), time: 1_800_000_000_000, author: 'ada' },
        { update: bytes(), time: 3, author: '\u{1f98a}' },
        { update: bytes(1), time: 4, author: 'x'.repeat(300) },
        { update: bytes(2), time: 4, author: 'ada' },
      ]
      for (const each of given) log.append(each)
      await durable(5)
      const tail = plain(await store.journal.read('a'))?.tail
      expect(tail?.map(({ update, time }) => ({ update, time }))).toEqual(
        given.map(({ update, time }) => ({ update: [...update], time })),
      )
      expect(tail?.map(({ author }) => author)).toEqual(['', 'ada', '\u{1f98a}', 'x'.repeat(256), 'ada'])
    })

    test('queuedBytes counts what is not durable', async () => {
      const { log, durable } = await openLog(store.journal, 'a')
      expect(store.journal.queuedBytes).toBe(0)
      log.append({ update: new Uint8Array(1000), time: 1, author: '' })
      log.append({ update: new Uint8Array(500), time: 1, author: '' })
      expect(store.journal.queuedBytes).toBe(1500)
      await durable(2)
      expect(store.journal.queuedBytes).toBe(0)
    })

    test('a hundred documents written at once do not disturb each other', async () => {
      const logs = await Promise.all(
        Array.from({ length: 100 }, (_, i) => openLog(store.journal, `doc ${i}`)),
      )
      for (let n = 1; n <= 20; n++) {
        for (const [i, { log }] of logs.entries()) log.append(entry(n * 100 + i, `author ${i}`))
        if (n % 5 === 0) await logs[n]?.durable(n)
      }
      await Promise.all(logs.map(({ durable }) => durable(20)))
      for (const [i] of logs.entries()) {
        const document = await store.journal.read(`doc ${i}`)
        expect(seqs(document)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
        expect(document?.tail.every(({ author }) => author === `author ${i}`)).toBe(true)
        expect([...(document?.tail[4]?.update ?? [])]).toEqual([...entry(500 + i).update])
      }
    })

    test('more than one batch holds, in documents that share it, is kept whole', async () => {
      const logs = await Promise.all(['a', 'b', 'c'].map((name) => openLog(store.journal, name)))
      for (let n = 1; n <= 12; n++) {
        for (const { log } of logs)
          log.append({ update: new Uint8Array(1 << 20).fill(n), time: n, author: '' })
      }
      await Promise.all(logs.map(({ durable }) => durable(12)))
      for (const name of ['a', 'b', 'c']) {
        const document = await store.journal.read(name)
        expect(document?.tail.map(({ update }) => update[99])).toEqual([
          1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
        ])
      }
    })
  })

  describe('reopening', () => {
    test('gives the same document, generation included, and goes on where it ended', async () => {
      await write(store.journal, 'a', 3)
      const before = await store.journal.read('a')
      await store.reopen()
      expect(plain(await store.journal.read('a'))).toEqual(plain(before))
      const { log, durable } = await openLog(store.journal, 'a')
      expect(plain(log.document)).toEqual(plain(before))
      expect(log.append(entry(4))).toBe(4)
      await durable(4)
      await store.reopen()
      const after = await store.journal.read('a')
      expect(seqs(after)).toEqual([1, 2, 3, 4])
      expect(after?.generation).toBe(before?.generation)
    })

    test('after a crash all that was durable is there, and no hole', async () => {
      const { log, acks, durable } = await openLog(store.journal, 'a')
      for (let n = 1; n <= 500; n++) {
        log.append(entry(n))
        if (n % 50 === 0) await durable(n - 40)
      }
      const acknowledged = acks.at(-1) ?? 0
      await store.crash()
      const document = await store.journal.read('a')
      expect(document?.seq).toBeGreaterThanOrEqual(acknowledged)
      expect(seqs(document)).toEqual(Array.from({ length: document?.seq ?? 0 }, (_, i) => i + 1))
    })
  })

  describe('close', () => {
    test('commits what is queued, and is idempotent', async () => {
      const { log } = await openLog(store.journal, 'a')
      for (let n = 1; n <= 1000; n++) log.append(entry(n))
      const reports = await Promise.all([store.journal.close(), store.journal.close()])
      expect(reports).toEqual([{ unsaved: [] }, { unsaved: [] }])
      expect(await store.journal.close()).toEqual({ unsaved: [] })
      await store.open()
      expect((await store.journal.read('a'))?.seq).toBe(1000)
    })

    test('is the end: state is closed, all else is refused with INKWIRE_STORE_CLOSED', async () => {
      const { log } = await openLog(store.journal, 'a')
      const states: string[] = []
      store.journal.onState((state) => states.push(state.status))
      expect(store.journal.state).toEqual({ status: 'ok' })
      await store.journal.close()
      expect(store.journal.state).toEqual({ status: 'closed' })
      expect(states).toEqual(['closed'])
      const closed = { code: 'INKWIRE_STORE_CLOSED' }
      await expect(openLog(store.journal, 'b')).rejects.toMatchObject(closed)
      await expect(store.journal.read('b')).rejects.toMatchObject(closed)
      await expect(store.journal.delete('b')).rejects.toMatchObject(closed)
      await expect(names(store.journal)).rejects.toMatchObject(closed)
      expect(() => log.append(entry(1))).toThrow(expect.objectContaining(closed))
    })

    test('onState tells nothing more once it was undone', async () => {
      const states: string[] = []
      const undo = store.journal.onState((state) => states.push(state.status))
      undo()
      await store.journal.close()
      expect(states).toEqual([])
    })
  })
}
