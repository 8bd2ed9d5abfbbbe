import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { openMemoryJournal } from '../../server/journal/memory.js'
import type { OpenDocuments } from '../../server/tools/documents.js'
import { localDocuments } from '../../server/tools/local.js'
import { migrate } from '../../server/tools/migrate.js'
import { noProgress } from '../../server/tools/progress.js'
import { decodeName, type SourceDocument } from '../../server/tools/source.js'
import { stateOf } from '../../server/tools/state.js'
import { decodeYKey, encodeYKey, updateKeys } from '../../server/tools/y-leveldb-keys.js'
import { InkwireError } from '../../shared/errors.js'
import { contents, randomSession } from '../support/random-edits.js'

const fresh = (): OpenDocuments => localDocuments(openMemoryJournal())

const source = (name: string, updates: readonly Uint8Array[], expected?: Uint8Array): SourceDocument => ({
  name,
  origin: `origin of ${name}`,
  read: async () => (expected ? { updates, expected } : { updates }),
})

const run = (documents: OpenDocuments, ...sources: SourceDocument[]) =>
  migrate({ source: sources, documents, progress: noProgress, signal: new AbortController().signal })

/** An author of one document: its updates so far. */
const author = (clientID: number) => {
  const doc = new Y.Doc()
  doc.clientID = clientID
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  return { doc, updates, text: doc.getText('t') }
}

const load = async (documents: OpenDocuments, name: string): Promise<Y.Doc> => {
  const stored = await documents.read(name)
  const doc = new Y.Doc()
  if (stored) Y.applyUpdate(doc, stateOf(stored))
  return doc
}

describe('a migration', () => {
  it('takes every document over, whatever is in it, and does nothing the second time', async () => {
    const documents = fresh()
    const sessions = Array.from({ length: 12 }, (_, i) => randomSession(i + 1))
    const sources = sessions.map(({ updates }, i) => source(`doc ${i}`, updates))
    expect(await run(documents, ...sources)).toEqual({
      migrated: 12,
      present: 0,
      empty: 0,
      failed: [],
      incomplete: [],
    })
    for (const [i, { docs }] of sessions.entries()) {
      const there = await load(documents, `doc ${i}`)
      expect(contents(there)).toEqual(contents(docs[0] ?? there))
    }
    const before = await documents.read('doc 0')
    expect(await run(documents, ...sources)).toMatchObject({ migrated: 0, present: 12 })
    expect(await documents.read('doc 0')).toEqual(before)
  })

  it('goes on where it was stopped', async () => {
    const documents = fresh()
    const stop = new AbortController()
    const sources = Array.from({ length: 20 }, (_, i) => {
      const { text, updates } = author(1)
      text.insert(0, `text ${i}`)
      const one = source(`doc ${i}`, updates)
      return {
        ...one,
        read: async () => {
          if (i === 9) stop.abort(new Error('enough'))
          return one.read()
        },
      }
    })
    const first = migrate({ source: sources, documents, progress: noProgress, signal: stop.signal })
    await expect(first).rejects.toThrow('enough')
    const second = await run(documents, ...sources)
    expect(second.present).toBeGreaterThanOrEqual(9)
    expect(second.migrated + second.present).toBe(20)
  })

  it('brings what the source got since, without touching what was written here', async () => {
    const documents = fresh()
    const old = author(1)
    old.text.insert(0, 'old')
    await run(documents, source('doc', old.updates))

    const here = await load(documents, 'doc')
    here.clientID = 2
    here.getText('t').insert(0, 'here ')
    await documents.merge('doc', Y.encodeStateAsUpdate(here))
    old.text.insert(3, ' there')
    expect(await run(documents, source('doc', old.updates))).toMatchObject({ migrated: 1, failed: [] })
    expect((await load(documents, 'doc')).getText('t').toString()).toBe('here old there')
    expect(await run(documents, source('doc', old.updates))).toMatchObject({ migrated: 0, present: 1 })
  })

  it('leaves an unrelated document of the same name alone', async () => {
    const documents = fresh()
    const mine = author(1)
    mine.text.insert(0, 'mine')
    const other = author(2)
    other.text.insert(0, 'other')
    await documents.merge('doc', Y.encodeStateAsUpdate(mine.doc))
    const { failed } = await run(documents, source('doc', other.updates))
    expect(failed).toEqual([
      { name: 'doc', origin: 'origin of doc', problem: 'there is another document of that name here' },
    ])
    expect((await load(documents, 'doc')).getText('t').toString()).toBe('mine')
  })

  it('takes the others over when one can not be', async () => {
    const documents = fresh()
    const good = author(1)
    good.text.insert(0, 'good')
    const unreadable: SourceDocument = {
      name: 'unreadable',
      origin: 'origin of unreadable',
      read: async () => {
        throw new Error('bad block')
      },
    }
    const { migrated, failed } = await run(
      documents,
      source('a', good.updates),
      source('bytes', [Uint8Array.of(1, 2, 3)]),
      source('', good.updates),
      source('a', good.updates),
      unreadable,
      source('z', good.updates),
    )
    expect(migrated).toBe(2)
    expect(failed.map(({ problem }) => problem)).toEqual([
      'the document name is empty',
      'origin of a has the same name here',
      expect.stringMatching(/^there are bytes in it that are no Yjs update \(v1\): /),
      "it can't be read: bad block",
    ])
  })

  it('stops when the store fails', async () => {
    const documents = fresh()
    const failing: OpenDocuments = {
      ...documents,
      merge: async () => {
        throw new InkwireError('INKWIRE_STORE_FAILED', 'the disk is full')
      },
    }
    const { text, updates } = author(1)
    text.insert(0, 'x')
    await expect(run(failing, source('a', updates))).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
  })

  it('counts documents that nobody wrote in', async () => {
    const documents = fresh()
    const nothing = Y.encodeStateAsUpdate(new Y.Doc())
    expect(await run(documents, source('a', []), source('b', [nothing]))).toMatchObject({ empty: 2 })
    expect(await documents.read('b')).toBeNull()
  })

  it('says what the source had lost', async () => {
    const documents = fresh()
    const { doc, text, updates } = author(1)
    for (let i = 0; i < 4; i++) text.insert(i, 'x')
    const gap = [...updates.slice(0, 2), ...updates.slice(3)]
    const { migrated, incomplete } = await run(
      documents,
      source('gap', gap),
      source('short', updates.slice(0, 2), Y.encodeStateVector(doc)),
      source('whole', updates, Y.encodeStateVector(doc)),
    )
    expect(migrated).toBe(3)
    expect(incomplete.map(({ name, problem }) => [name, problem])).toEqual([
      ['gap', 'updates are missing in it, and later ones wait for them'],
      ['short', 'it holds less than its own state vector counts'],
    ])
    // What waits is not lost: once the gap is filled, it is there.
    await documents.merge('gap', updates[2] ?? new Uint8Array())
    expect((await load(documents, 'gap')).getText('t').toString()).toBe('xxxx')
  })

  it.each<[string, (documents: OpenDocuments) => OpenDocuments, string]>([
    [
      'nothing',
      (documents) => ({ ...documents, merge: async () => true }),
      'it is not here after it was written',
    ],
    [
      'only a part',
      (documents) => ({
        ...documents,
        merge: (name) => {
          const { text, updates } = author(1)
          text.insert(0, 'wh')
          return documents.merge(name, updates[0] ?? new Uint8Array())
        },
      }),
      'not all of it is here after it was written',
    ],
    [
      'something else in its place',
      (documents) => ({
        ...documents,
        merge: (name) => {
          const { text, updates } = author(1)
          text.insert(0, 'WHOLE')
          return documents.merge(name, updates[0] ?? new Uint8Array())
        },
      }),
      'it differs after it was written',
    ],
  ])('notices a store that keeps %s', async (_, broken, problem) => {
    const { text, updates } = author(1)
    text.insert(0, 'whole')
    const { failed, migrated } = await run(broken(fresh()), source('doc', updates))
    expect({ migrated, problems: failed.map((each) => each.problem) }).toEqual({
      migrated: 0,
      problems: [problem],
    })
  })

  it('accepts that somebody writes on in the meantime', async () => {
    const documents = fresh()
    const { text, updates } = author(1)
    text.insert(0, 'whole')
    const busy: OpenDocuments = {
      ...documents,
      merge: async (name, update) => {
        await documents.merge(name, update)
        const other = await load(documents, name)
        other.clientID = 2
        other.getText('t').delete(0, 1)
        return documents.merge(name, Y.encodeStateAsUpdate(other))
      },
    }
    expect(await run(busy, source('doc', updates))).toMatchObject({ migrated: 1, failed: [] })
    expect((await load(documents, 'doc')).getText('t').toString()).toBe('hole')
  })
})

