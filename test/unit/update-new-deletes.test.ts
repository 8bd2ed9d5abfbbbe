import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DocumentIndex } from '../../server/update/document-index.js'
import { withNewDeletes } from '../../server/update/new-deletes.js'
import { scanUpdate } from '../../server/update/scan.js'
import { edits, setupRoom } from '../support/room.js'

/** A text of which every other character is gone; `clientID` is 1. */
const holey = (length: number): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.getText('t').insert(0, 'x'.repeat(length))
  doc.transact(() => {
    for (let i = 0; i < length / 2; i++) doc.getText('t').delete(i, 1)
  })
  return doc
}

const indexOf = (...updates: Uint8Array[]): DocumentIndex => {
  const index = new DocumentIndex()
  for (const update of updates) index.add(scanUpdate(update))
  return index
}

describe('an update without the deletions that are held', () => {
  it('has the structs as they were, and what is new of the deletions', () => {
    const doc = holey(1000)
    const before = Y.encodeStateAsUpdate(doc)
    const vector = Y.encodeStateVector(doc)
    doc.clientID = 2
    doc.getText('t').insert(3, 'y')
    doc.getText('t').delete(7, 1)
    const scan = scanUpdate(Y.encodeStateAsUpdate(doc, vector))
    const kept = withNewDeletes(scan, indexOf(before))
    // Scanned anew, it is what it says it is.
    expect(scanUpdate(kept.bytes)).toEqual(kept)
    expect(kept.bytes.subarray(0, kept.deletesFrom)).toEqual(scan.bytes.subarray(0, scan.deletesFrom))
    expect(kept.deletes.flatMap(({ ranges }) => ranges).length).toBe(2)
    expect(kept.bytes.length).toBeLessThan(scan.bytes.length / 10)
    const copy = new Y.Doc()
    for (const update of [before, kept.bytes]) Y.applyUpdate(copy, update)
    expect(copy.getText('t').toString()).toBe(doc.getText('t').toString())
    expect(Y.encodeStateAsUpdate(copy)).toEqual(Y.encodeStateAsUpdate(doc))
  })

  it('is the very same when nothing of its deletions is held, or it has none', () => {
    const scan = scanUpdate(Y.encodeStateAsUpdate(holey(10)))
    expect(withNewDeletes(scan, indexOf())).toBe(scan)
    const none = scanUpdate(edits(1, 1)[0] as Uint8Array)
    expect(withNewDeletes(none, indexOf(scan.bytes))).toBe(none)
  })

  it('keeps a range that is held in part', () => {
    const doc = holey(4)
    const before = Y.encodeStateAsUpdate(doc)
    doc.getText('t').delete(0, 2)
    const scan = scanUpdate(Y.encodeStateAsUpdate(doc))
    expect(withNewDeletes(scan, indexOf(before)).deletes).toEqual([{ client: 1, ranges: [0, 4] }])
  })
})

describe('a room that somebody comes back to', () => {
  it('[S3] stores and passes on of a sync step 2 only what is new', () => {
    const { room, appended, join, endTurn } = setupRoom()
    const [author, reader] = [join(true), join()]
    const doc = holey(1000)
    const whole = Y.encodeStateAsUpdate(doc)
    room.receive(author, 1, whole, { mayWrite: true, reoffered: true })
    // Of what the document doesn't hold nothing is left out.
    expect(appended[0]?.update).toEqual(whole)
    room.committed(1)
    endTurn()
    const vector = Y.encodeStateVector(doc)
    doc.clientID = 2
    doc.getText('t').insert(0, 'offline')
    reader.frames = []
    const answer = Y.encodeStateAsUpdate(doc, vector)
    room.receive(author, 2, answer, { mayWrite: true, reoffered: true })
    endTurn()
    expect(answer.length).toBeGreaterThan(1000)
    expect(appended[1]?.update.length).toBeLessThan(50)
    expect(Buffer.concat(reader.frames).length).toBeLessThan(60)
    room.committed(2)
    expect(author.calls).toEqual(['ack 1', 'ack 2'])
  })

  it('[S3] passes on an update message byte for byte, whatever it repeats', () => {
    const { room, appended, join } = setupRoom()
    const author = join(true)
    const doc = holey(100)
    room.receive(author, 1, Y.encodeStateAsUpdate(doc), { mayWrite: true, reoffered: true })
    doc.clientID = 2
    doc.getText('t').insert(0, 'y')
    const update = Y.encodeStateAsUpdate(doc)
    room.receive(author, 2, update, { mayWrite: true, reoffered: false })
    expect(appended[1]?.update).toEqual(update)
  })
})
