import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { lightly } from '../../server/room/light-compaction.js'
import { scanUpdate } from '../../server/update/scan.js'
import { encodeScanIndex } from '../../server/update/scan-index.js'
import { forge } from '../support/forge.js'
import { contents, replica } from '../support/random-edits.js'
import { loadSequentialTrace } from '../support/traces.js'

const THOROUGH = { update: Uint8Array.of(0, 0) }

/** What each edit of `write` sends. */
const updatesOf = (write: (doc: Y.Doc) => void): Uint8Array[] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => void updates.push(update))
  write(doc)
  return updates
}

const typing = (letters: number): Uint8Array[] =>
  updatesOf((doc) => {
    for (let i = 0; i < letters; i++) doc.getText('text').insert(i, 'a')
  })

/** A text and the deletion of every second character, as two updates: half as many deleted ranges as characters. */
const everySecondDeleted = (characters: number): Uint8Array[] => {
  const deletes = Array.from({ length: characters / 2 }, (_, i) => [1, i * 2 + 1, 1] as const)
  return [forge({ structs: [{ text: 'ab'.repeat(characters / 2) }] }), forge({ deletes })]
}

const setup = () => {
  const thoroughly = vi.fn(async () => THOROUGH)
  const nextTurn = vi.fn(async () => undefined)
  return { thoroughly, nextTurn, compact: lightly({ thoroughly, nextTurn }) }
}

describe('light compaction', () => {
  it('makes one struct of what was typed in one go, snapshot and tail alike, and says what a scan finds', async () => {
    const { compact, thoroughly, nextTurn } = setup()
    const updates = typing(500)
    const first = await compact({ snapshot: null, updates: updates.slice(0, 300) })
    const { update, index } = await compact({ snapshot: first.update, updates: updates.slice(300) })
    expect(scanUpdate(update).structs).toBe(1)
    expect(index).toEqual(encodeScanIndex(scanUpdate(update)))
    expect(contents(replica([update]))).toEqual(contents(replica(updates)))
    expect(thoroughly).not.toHaveBeenCalled()
    expect(nextTurn.mock.calls.length).toBeGreaterThan(2)
  })

  it('forgets what was deleted', async () => {
    const { compact } = setup()
    const updates = updatesOf((doc) => {
      doc.getText('text').insert(0, 'secret '.repeat(1000))
      doc.getText('text').delete(7, 6993)
      doc.getMap('map').set('key', 'old '.repeat(1000))
      doc.getMap('map').set('key', 'new')
    })
    const { update } = await compact({ snapshot: null, updates })
    expect(update.length).toBeLessThan(100)
    expect(contents(replica([update]))).toEqual(contents(replica(updates)))
  })

  it('cuts a text into tens of thousands of parts, a few thousand in a turn', async () => {
    const { compact, thoroughly, nextTurn } = setup()
    const { update } = await compact({ snapshot: null, updates: everySecondDeleted(60_000) })
    expect(thoroughly).not.toHaveBeenCalled()
    expect(scanUpdate(update).structs).toBe(60_000)
    expect(replica([update]).getText('text').toString()).toBe('a'.repeat(30_000))
    expect(nextTurn.mock.calls.length).toBeGreaterThan(10)
  })

  it('does a step of one document in a turn, however many are to be compacted', async () => {
    let steps = 0
    const nextTurn = async (): Promise<void> => {
      steps++
      const before = steps
      await new Promise((resolve) => setImmediate(resolve))
      expect(steps).toBe(before)
    }
    const compact = lightly({ thoroughly: async () => THOROUGH, nextTurn })
    const broken = compact({ snapshot: null, updates: [Uint8Array.of(9)] })
    const jobs = Array.from({ length: 5 }, () => compact({ snapshot: null, updates: typing(20) }))
    await expect(broken).rejects.toThrow()
    for (const { update } of await Promise.all(jobs)) expect(scanUpdate(update).structs).toBe(1)
    expect(steps).toBeGreaterThan(5)
  })

  it.each([
    ['more than 4 MiB', () => updatesOf((doc) => doc.getText('text').insert(0, 'x'.repeat(5 << 20)))],
    ['more than 32,768 structs', () => [Y.mergeUpdates(typing(50)), ...typing(32_768)]],
    ['what would make more than 65,536 parts', () => everySecondDeleted(66_000)],
    [
      'many deleted parts of what may be deleted itself',
      () =>
        updatesOf((doc) => {
          for (let i = 0; i < 20; i++) doc.getArray('list').insert(0, [new Y.Map([['name', 'x']])])
          doc.getArray('list').delete(0, 20)
        }),
    ],
  ])('leaves %s to a Y.Doc', async (_what, updates) => {
    const { compact, thoroughly } = setup()
    expect(await compact({ snapshot: null, updates: updates() })).toBe(THOROUGH)
    expect(thoroughly).toHaveBeenCalledOnce()
  })

  it.each(['automerge-paper', 'sveltecomponent'] as const)(
    'of a real document (%s) is about as small as Yjs’ own',
    async (name) => {
      const { compact } = setup()
      const doc = new Y.Doc()
      let snapshot: Uint8Array | null = null
      let tail: Uint8Array[] = []
      doc.on('update', (update: Uint8Array) => void tail.push(update))
      const text = doc.getText('text')
      for (const { patches } of loadSequentialTrace(name).txns) {
        for (const [position, deleted, inserted] of patches) {
          if (deleted > 0) text.delete(position, deleted)
          if (inserted !== '') text.insert(position, inserted)
        }
        if (tail.length < 8000) continue
        snapshot = (await compact({ snapshot, updates: tail })).update
        tail = []
      }
      const { update } = await compact({ snapshot, updates: tail })
      expect(update.length).toBeLessThan(Y.encodeStateAsUpdate(doc).length * 1.05)
      expect(replica([update]).getText('text').toString()).toBe(doc.getText('text').toString())
    },
  )
})
