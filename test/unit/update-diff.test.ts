import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DocumentIndex } from '../../server/update/document-index.js'
import { type Scan, scanUpdate } from '../../server/update/scan.js'
import { Splicer, splice } from '../../server/update/splice.js'
import { replica } from '../support/random-edits.js'
import { loadConcurrentTrace, loadSequentialTrace } from '../support/traces.js'

/** The first edits of a paper, typed by one author. */
const paper = (edits: number): { doc: Y.Doc; updates: Uint8Array[] } => {
  const doc = new Y.Doc()
  doc.clientID = 3_456_789_012
  const text = doc.getText('text')
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const { patches } of loadSequentialTrace('automerge-paper').txns.slice(0, edits)) {
    for (const [position, deleted, inserted] of patches) {
      doc.transact(() => {
        if (deleted > 0) text.delete(position, deleted)
        if (inserted !== '') text.insert(position, inserted)
      })
    }
  }
  return { doc, updates }
}

describe('a diff', () => {
  const { doc, updates } = paper(20_000)
  const state = Y.encodeStateAsUpdate(doc)
  const end = Y.decodeStateVector(Y.encodeStateVector(doc)).get(doc.clientID) ?? 0

  it('is byte for byte what Y.diffUpdate gives, from any clock of a compacted document', () => {
    const scan = scanUpdate(state)
    for (let clock = 0; clock <= end; clock += 97) {
      const vector = new Map([[doc.clientID, clock]])
      const diff = splice([scan], { since: vector })
      expect(Buffer.compare(diff, Y.diffUpdate(state, Y.encodeStateVector(vector)))).toBe(0)
    }
  })

  it('is only the deletions for one who has all structs, and everything for one who has none', () => {
    const scan = scanUpdate(state)
    const all = splice([scan], { since: new Map([[doc.clientID, end]]) })
    expect(all).toEqual(Uint8Array.of(0, ...state.subarray(scan.deletesFrom)))
    expect(splice([scan], { since: new Map([[1, 5]]) })).toEqual(state)
    expect(splice([scan], { since: new Map([[doc.clientID, end + 1]]) })).toEqual(all)
  })

  it('ends with the given delete set', () => {
    const since = new Map([[doc.clientID, end]])
    const diff = splice([scanUpdate(state)], { since, deleteSet: Uint8Array.of(0) })
    expect(diff).toEqual(Uint8Array.of(0, 0))
  })

  it('of snapshot and tail together is what a client lacks, whatever it has', () => {
    const compacted = Y.encodeStateAsUpdate(replica(updates.slice(0, 12_000)))
    const index = new DocumentIndex()
    const whole = new Splicer()
    for (const update of [compacted, ...updates.slice(12_000)]) {
      const scan = scanUpdate(update)
      index.add(scan)
      whole.add(scan)
    }
    const text = doc.getText('text').toString()
    expect(replica([whole.build()]).getText('text').toString()).toBe(text)
    for (const held of [0, 1, 500, 11_999, 12_000, 12_001, 19_999, 20_000]) {
      const behind = replica(updates.slice(0, held))
      const since = Y.decodeStateVector(Y.encodeStateVector(behind))
      Y.applyUpdate(behind, whole.build({ since, deleteSet: index.encodeDeleteSet() }))
      expect(behind.getText('text').toString()).toBe(text)
      expect(Y.encodeStateVector(behind)).toEqual(index.encodeStateVector())
    }
  })
})

describe('two authors at once', () => {
  it('end as recorded when all their updates are spliced to one', () => {
    const { txns, endContent } = loadConcurrentTrace('friendsforever')
    const scans: Scan[] = []
    const authors = [1, 2].map((clientID) => {
      const doc = new Y.Doc()
      doc.clientID = clientID
      const sent: Uint8Array[] = []
      doc.on('update', (update: Uint8Array, origin: unknown) => {
        if (origin === 'heard') return
        sent.push(update)
        scans.push(scanUpdate(update))
      })
      return { doc, sent, heard: 0 }
    })
    // How many updates of each author a transaction's author knew after it.
    const known: number[][] = []
    for (const { parents, agent, patches } of txns) {
      const author = authors[agent]
      const other = authors[1 - agent]
      if (author === undefined || other === undefined) throw new RangeError('two authors were expected')
      const knew = Math.max(author.heard, ...parents.map((parent) => known[parent]?.[1 - agent] ?? 0))
      for (const update of other.sent.slice(author.heard, knew)) Y.applyUpdate(author.doc, update, 'heard')
      author.heard = knew
      author.doc.transact(() => {
        const text = author.doc.getText('text')
        for (const [position, deleted, inserted] of patches) {
          if (deleted > 0) text.delete(position, deleted)
          if (inserted !== '') text.insert(position, inserted)
        }
      })
      known.push(agent === 0 ? [author.sent.length, knew] : [knew, author.sent.length])
    }
    expect(
      replica([splice(scans)])
        .getText('text')
        .toString(),
    ).toBe(endContent)
  })
})
