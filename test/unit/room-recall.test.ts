import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Snapshot } from '../../server/journal/journal.js'
import { Counters } from '../../server/observe/counters.js'
import { Content } from '../../server/room/content.js'
import { Recall } from '../../server/room/recall.js'
import { scanUpdate } from '../../server/update/scan.js'
import { until } from '../support/until.js'

const snapshotOf = (seq: number, text: string): Snapshot => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return { seq, update: Y.encodeStateAsUpdate(doc) }
}

/** A document whose snapshot was let go of, and a disk that answers when the test says so. */
const setup = (stored = snapshotOf(3, 'three')) => {
  const content = new Content({ snapshot: stored, tail: [] })
  content.drop()
  const reads: { give: (snapshot: Snapshot | null) => void; fail: (error: Error) => void }[] = []
  const counters = new Counters()
  const errors: string[] = []
  const log = {
    document: { name: 'doc', generation: '0'.repeat(32), snapshot: null, tail: [], seq: 3 },
    snapshot: () =>
      new Promise<Snapshot | null>((resolve, reject) => {
        reads.push({ give: resolve, fail: reject })
      }),
  }
  const recall = new Recall(log, content, {
    counters,
    onError: (document, error) => void errors.push(`${document}: ${error}`),
  })
  const told: string[] = []
  const wait = (who: object, name: string): void =>
    recall.wait(who, {
      ready: () => void told.push(`${name}: ${content.everything() === null ? 'not here' : 'here'}`),
      failed: (error) => void told.push(`${name}: ${(error as Error).message}`),
    })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { content, recall, wait, reads, told, counters, errors, stored, turn }
}

describe('Recall', () => {
  it('reads once for all who need it, and tells each of them once', async () => {
    const { wait, reads, told, counters, stored, turn } = setup()
    const [a, b] = [{}, {}]
    wait(a, 'a')
    wait(b, 'b')
    wait(a, 'a')
    expect([reads.length, told]).toEqual([1, []])
    reads[0]?.give(stored)
    await turn()
    expect(told).toEqual(['a: here', 'b: here'])
    expect([reads.length, counters.recalls]).toEqual([1, 1])
  })

  it('who leaves is told nothing, also when it leaves because of what another is told', async () => {
    const { recall, wait, reads, told, stored, turn } = setup()
    const [a, b, c] = [{}, {}, {}]
    recall.wait(a, { ready: () => recall.leave(b), failed: () => undefined })
    wait(b, 'b')
    wait(c, 'c')
    recall.leave(c)
    reads[0]?.give(stored)
    await turn()
    expect(told).toEqual([])
  })

  it('an error is told to all who wait, and the next one tries again', async () => {
    const { wait, reads, told, counters, errors, stored, turn } = setup()
    wait({}, 'a')
    reads[0]?.fail(new Error('no disk'))
    await turn()
    expect([told, errors]).toEqual([['a: no disk'], ['doc: Error: no disk']])
    wait({}, 'b')
    reads[1]?.give(stored)
    await turn()
    expect(told).toEqual(['a: no disk', 'b: here'])
    expect(counters).toMatchObject({ recalls: 1, recallsFailed: 1 })
  })

  it('a compaction meanwhile brings the snapshot; what is read late is of no use', async () => {
    const { content, recall, wait, reads, told, stored, turn } = setup()
    wait({}, 'a')
    const edit = snapshotOf(4, 'four').update
    content.append(edit, scanUpdate(edit))
    const next = snapshotOf(4, 'three and four')
    content.compacted(next)
    recall.arrived()
    expect(told).toEqual(['a: here'])
    content.drop()
    wait({}, 'b')
    reads[0]?.give(stored)
    await turn()
    expect(told, 'the old one is not taken for the new one').toEqual(['a: here'])
    reads[1]?.give(next)
    await turn()
    expect(told).toEqual(['a: here', 'b: here'])
  })

  it('a compaction that the store has taken, and the room not yet: it is read again', async () => {
    const { content, recall, wait, reads, told, turn } = setup()
    wait({}, 'a')
    const next = snapshotOf(4, 'three and four')
    reads[0]?.give(next)
    await turn()
    expect([told, reads.length]).toEqual([[], 2])
    const edit = snapshotOf(4, 'four').update
    content.append(edit, scanUpdate(edit))
    content.compacted(next)
    content.drop()
    recall.arrived()
    reads[1]?.give(next)
    await until('it was told', () => told.length > 0)
    expect(told).toEqual(['a: here'])
  })

  it('a store that has lost the snapshot is an error, not an endless loop', async () => {
    const { wait, reads, told, turn } = setup()
    wait({}, 'a')
    reads[0]?.give(null)
    await turn()
    expect(told).toEqual(['a: the snapshot of 3 updates is not to be had'])
    wait({}, 'b')
    reads[1]?.give(snapshotOf(2, 'older'))
    await turn()
    expect(told).toHaveLength(2)
  })
})
