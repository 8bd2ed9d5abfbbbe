import * as Y from 'yjs'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { scanUpdate } from '../update/scan.js'
import { encodeScanIndex } from '../update/scan-index.js'

/** A document's stored bytes: what the last compaction left, and every update since, in order. */
export interface CompactJob {
  /** `null` for a document that was never compacted. */
  readonly snapshot: Uint8Array | null
  readonly updates: readonly Uint8Array[]
}

/** A document in one piece. */
export interface Compacted {
  /** One Yjs update (v1) with the whole state: deleted content dropped, updates that still wait for a gap kept. */
  readonly update: Uint8Array
  /** Encoded state vector of `update`, up to the first gap of each client. */
  readonly stateVector: Uint8Array
  /** What a scan of `update` finds, so that nobody has to scan it again; see `scanWithIndex`. */
  readonly index: Uint8Array
}

/**
 * Turns a snapshot and its tail into a new snapshot. Pure, but heavy: belongs into a worker thread.
 *
 * The result holds exactly the union of what went in: applying it gives the same document, and applying any of
 * the inputs on top of it changes nothing.
 *
 * @throws whatever Yjs throws for bytes that are no update, or for nesting deeper than the stack.
 */
export const compactUpdates = (job: CompactJob): Compacted => {
  const doc = loadDocument(job)
  try {
    const update = Y.encodeStateAsUpdate(doc)
    const index = encodeScanIndex(scanUpdate(update, TRUSTED_LIMITS))
    return { update, stateVector: Y.encodeStateVector(doc), index }
  } finally {
    doc.destroy()
  }
}

/**
 * Integrates stored bytes into a new `Y.Doc` that garbage-collects deleted content. The caller destroys it.
 *
 * Everything goes into one transaction. It takes half the time of one per update, and Yjs then doesn't run its
 * clean-up of redundant formatting, which would delete things that no author ever deleted.
 *
 * @throws as {@link compactUpdates}.
 */
export const loadDocument = ({ snapshot, updates }: CompactJob): Y.Doc => {
  const doc = new Y.Doc({ gc: true })
  doc.transact(() => {
    // The base first: thousands of updates that wait for it would be put aside and retried, 30 times as slow.
    if (snapshot) Y.applyUpdate(doc, snapshot)
    for (const update of updates) Y.applyUpdate(doc, update)
  })
  return doc
}