describe('a name', () => {
  it.each([
    ['plain', 'plain'],
    ['caf%C3%A9', 'café'],
    ['a%2Fb%20c', 'a/b c'],
    ['100%', '100%'],
    ['%FF', '%FF'],
  ])('%s is what clients get as %s', (raw, name) => {
    expect(decodeName(raw)).toBe(name)
  })
})

describe("y-leveldb's keys", () => {
  it('are read as they are written', () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    expect(hex(encodeYKey('v1', 'a', 'update'))).toBe('000276310001610006757064617465')
    expect(decodeYKey(Buffer.from('00027631000161000675706461746501000001ff', 'hex'))).toEqual([
      'v1',
      'a',
      'update',
      511,
    ])
    expect(decodeYKey(Uint8Array.of(7))).toBeNull()
    expect(decodeYKey(Uint8Array.of(0, 9, 65))).toBeNull()
    expect(decodeYKey(encodeYKey('v1_sv', 'é/\0'))).toEqual(['v1_sv', 'é/\0'])
  })

  it('of one document are no other one’s', () => {
    const { gte, lt } = updateKeys('a')
    const first = Buffer.concat([encodeYKey('v1', 'a', 'update'), Buffer.of(1, 0, 0, 0, 0)])
    const last = Buffer.concat([encodeYKey('v1', 'a', 'update'), Buffer.of(1, 255, 255, 255, 255)])
    for (const inside of [first, last]) {
      expect(Buffer.compare(gte, inside)).toBeLessThanOrEqual(0)
      expect(Buffer.compare(lt, inside)).toBe(1)
    }
    for (const outside of [encodeYKey('v1', 'a', 'meta', 'k'), encodeYKey('v1', 'aa', 'update')]) {
      expect(Buffer.compare(gte, outside) > 0 || Buffer.compare(lt, outside) <= 0).toBe(true)
    }
  })
})
