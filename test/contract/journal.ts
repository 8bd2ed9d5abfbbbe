/**
 * The rules of the journal's contract (`server/journal/journal.ts`), as one suite that every implementation runs:
 *
 *     describeJournal('memory', () => …)
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DocumentLog, Entry, Journal, Snapshot, StoredDocument } from '../../server/journal/journal.js'

/** One store of the kind under test, empty at first. */
export interface JournalHarness {
  /** Opens a journal on the store. */
  open(): Promise<Journal>
  /** Ends the store's last journal as a killed process would: nothing that isn't durable survives. */
  crash(journal: Journal): Promise<void>
  /** Removes the store. */
  dispose(): Promise<void>
}

/** A document name that somebody will use one day, and each way in which it is odd. */
export const ODD_NAMES = [
  'plain',
  'with/slashes/in it',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'a\0b',
  '\0',
  '\u{1f98a} fox',
  'e\u0301',
  'é',
  '\uffff',
  ' ',
  '%2F',
  'x'.repeat(1024),
  '€'.repeat(341),
]

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const entry = (n: number, author = 'ada'): Entry => ({
  update: bytes(n & 255, n >> 8, 7),
  time: 1_700_000_000_000 + n,
  author,
})

/** A log, and a way to wait until something is durable. */
const openLog = async (journal: Journal, name: string) => {
  const acks: number[] = []
  const waiting: { seq: number; resolve: () => void }[] = []
  const log = await journal.open(name, (seq) => {
    acks.push(seq)
    for (const waiter of waiting.splice(0)) {
      if (waiter.seq <= seq) waiter.resolve()
      else waiting.push(waiter)
    }
  })
  const durable = (seq: number): Promise<void> =>
    (acks.at(-1) ?? log.document.seq) >= seq
      ? Promise.resolve()
      : new Promise((resolve) => waiting.push({ seq, resolve }))
  return { log, acks, durable }
}

/** Writes a document of `count` updates and lets go of it. */
const write = async (journal: Journal, name: string, count: number): Promise<DocumentLog> => {
  const { log, durable } = await openLog(journal, name)
  for (let i = 1; i <= count; i++) log.append(entry(log.document.seq + i))
  await durable(log.document.seq + count)
  log.release()
  return log
}

const names = async (journal: Journal): Promise<string[]> => {
  const all: string[] = []
  for await (const { name } of journal.list()) all.push(name)
  return all
}

const seqs = (document: StoredDocument | null): number[] => (document?.tail ?? []).map(({ seq }) => seq)

/** Buffers and Uint8Arrays of the same bytes are the same to the contract. */
const plain = (document: StoredDocument | null) =>
  document && {
    ...document,
    snapshot: document.snapshot && { ...document.snapshot, update: [...document.snapshot.update] },
    tail: document.tail.map((stored) => ({ ...stored, update: [...stored.update] })),
  }

const plainSnapshot = (snapshot: Snapshot | null): number[] =>
  snapshot ? [snapshot.seq, ...snapshot.update] : []

