import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { scanUpdate } from '../../server/update/scan.js'
import { encodeScanIndex, scanWithIndex } from '../../server/update/scan-index.js'

/** A document by two authors, with deletions; long enough for marks. */
const updateOf = (edits: readonly { at: number; second: boolean; remove: boolean }[]): Uint8Array => {
  const docs = [new Y.Doc(), new Y.Doc()] as const
  docs[0].clientID = 5
  docs[1].clientID = 2 ** 31
  for (const { at, second, remove } of edits) {
    const text = docs[second ? 1 : 0].getText('t')
    if (remove && text.length > 0) text.delete(at % text.length, 1)
    else text.insert(at % (text.length + 1), 'ä')
  }
  Y.applyUpdate(docs[0], Y.encodeStateAsUpdate(docs[1]))
  return Y.encodeStateAsUpdate(docs[0])
}

describe('scanWithIndex', () => {
  it('gives what a scan gives', () => {
    const edit = fc.record({ at: fc.nat(), second: fc.boolean(), remove: fc.boolean() })
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 600, size: 'max' }), (edits) => {
        const update = updateOf(edits)
        const scan = scanUpdate(update)
        expect(scanWithIndex(update, encodeScanIndex(scan))).toEqual(scan)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps gaps, which are several blocks of one author', () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < 5; i++) doc.getText('t').insert(0, 'x')
    const update = Y.mergeUpdates(updates.filter((_, i) => i !== 2))
    const scan = scanUpdate(update)
    expect(scan.blocks).toHaveLength(2)
    expect(scanWithIndex(update, encodeScanIndex(scan))).toEqual(scan)
  })

  it('does not read the structs', () => {
    const update = updateOf(
      Array.from({ length: 300 }, (_, i) => ({ at: i * 7, second: false, remove: false })),
    )
    const scan = scanUpdate(update)
    const index = encodeScanIndex(scan)
    // What no scan would let pass.
    update.fill(255, scan.blocks[0]?.from, scan.blocks[0]?.to)
    expect(scanWithIndex(update, index)).toEqual(scan)
  })

  it('scans when there is no index, or one of another version, about other bytes, or cut short', () => {
    const update = updateOf([{ at: 0, second: false, remove: false }])
    const scan = scanUpdate(update)
    const index = encodeScanIndex(scan)
    const other = encodeScanIndex(scanUpdate(Uint8Array.of(0, 0)))
    for (const useless of [
      undefined,
      new Uint8Array(),
      Uint8Array.of(9, ...index.subarray(1)),
      other,
      index.subarray(0, -1),
      Uint8Array.of(...index, 0),
    ]) {
      expect(scanWithIndex(update, useless)).toEqual(scan)
    }
    expect(() => scanWithIndex(Uint8Array.of(1), undefined)).toThrow('claims 1 entries')
  })
})
