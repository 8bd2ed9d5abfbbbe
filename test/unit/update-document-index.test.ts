import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DocumentIndex } from '../../server/update/document-index.js'
import { type Scan, scanUpdate } from '../../server/update/scan.js'

/** GC structs, as they are the shortest: [client, clock, length, …gap and length]. Then delete ranges. */
const update = (blocks: readonly (readonly number[])[], deletes: readonly (readonly number[])[] = []): Scan =>
  scanUpdate(
    Uint8Array.of(
      blocks.length,
      ...blocks.flatMap(([client = 0, clock = 0, ...lengths]) => [
        lengths.length,
        client,
        clock,
        ...lengths.flatMap((length, i) => [i % 2 === 0 ? 0 : 10, length]),
      ]),
      deletes.length,
      ...deletes.flatMap(([client = 0, ...ranges]) => [client, ranges.length / 2, ...ranges]),
    ),
  )

const indexOf = (...scans: readonly Scan[]): DocumentIndex => {
  const index = new DocumentIndex()
  for (const scan of scans) index.add(scan)
  return index
}

describe('S2: news', () => {
  it('is any struct that is not held', () => {
    const index = indexOf(update([[5, 0, 3]]))
    expect(index.news(update([[5, 0, 3]]))).toBe(false)
    expect(index.news(update([[5, 1, 2]]))).toBe(false)
    expect(index.news(update([[5, 1, 3]]))).toBe(true)
    expect(index.news(update([[6, 0, 1]]))).toBe(true)
    expect(index.news(update([[5, 3, 1]]))).toBe(true)
    expect(index.news(update([]))).toBe(false)
  })

  it('is any deletion that is not held, whether or not its struct is', () => {
    const index = indexOf(update([[5, 0, 9]], [[5, 0, 2, 4, 2]]))
    expect(index.news(update([], [[5, 4, 1]]))).toBe(false)
    expect(index.news(update([], [[5, 0, 2, 4, 2]]))).toBe(false)
    expect(index.news(update([], [[5, 1, 2]]))).toBe(true)
    expect(index.news(update([], [[6, 0, 1]]))).toBe(true)
  })

  it('is none in what a reconnecting client repeats', () => {
    const doc = new Y.Doc()
    const index = new DocumentIndex()
    doc.on('update', (each: Uint8Array) => index.add(scanUpdate(each)))
    for (let i = 0; i < 50; i++) doc.getText().insert(0, `line ${i} `)
    for (let i = 0; i < 50; i++) doc.getText().delete(i * 2, 1)
    expect(index.news(scanUpdate(Y.encodeStateAsUpdate(doc)))).toBe(false)
    expect(index.news(scanUpdate(Y.encodeStateAsUpdate(doc, index.encodeStateVector())))).toBe(false)
    expect(index.encodeStateVector()).toEqual(Y.encodeStateVector(doc))
    expect(scanUpdate(Uint8Array.of(0, ...index.encodeDeleteSet())).deletes).toEqual(
      scanUpdate(Y.encodeStateAsUpdate(doc)).deletes,
    )
  })
})

describe('S5: gaps', () => {
  it('are before what starts past the contiguous part', () => {
    const index = indexOf(update([[5, 0, 3]]))
    expect(index.hasGap(update([[5, 3, 1]]))).toBe(false)
    expect(index.hasGap(update([[5, 2, 5]]))).toBe(false)
    expect(index.hasGap(update([[5, 4, 1]]))).toBe(true)
    expect(index.hasGap(update([[6, 1, 1]]))).toBe(true)
    expect(index.hasGap(update([], [[6, 7, 1]]))).toBe(false)
  })

  it('within an update count only where nothing held fills them', () => {
    expect(new DocumentIndex().hasGap(update([[5, 0, 2, 3, 1]]))).toBe(true)
    expect(indexOf(update([[5, 2, 3]])).hasGap(update([[5, 0, 2, 3, 1]]))).toBe(false)
    expect(indexOf(update([[5, 2, 2]])).hasGap(update([[5, 0, 2, 3, 1]]))).toBe(true)
    expect(
      indexOf(update([[6, 0, 9]])).hasGap(
        update([
          [6, 9, 1],
          [5, 0, 1],
        ]),
      ),
    ).toBe(false)
  })

  it('close, and then count into the state vector', () => {
    const index = indexOf(update([[5, 0, 2, 3, 4]]))
    expect(index.gaps).toBe(1)
    expect(index.stateVector()).toEqual(new Map([[5, 2]]))
    expect(index.clock(5)).toBe(2)
    index.add(update([[5, 2, 3]]))
    expect(index.gaps).toBe(0)
    expect(index.stateVector()).toEqual(new Map([[5, 9]]))
    expect(Y.decodeStateVector(index.encodeStateVector())).toEqual(new Map([[5, 9]]))
  })

  it('leave a client out of the state vector whose beginning is missing', () => {
    const index = indexOf(update([[5, 3, 2]]))
    expect(index.encodeStateVector()).toEqual(Uint8Array.of(0))
    expect(index.clock(5)).toBe(0)
    expect(index.clients).toBe(1)
  })
})

describe('a document index', () => {
  it('counts deletions of what is neither held nor brought', () => {
    const index = indexOf(update([[5, 0, 3]]))
    expect(
      index.danglingDeletes(
        update(
          [[6, 0, 2]],
          [
            [6, 0, 2],
            [5, 0, 1, 2, 1],
          ],
        ),
      ),
    ).toBe(0)
    expect(
      index.danglingDeletes(
        update(
          [],
          [
            [6, 0, 2],
            [5, 0, 1, 2, 2, 9, 1],
          ],
        ),
      ),
    ).toBe(3)
  })

  it('keeps its encoded forms until they change', () => {
    const index = indexOf(update([[5, 0, 3]], [[5, 0, 1]]))
    const vector = index.encodeStateVector()
    const deletes = index.encodeDeleteSet()
    index.add(update([[5, 0, 3]], [[5, 0, 1]]))
    expect(index.encodeStateVector()).toBe(vector)
    expect(index.encodeDeleteSet()).toBe(deletes)
    index.add(update([[5, 3, 1]], [[5, 2, 1]]))
    expect(index.encodeStateVector()).toEqual(Uint8Array.of(1, 5, 4))
    expect(index.encodeDeleteSet()).toEqual(Uint8Array.of(1, 5, 2, 0, 1, 2, 1))
    expect(index.deleteRanges).toBe(2)
  })

  it('writes deletions with clients descending, as Yjs does', () => {
    const index = new DocumentIndex()
    for (const client of [7, 9, 5]) index.add(update([], [[client, 0, 1]]))
    expect(index.encodeDeleteSet()).toEqual(Uint8Array.of(3, 9, 1, 0, 1, 7, 1, 0, 1, 5, 1, 0, 1))
  })

  it('does not share state with its clone', () => {
    const index = indexOf(update([[5, 0, 3]]))
    const clone = index.clone()
    index.add(update([[5, 3, 1]], [[5, 0, 1]]))
    expect(clone.clock(5)).toBe(3)
    expect(clone.encodeStateVector()).toEqual(Uint8Array.of(1, 5, 3))
    expect(clone.deleteRanges).toBe(0)
  })
})