/** Runs the contract suite on one kind of journal. */
export const describeJournal = (kind: string, makeHarness: () => Promise<JournalHarness>): void => {
  describe(`the journal's contract, ${kind}`, () => {
    let harness: JournalHarness
    let journal: Journal

    beforeEach(async () => {
      harness = await makeHarness()
      journal = await harness.open()
    })

    afterEach(async () => {
      await journal.close()
      await harness.dispose()
    })

    const reopen = async (): Promise<void> => {
      expect(await journal.close()).toEqual({ unsaved: [] })
      journal = await harness.open()
    }

    describe('open', () => {
      test('a name never heard of is an empty document with a fresh generation, and writes nothing', async () => {
        const { log } = await openLog(journal, 'new')
        expect(log.document).toMatchObject({ name: 'new', snapshot: null, tail: [], seq: 0 })
        expect(log.document.generation).toMatch(/^[0-9a-f]{32}$/)
        expect(await names(journal)).toEqual([])
        expect(await journal.read('new')).toBeNull()
        log.release()
        const { log: again } = await openLog(journal, 'new')
        expect(again.document.generation).not.toBe(log.document.generation)
      })

      test('there is one writer at a time', async () => {
        const { log } = await openLog(journal, 'a')
        await expect(openLog(journal, 'a')).rejects.toMatchObject({ code: 'INKWIRE_STORE_LOCKED' })
        const both = await Promise.allSettled([openLog(journal, 'b'), openLog(journal, 'b')])
        expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
        log.release()
        log.release()
        await openLog(journal, 'a')
      })

      test('a released log takes nothing more', async () => {
        const log = await write(journal, 'a', 1)
        expect(() => log.append(entry(2))).toThrow()
        await expect(log.compact({ seq: 1, update: bytes(1) })).rejects.toThrow()
      })

      test('a log with updates that are not durable cannot be released', async () => {
        const { log, durable } = await openLog(journal, 'a')
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
        await expect(openLog(journal, name)).rejects.toMatchObject({ code: 'INKWIRE_BAD_NAME' })
        await expect(journal.read(name)).rejects.toMatchObject({ code: 'INKWIRE_BAD_NAME' })
      })
    })

    describe('append', () => {
      test('numbers updates from 1 without a hole, at once', async () => {
        const { log, durable } = await openLog(journal, 'a')
        expect([1, 2, 3].map((n) => log.append(entry(n)))).toEqual([1, 2, 3])
        await durable(3)
        expect(log.append(entry(4))).toBe(4)
        await durable(4)
      })

      test('onDurable comes after append returned, rises, and ends at the last update', async () => {
        const { log, acks, durable } = await openLog(journal, 'a')
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
        const { log, durable } = await openLog(journal, 'a')
        log.append(entry(1))
        await durable(1)
        expect(seqs(await journal.read('a'))).toEqual([1])
      })

      test('what is held is written with commit(), with what others write, and at the latest by close', async () => {
        const [one, other] = [await openLog(journal, 'a'), await openLog(journal, 'b')]
        expect([one.log.hold(entry(1)), one.log.hold(entry(2))]).toEqual([1, 2])
        expect(journal.queuedBytes).toBeGreaterThan(0)
        other.log.commit()
        one.log.commit()
        await one.durable(2)
        one.log.hold(entry(3))
        other.log.append(entry(1))
        await one.durable(3)
        one.log.hold(entry(4))
        expect(await journal.close()).toEqual({ unsaved: [] })
        expect(one.acks.at(-1)).toBe(4)
      })

      test('an append from within onDurable is kept like any other', async () => {
        let log: DocumentLog | null = null
        const done = new Promise<void>((resolve) => {
          void journal
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
        expect(seqs(await journal.read('a'))).toEqual([1, 2, 3, 4, 5])
      })

      test('keeps bytes, time and author of each update; long authors are cut', async () => {
        const { log, durable } = await openLog(journal, 'a')
        const given: Entry[] = [
          { update: bytes(0, 0), time: 5, author: '' },
          { update: new Uint8Array(100_000).fill(7), time: 1_800_000_000_000, author: 'ada' },
          { update: bytes(), time: 3, author: '\u{1f98a}' },
          { update: bytes(1), time: 4, author: 'x'.repeat(300) },
          { update: bytes(2), time: 4, author: 'ada' },
        ]
        for (const each of given) log.append(each)
        await durable(5)
        const tail = plain(await journal.read('a'))?.tail
        expect(tail?.map(({ update, time }) => ({ update, time }))).toEqual(
          given.map(({ update, time }) => ({ update: [...update], time })),
        )
        expect(tail?.map(({ author }) => author)).toEqual(['', 'ada', '\u{1f98a}', 'x'.repeat(256), 'ada'])
      })

      test('queuedBytes counts what is not durable', async () => {
        const { log, durable } = await openLog(journal, 'a')
        expect(journal.queuedBytes).toBe(0)
        log.append({ update: new Uint8Array(1000), time: 1, author: '' })
        log.append({ update: new Uint8Array(500), time: 1, author: '' })
        expect(journal.queuedBytes).toBe(1500)
        await durable(2)
        expect(journal.queuedBytes).toBe(0)
      })

      test('a hundred documents written at once do not disturb each other', async () => {
        const logs = await Promise.all(Array.from({ length: 100 }, (_, i) => openLog(journal, `doc ${i}`)))
        for (let n = 1; n <= 20; n++) {
          for (const [i, { log }] of logs.entries()) log.append(entry(n * 100 + i, `author ${i}`))
          if (n % 5 === 0) await logs[n]?.durable(n)
        }
        await Promise.all(logs.map(({ durable }) => durable(20)))
        for (const [i] of logs.entries()) {
          const document = await journal.read(`doc ${i}`)
          expect(seqs(document)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
          expect(document?.tail.every(({ author }) => author === `author ${i}`)).toBe(true)
          expect([...(document?.tail[4]?.update ?? [])]).toEqual([...entry(500 + i).update])
        }
      })

      test('more than one batch holds, in documents that share it, is kept whole', async () => {
        const logs = await Promise.all(['a', 'b', 'c'].map((name) => openLog(journal, name)))
        for (let n = 1; n <= 12; n++) {
          for (const { log } of logs)
            log.append({ update: new Uint8Array(1 << 20).fill(n), time: n, author: '' })
        }
        await Promise.all(logs.map(({ durable }) => durable(12)))
        for (const name of ['a', 'b', 'c']) {
          const document = await journal.read(name)
          expect(document?.tail.map(({ update }) => update[99])).toEqual([
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
          ])
        }
      })
    })

    describe('reopening', () => {
      test('gives the same document, generation included, and goes on where it ended', async () => {
        await write(journal, 'a', 3)
        const before = await journal.read('a')
        await reopen()
        expect(plain(await journal.read('a'))).toEqual(plain(before))
        const { log, durable } = await openLog(journal, 'a')
        expect(plain(log.document)).toEqual(plain(before))
        expect(log.append(entry(4))).toBe(4)
        await durable(4)
        await reopen()
        const after = await journal.read('a')
        expect(seqs(after)).toEqual([1, 2, 3, 4])
        expect(after?.generation).toBe(before?.generation)
      })

      test('after a crash all that was durable is there, and no hole', async () => {
        const { log, acks, durable } = await openLog(journal, 'a')
        for (let n = 1; n <= 500; n++) {
          log.append(entry(n))
          if (n % 50 === 0) await durable(n - 40)
        }
        const acknowledged = acks.at(-1) ?? 0
        await harness.crash(journal)
        journal = await harness.open()
        const document = await journal.read('a')
        expect(document?.seq).toBeGreaterThanOrEqual(acknowledged)
        expect(seqs(document)).toEqual(Array.from({ length: document?.seq ?? 0 }, (_, i) => i + 1))
      })
    })

    describe('compact', () => {
      test('puts a snapshot in the place of what it covers', async () => {
        const { log, durable } = await openLog(journal, 'a')
        for (let n = 1; n <= 10; n++) {
          log.append(entry(n))
          if (n % 3 === 0) await durable(n)
        }
        await durable(10)
        await log.compact({ seq: 7, update: bytes(9, 9, 9), index: bytes(4) })
        log.append(entry(11))
        await durable(11)
        const check = async () => {
          const document = await journal.read('a')
          expect(document?.snapshot?.seq).toBe(7)
          expect([...(document?.snapshot?.update ?? [])]).toEqual([9, 9, 9])
          expect([...(document?.snapshot?.index ?? [])]).toEqual([4])
          expect(seqs(document)).toEqual([8, 9, 10, 11])
          expect(document?.seq).toBe(11)
          expect(document?.generation).toBe(log.document.generation)
        }
        await check()
        log.release()
        await reopen()
        await check()
      })

      test('again and again, with nothing after it, keeps one snapshot', async () => {
        const { log, durable } = await openLog(journal, 'a')
        for (let n = 1; n <= 5; n++) {
          log.append(entry(n))
          await durable(n)
          await log.compact({ seq: n, update: bytes(n) })
        }
        log.release()
        await reopen()
        const document = await journal.read('a')
        expect(plain(document)).toMatchObject({ snapshot: { seq: 5, update: [5] }, tail: [], seq: 5 })
        expect(document?.snapshot).not.toHaveProperty('index')
        const { log: next, durable: then } = await openLog(journal, 'a')
        expect(next.append(entry(6))).toBe(6)
        await then(6)
        await next.compact({ seq: 6, update: bytes(6) })
        expect((await journal.read('a'))?.snapshot?.seq).toBe(6)
      })

      test('while updates are being appended loses none of them', async () => {
        const { log, durable } = await openLog(journal, 'a')
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
        const document = await journal.read('a')
        expect(document?.snapshot?.seq).toBe(195)
        expect(seqs(document)).toEqual([196, 197, 198, 199, 200])
      })

      test('refuses what is not durable, nothing at all, and what an earlier one covers', async () => {
        const { log, durable } = await openLog(journal, 'a')
        log.append(entry(1))
        log.append(entry(2))
        await expect(log.compact({ seq: 2, update: bytes(1) })).rejects.toThrow(RangeError)
        await durable(2)
        await expect(log.compact({ seq: 0, update: bytes(1) })).rejects.toThrow(RangeError)
        await log.compact({ seq: 2, update: bytes(1) })
        await expect(log.compact({ seq: 1, update: bytes(1) })).rejects.toThrow(RangeError)
      })

      test("the log's document lets go of what is covered", async () => {
        await write(journal, 'a', 6)
        const { log } = await openLog(journal, 'a')
        await log.compact({ seq: 4, update: bytes(1) })
        expect(seqs(log.document)).toEqual([5, 6])
        expect(log.document).toMatchObject({ seq: 6, snapshot: { seq: 4 } })
      })
    })

    describe('snapshot and letGo', () => {
      test('reads once more what opening read, index included; null without one', async () => {
        const { log, durable } = await openLog(journal, 'a')
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
        await reopen()
        const { log: next } = await openLog(journal, 'a')
        expect([...((await next.snapshot())?.update ?? [])]).toEqual([5])
      })

      test('while it is being replaced gives the old or the new one', async () => {
        const { log, durable } = await openLog(journal, 'a')
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
          await journal.replace(name, { snapshot: { seq: 3, update: bytes(value) }, tail: [] })
        }
        await journal.replace('a', { snapshot: { seq: 2, update: bytes(9) }, tail: [] })
        const { log } = await openLog(journal, 'a')
        expect(plainSnapshot(await log.snapshot())).toEqual([2, 9])
        const { log: other } = await openLog(journal, 'b')
        expect(plainSnapshot(await other.snapshot())).toEqual([3, 2])
      })

      test('refuses when the log was released or the journal closed', async () => {
        const { log } = await openLog(journal, 'a')
        log.release()
        await expect(log.snapshot()).rejects.toThrow('released')
        const { log: open } = await openLog(journal, 'b')
        await journal.close()
        await expect(open.snapshot()).rejects.toMatchObject({ code: 'INKWIRE_STORE_CLOSED' })
      })

      test('a log that has let go holds no contents, before and after a compaction, and goes on', async () => {
        await write(journal, 'a', 3)
        const { log, durable } = await openLog(journal, 'a')
        const { generation } = log.document
        log.letGo()
        expect(log.document).toEqual({ name: 'a', generation, snapshot: null, tail: [], seq: 3 })
        log.append(entry(4))
        await durable(4)
        await log.compact({ seq: 3, update: bytes(1) })
        expect(log.document).toMatchObject({ snapshot: null, tail: [] })
        expect(plainSnapshot(await log.snapshot())).toEqual([3, 1])
        expect(seqs(await journal.read('a'))).toEqual([4])
      })
    })

    describe('list', () => {
      test('names documents with history in order of name bytes, however odd', async () => {
        for (const name of ODD_NAMES) await write(journal, name, 1)
        await openLog(journal, 'without history')
        const sorted = [...ODD_NAMES].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(await names(journal)).toEqual(sorted)
        for await (const { name, generation } of journal.list()) {
          expect((await journal.read(name))?.generation).toBe(generation)
        }
      })

      test('goes on beyond one page', async () => {
        const many = Array.from({ length: 2500 }, (_, i) => `doc ${String(i).padStart(5, '0')}`)
        const logs = await Promise.all(many.map((name) => openLog(journal, name)))
        for (const { log } of logs) log.append(entry(1))
        await Promise.all(logs.map(({ durable }) => durable(1)))
        expect(await names(journal)).toEqual(many)
      })
    })

    describe('delete', () => {
      test('removes a document; its name starts anew under another generation', async () => {
        const log = await write(journal, 'a', 3)
        await write(journal, 'b', 1)
        expect(await journal.delete('a')).toBe(true)
        expect(await journal.delete('a')).toBe(false)
        expect(await journal.read('a')).toBeNull()
        expect(await names(journal)).toEqual(['b'])
        const { log: next, durable } = await openLog(journal, 'a')
        expect(next.document.generation).not.toBe(log.document.generation)
        expect(next.append(entry(1))).toBe(1)
        await durable(1)
        next.release()
        await reopen()
        expect(seqs(await journal.read('a'))).toEqual([1])
        expect((await journal.read('a'))?.generation).toBe(next.document.generation)
        expect(seqs(await journal.read('b'))).toEqual([1])
      })

      test('a name that starts anew right after is not touched by what is left to do of the deletion', async () => {
        for (let round = 1; round <= 5; round++) {
          await write(journal, 'a', round)
          expect(await journal.delete('a')).toBe(true)
          const next = await openLog(journal, 'a')
          for (let n = 1; n <= 20; n++) {
            next.log.append(entry(n))
            await next.durable(n)
          }
          next.log.release()
          expect(await names(journal)).toEqual(['a'])
          expect((await journal.read('a'))?.seq).toBe(20)
          await journal.delete('a')
        }
        await reopen()
        expect(await names(journal)).toEqual([])
      })

      test('is refused while the document has a writer', async () => {
        const { log } = await openLog(journal, 'a')
        await expect(journal.delete('a')).rejects.toMatchObject({ code: 'INKWIRE_STORE_LOCKED' })
        log.release()
        expect(await journal.delete('a')).toBe(false)
      })

      test('one of two at once finds it', async () => {
        await write(journal, 'a', 1)
        const found = await Promise.all([journal.delete('a'), journal.delete('a')])
        expect(found.filter(Boolean)).toHaveLength(1)
      })
    })

    describe('replace', () => {
      test('puts other contents in place under a new generation', async () => {
        const log = await write(journal, 'a', 3)
        const content = { snapshot: { seq: 5, update: bytes(5) }, tail: [entry(1), entry(2)] }
        const summary = await journal.replace('a', content)
        expect(summary.name).toBe('a')
        expect(summary.generation).not.toBe(log.document.generation)
        const check = async () => {
          const document = await journal.read('a')
          expect(document?.generation).toBe(summary.generation)
          expect(plain(document)).toMatchObject({ snapshot: { seq: 5, update: [5] }, seq: 7 })
          expect(seqs(document)).toEqual([6, 7])
        }
        await check()
        await reopen()
        await check()
      })

      test('creates a document, and one without a snapshot counts from 1', async () => {
        await journal.replace('a', { snapshot: null, tail: [entry(1), entry(2)] })
        const { log } = await openLog(journal, 'a')
        expect(log.document).toMatchObject({ snapshot: null, seq: 2 })
        expect(log.append(entry(3))).toBe(3)
      })

      test('refuses nothing at all, a snapshot of nothing, and a document that has a writer', async () => {
        await expect(journal.replace('a', { snapshot: null, tail: [] })).rejects.toThrow(RangeError)
        const empty = { snapshot: { seq: 0, update: bytes() }, tail: [entry(1)] }
        await expect(journal.replace('a', empty)).rejects.toThrow(RangeError)
        await openLog(journal, 'a')
        await expect(journal.replace('a', { snapshot: null, tail: [entry(1)] })).rejects.toMatchObject({
          code: 'INKWIRE_STORE_LOCKED',
        })
      })
    })

    describe('stats', () => {
      test('tells sizes, counts and times', async () => {
        const { log, durable } = await openLog(journal, 'a')
        for (let n = 1; n <= 4; n++) log.append(entry(n))
        await durable(4)
        await log.compact({ seq: 2, update: new Uint8Array(50) })
        const stats = await journal.stats('a')
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
        expect(await journal.stats('none')).toBeNull()
      })
    })

    describe('close', () => {
      test('commits what is queued, and is idempotent', async () => {
        const { log } = await openLog(journal, 'a')
        for (let n = 1; n <= 1000; n++) log.append(entry(n))
        const reports = await Promise.all([journal.close(), journal.close()])
        expect(reports).toEqual([{ unsaved: [] }, { unsaved: [] }])
        expect(await journal.close()).toEqual({ unsaved: [] })
        journal = await harness.open()
        expect((await journal.read('a'))?.seq).toBe(1000)
      })

      test('is the end: state is closed, all else is refused with INKWIRE_STORE_CLOSED', async () => {
        const { log } = await openLog(journal, 'a')
        const states: string[] = []
        journal.onState((state) => states.push(state.status))
        expect(journal.state).toEqual({ status: 'ok' })
        await journal.close()
        expect(journal.state).toEqual({ status: 'closed' })
        expect(states).toEqual(['closed'])
        const closed = { code: 'INKWIRE_STORE_CLOSED' }
        await expect(openLog(journal, 'b')).rejects.toMatchObject(closed)
        await expect(journal.read('b')).rejects.toMatchObject(closed)
        await expect(journal.delete('b')).rejects.toMatchObject(closed)
        await expect(names(journal)).rejects.toMatchObject(closed)
        expect(() => log.append(entry(1))).toThrow(expect.objectContaining(closed))
      })

      test('onState tells nothing more once it was undone', async () => {
        const states: string[] = []
        const undo = journal.onState((state) => states.push(state.status))
        undo()
        await journal.close()
        expect(states).toEqual([])
      })
    })
  })
}
