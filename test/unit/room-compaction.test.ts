import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { DocumentLog, Snapshot } from '../../server/journal/journal.js'
import { Counters } from '../../server/observe/counters.js'
import { Compaction } from '../../server/room/compaction.js'
import { Content } from '../../server/room/content.js'
import { Recall } from '../../server/room/recall.js'
import { scanUpdate } from '../../server/update/scan.js'
import { encodeScanIndex } from '../../server/update/scan-index.js'
import { compactUpdates } from '../../server/worker/compact.js'
import { InkwireError } from '../../shared/errors.js'

/** A document's compaction, with a worker and a store that fail when a test says so. */
const setup = () => {
  const stored: Snapshot[] = []
  const errors: boolean[] = []
  const broken = { worker: false, store: false }
  const content = new Content({ snapshot: null, tail: [] })
  const counters = new Counters()
  const log: DocumentLog = {
    document: { name: 'doc', generation: '0'.repeat(32), snapshot: null, tail: [], seq: 0 },
    append: () => 0,
    hold: () => 0,
    commit: () => undefined,
    compact: async (snapshot) => {
      if (broken.store) throw new InkwireError('INKWIRE_STORE_FAILED', 'the disk is full')
      stored.push(snapshot)
    },
    release: () => undefined,
    letGo: () => undefined,
    snapshot: async () => null,
  }
  const compaction = new Compaction(log, content, {
    recall: new Recall(log, content, { counters, onError: () => undefined }),
    compact: async (job) => {
      if (broken.worker) throw new InkwireError('INKWIRE_BAD_UPDATE', 'poison')
      return compactUpdates(job)
    },
    counters,
    onError: (_, __, final) => void errors.push(final),
  })
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array) => content.append(update, scanUpdate(update)))
  const grow = (bytes: number): void => doc.getText('t').insert(0, 'x'.repeat(bytes))
  /** Looks whether it is time, until nothing is under way any more. */
  const round = async (durable = content.seq): Promise<void> => {
    await new Promise<void>((resolve) => {
      const events = {
        trimming: () => undefined,
        ended: () => {
          compaction.consider(durable, false, events)
          if (!compaction.running) resolve()
        },
      }
      compaction.consider(durable, false, events)
      if (!compaction.running) resolve()
    })
  }
  return { compaction, content, counters, broken, stored, errors, grow, round }
}

describe('Compaction', () => {
  it('waits until the tail has outgrown the snapshot: the total cost stays in proportion to what is written', async () => {
    const { content, stored, grow, round } = setup()
    let compacted = 0
    for (let i = 0; i < 64; i++) {
      grow(64 * 1024)
      await round()
      if (stored.length > compacted) compacted = stored.length
    }
    // 4 MiB in pieces of 64 KiB: at 256 KiB, 512, 1024, 2048 and so on, not every time.
    expect(stored.length).toBeGreaterThanOrEqual(3)
    expect(stored.length).toBeLessThanOrEqual(6)
    expect(content.tailBytes).toBeLessThanOrEqual(content.snapshotBytes + 64 * 1024)
  })

  it('who comes next starts from a short tail, unless the document is so large that this costs seconds', async () => {
    for (const [snapshot, share, wanted] of [
      [300_000, 10, true],
      [300_000, 20, false],
      [1_500_000, 10, false],
      [1_500_000, 3, true],
    ] as const) {
      const { compaction, content, stored, grow, round } = setup()
      grow(snapshot)
      await round()
      expect(stored).toHaveLength(1)
      grow(Math.ceil(snapshot / share))
      const ended = new Promise<void>((resolve) => {
        const events = {
          trimming: () => undefined,
          ended: () => {
            compaction.consider(content.seq, true, events)
            if (!compaction.running) resolve()
          },
        }
        compaction.consider(content.seq, true, events)
        if (!compaction.running) resolve()
      })
      await ended
      expect(stored.length === 2).toBe(wanted)
    }
  })

  it('stores with the snapshot what a scan of it finds', async () => {
    const { stored, grow, round } = setup()
    grow(300 * 1024)
    await round()
    const [snapshot] = stored
    expect(snapshot?.index).toEqual(encodeScanIndex(scanUpdate(snapshot?.update ?? new Uint8Array())))
  })

  it('a poison document is tried three times, then left alone, and goes on growing its tail', async () => {
    const { compaction, broken, errors, stored, grow, round } = setup()
    broken.worker = true
    for (let i = 0; i < 8; i++) {
      grow(300 * 1024 * 2 ** i)
      await round()
    }
    expect(errors).toEqual([false, false, true])
    expect(compaction.givenUp).toBe(true)
    expect(stored).toEqual([])
  })

  it('a store that fails says nothing against the document', async () => {
    const { compaction, broken, errors, stored, grow, round, counters } = setup()
    broken.store = true
    for (let i = 0; i < 5; i++) {
      grow(300 * 1024 * 2 ** i)
      await round()
    }
    expect(errors.length).toBeGreaterThanOrEqual(3)
    expect(errors).not.toContain(true)
    expect(compaction.givenUp).toBe(false)
    broken.store = false
    grow(300 * 1024 * 2 ** 5)
    await round()
    expect([stored.length, counters.compactions]).toEqual([1, 1])
  })
})
