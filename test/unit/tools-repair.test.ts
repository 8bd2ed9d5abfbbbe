import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { StoredEntry } from '../../server/journal/journal.js'
import { openMemoryJournal } from '../../server/journal/memory.js'
import { localDocuments } from '../../server/tools/local.js'
import { noProgress } from '../../server/tools/progress.js'
import { applicable, type RepairableJournal, repair } from '../../server/tools/repair.js'
import { stateOf } from '../../server/tools/state.js'
import { verifyContents } from '../../server/tools/verify.js'

const GENERATION = '0'.repeat(32)

const entries = (updates: readonly Uint8Array[]): StoredEntry[] =>
  updates.map((update, i) => ({ update, seq: i + 1, time: 1, author: '' }))

/** Two authors who hear of each other at once: what each edit was, in order. */
const conversation = () => {
  const updates: Uint8Array[] = []
  const docs = [1, 2].map((clientID) => {
    const doc = new Y.Doc()
    doc.clientID = clientID
    return doc
  })
  for (const doc of docs) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'network') return
      updates.push(update)
      for (const other of docs) if (other !== doc) Y.applyUpdate(other, update, 'network')
    })
  }
  const [ada, grace] = docs.map((doc) => doc.getText('t'))
  if (!ada || !grace) throw new Error('nobody there')
  return { ada, grace, updates }
}

const textOf = (content: { readonly tail: readonly { readonly update: Uint8Array }[] } | null): string => {
  const doc = new Y.Doc()
  for (const { update } of content?.tail ?? []) Y.applyUpdate(doc, update)
  expect(doc.store.pendingStructs).toBeNull()
  return doc.getText('t').toString()
}

describe('of a document with lost updates, repair keeps', () => {
  it('what still applies, and leaves out what needs what is lost', () => {
    const { ada, grace, updates } = conversation()
    ada.insert(0, 'one ')
    grace.insert(4, 'two ')
    ada.insert(8, 'lost ')
    grace.insert(13, 'after lost ')
    grace.insert(0, 'zero ')
    const all = entries(updates)
    const salvaged = all.filter(({ seq }) => seq !== 3)
    const content = applicable({ generation: GENERATION, snapshot: null, entries: salvaged })
    // Grace's last one is her own next after one that waits.
    expect(content?.tail).toEqual(all.slice(0, 2))
    expect(textOf(content)).toBe('one two ')
  })

  it('what other authors wrote meanwhile', () => {
    const { ada, grace, updates } = conversation()
    ada.insert(0, 'a')
    ada.insert(1, 'b')
    ada.insert(2, 'c')
    grace.insert(0, 'x')
    grace.insert(1, 'y')
    const all = entries(updates)
    const content = applicable({
      generation: GENERATION,
      snapshot: null,
      entries: all.filter(({ seq }) => seq !== 2),
    })
    expect(content?.tail.map((entry) => all.findIndex(({ update }) => update === entry.update) + 1)).toEqual([
      1, 4, 5,
    ])
    expect(textOf(content)).toBe('xya')
  })

  it('the snapshot with what follows it, and a deletion of what is there', () => {
    const { ada, grace, updates } = conversation()
    ada.insert(0, 'abc')
    const snapshot = { seq: 7, update: Y.encodeStateAsUpdate(ada.doc ?? new Y.Doc()) }
    grace.delete(0, 1)
    ada.insert(2, 'd')
    const tail = entries(updates.slice(1))
    expect(applicable({ generation: GENERATION, snapshot, entries: tail })).toEqual({ snapshot, tail })
    // Without the snapshot, neither means anything.
    expect(applicable({ generation: GENERATION, snapshot: null, entries: tail })).toBeNull()
  })

  it('nothing that is no update', () => {
    const { ada, updates } = conversation()
    ada.insert(0, 'abc')
    const [good] = entries(updates)
    const bad = { update: Uint8Array.of(9, 9), seq: 2, time: 1, author: '' }
    const snapshot = { seq: 1, update: Uint8Array.of(1) }
    expect(applicable({ generation: GENERATION, snapshot, entries: good ? [good, bad] : [] })).toEqual({
      snapshot: null,
      tail: [good],
    })
    expect(applicable({ generation: GENERATION, snapshot, entries: [bad] })).toBeNull()
  })
})

describe('a document whose records are whole but hold bytes that are no update', () => {
  const start = async () => {
    const memory = openMemoryJournal()
    const { ada, updates } = conversation()
    ada.insert(0, 'kept')
    const [good = new Uint8Array()] = updates
    await memory.replace('doc', { snapshot: null, tail: entries([good, Uint8Array.of(9, 9)]) })
    await memory.replace('whole', { snapshot: null, tail: entries([good]) })
    await memory.replace('hopeless', { snapshot: null, tail: entries([Uint8Array.of(9, 9)]) })
    const fates: unknown[] = []
    const journal: RepairableJournal = {
      read: (name) => memory.read(name),
      delete: (name) => memory.delete(name),
      repair: async () => null,
      replace: (name, content, fate) => {
        fates.push(fate)
        return memory.replace(name, content)
      },
    }
    return { memory, journal, fates }
  }

  it('is found', async () => {
    const { memory } = await start()
    const found: unknown[] = []
    const options = {
      documents: localDocuments(memory),
      progress: noProgress,
      signal: new AbortController().signal,
    }
    for await (const { document } of verifyContents({ ...options, except: new Set() })) found.push(document)
    expect(found).toEqual(['doc', 'hopeless'])
    found.length = 0
    for await (const { document } of verifyContents({ ...options, except: new Set(['doc']) }))
      found.push(document)
    expect(found).toEqual(['hopeless'])
  })

  it('is repaired, its original kept aside', async () => {
    const { memory, journal, fates } = await start()
    const before = await memory.read('doc')
    expect(await repair(journal, 'doc')).toMatchObject({
      outcome: 'repaired',
      snapshot: false,
      updates: 1,
      leftOut: 1,
      problems: [expect.stringMatching(/^it holds bytes that are no update: /)],
    })
    const after = await memory.read('doc')
    expect(after?.generation).not.toBe(before?.generation)
    expect(textOf(after && { tail: [{ update: stateOf(after) }] })).toBe('kept')
    expect(fates).toEqual([{ kind: 'aside', reason: expect.stringMatching(/^it holds bytes/) }])
    expect(await repair(journal, 'doc')).toEqual({ outcome: 'sound' })
  })

  it('is gone when nothing of it is left; others are as they were', async () => {
    const { memory, journal } = await start()
    expect(await repair(journal, 'hopeless')).toMatchObject({
      outcome: 'repaired',
      generation: null,
      updates: 0,
    })
    expect(await memory.read('hopeless')).toBeNull()
    expect(await repair(journal, 'whole')).toEqual({ outcome: 'sound' })
    expect(await repair(journal, 'nobody')).toEqual({ outcome: 'missing' })
  })
})
