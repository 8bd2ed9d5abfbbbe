import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { compactUpdates } from '../../server/worker/compact.js'
import { packJob, unpackJob } from '../../server/worker/pack.js'

/** Records what a document says while `edit` runs. */
const updatesOf = (doc: Y.Doc, edit: () => void): Uint8Array[] => {
  const updates: Uint8Array[] = []
  const record = (update: Uint8Array) => updates.push(update)
  doc.on('update', record)
  edit()
  doc.off('update', record)
  return updates
}

const open = (...updates: Uint8Array[]): Y.Doc => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

const textOf = (...updates: Uint8Array[]): string =>
  open(...updates)
    .getText('text')
    .toString()

const typing = (text: string): { doc: Y.Doc; updates: Uint8Array[] } => {
  const doc = new Y.Doc()
  const updates = updatesOf(doc, () => {
    for (const [at, character] of [...text].entries()) doc.getText('text').insert(at, character)
  })
  return { doc, updates }
}

const at = (values: readonly (Uint8Array | undefined)[], index: number): Uint8Array => {
  const value = values.at(index)
  if (value === undefined) throw new Error(`nothing at ${index}`)
  return value
}

describe('compactUpdates', () => {
  it('gives the same document in fewer bytes', () => {
    const { doc, updates } = typing('hello, world'.repeat(50))
    const { update, stateVector } = compactUpdates({ snapshot: null, updates })
    expect(textOf(update)).toBe(doc.getText('text').toString())
    expect(update.length).toBeLessThan(updates.reduce((sum, { length }) => sum + length, 0) / 10)
    expect(stateVector).toEqual(Y.encodeStateVector(doc))
  })

  it('goes on from a snapshot', () => {
    const { doc, updates } = typing('snapshot and tail')
    const { update: snapshot } = compactUpdates({ snapshot: null, updates: updates.slice(0, 9) })
    const { update } = compactUpdates({ snapshot, updates: updates.slice(9) })
    expect(textOf(update)).toBe(doc.getText('text').toString())
  })

  it('makes an empty update of nothing', () => {
    expect(compactUpdates({ snapshot: null, updates: [] })).toMatchObject({
      update: Uint8Array.of(0, 0),
      stateVector: Uint8Array.of(0),
    })
  })

  it('drops deleted text', () => {
    const doc = new Y.Doc()
    const updates = updatesOf(doc, () => {
      doc.getText('text').insert(0, 'secret'.repeat(1000))
      doc.getText('text').delete(0, 6000)
    })
    const { update } = compactUpdates({ snapshot: null, updates })
    expect(update.length).toBeLessThan(100)
    expect(textOf(update)).toBe('')
  })

  it('keeps updates that wait for a missing one, and applies them when it comes', () => {
    const { doc, updates } = typing('abcdef')
    const [first, second, ...rest] = updates
    const { update, stateVector } = compactUpdates({ snapshot: null, updates: [at([first], 0), ...rest] })
    expect(textOf(update)).toBe('a')
    expect(Y.decodeStateVector(stateVector).get(doc.clientID)).toBe(1)
    expect(textOf(update, at([second], 0))).toBe('abcdef')
    // Once more through a compaction, now as the snapshot.
    const again = compactUpdates({ snapshot: update, updates: [at([second], 0)] })
    expect(textOf(again.update)).toBe('abcdef')
  })

  it('keeps a deletion of something that is missing', () => {
    const { doc, updates } = typing('abc')
    const [deletion] = updatesOf(doc, () => doc.getText('text').delete(2, 1))
    const lacking = [...updates.slice(0, 2), at([deletion], 0)]
    const { update } = compactUpdates({ snapshot: null, updates: lacking })
    expect(textOf(update)).toBe('ab')
    expect(textOf(update, at(updates, 2))).toBe('ab')
  })

  it('keeps both when several authors wait for each other', () => {
    const alice = new Y.Doc()
    const bob = new Y.Doc()
    const [a1] = updatesOf(alice, () => alice.getText('text').insert(0, 'a'))
    Y.applyUpdate(bob, at([a1], 0))
    const [b1] = updatesOf(bob, () => bob.getText('text').insert(1, 'b'))
    Y.applyUpdate(alice, at([b1], 0))
    const [a2] = updatesOf(alice, () => alice.getText('text').insert(2, 'c'))
    const { update } = compactUpdates({ snapshot: null, updates: [at([a2], 0), at([b1], 0)] })
    expect(textOf(update)).toBe('')
    expect(textOf(update, at([a1], 0))).toBe('abc')
  })

  it('deletes nothing on its own, though Yjs would tidy up formatting written twice', () => {
    const alice = new Y.Doc()
    const bob = new Y.Doc()
    const [created] = updatesOf(alice, () =>
      alice.getMap('map').set('note', new Y.Text('twice as bold as it need be')),
    )
    Y.applyUpdate(bob, at([created], 0))
    const bold = (doc: Y.Doc) =>
      updatesOf(doc, () => (doc.getMap('map').get('note') as Y.Text).format(0, 5, { bold: true }))
    const updates = [at([created], 0), ...bold(alice), ...bold(bob)]
    const { update } = compactUpdates({ snapshot: null, updates })
    expect(Y.decodeUpdate(update).ds.clients.size).toBe(0)
    // What the test rests on: a document that takes them one by one does delete.
    expect(Y.decodeUpdate(Y.encodeStateAsUpdate(open(...updates))).ds.clients.size).toBe(1)
  })

  it('throws for bytes that are no update', () => {
    expect(() => compactUpdates({ snapshot: null, updates: [Uint8Array.of(1, 1, 1)] })).toThrow()
  })
})

describe('packJob', () => {
  it('gives back what went in', async () => {
    const updates = [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4)]
    for (const snapshot of [null, new Uint8Array(0), Uint8Array.of(9, 9)]) {
      expect(unpackJob(await packJob({ snapshot, updates }))).toEqual({ snapshot, updates })
    }
    expect(unpackJob(await packJob({ snapshot: null, updates: [] }))).toEqual({ snapshot: null, updates: [] })
  })

  it('copies a large document in several turns of the event loop, and all of it', async () => {
    const snapshot = randomBytes(13 * 2 ** 20)
    const updates = [randomBytes(3), randomBytes(5 * 2 ** 20), randomBytes(7)]
    let turns = 0
    const count = (): void => {
      turns++
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    const unpacked = unpackJob(await packJob({ snapshot, updates }))
    clearImmediate(immediate)
    expect(turns).toBeGreaterThanOrEqual(4)
    expect(Buffer.compare(unpacked.snapshot ?? Buffer.of(), snapshot)).toBe(0)
    expect(unpacked.updates.map((update, i) => Buffer.compare(update, updates[i] ?? Buffer.of()))).toEqual([
      0, 0, 0,
    ])
  })

  it('takes only the viewed bytes along, in a buffer of its own', async () => {
    const chunk = new Uint8Array(65_536).fill(7)
    const packed = await packJob({
      snapshot: null,
      updates: [chunk.subarray(100, 120), chunk.subarray(200, 210)],
    })
    expect(packed.bytes.buffer.byteLength).toBe(30)
    expect(packed.bytes.buffer).not.toBe(chunk.buffer)
  })
})
