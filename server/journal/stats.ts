import type { DocumentStats } from './journal.js'
import type { LoadedDocument } from './load.js'

/** Sums a loaded document up. Pure. */
export const statsOf = (loaded: Omit<LoadedDocument, 'layout'>): DocumentStats => {
  const { document, created, lastWrite } = loaded
  const { name, generation, seq, snapshot, tail } = document
  let tailBytes = 0
  for (const { update } of tail) tailBytes += update.length
  return {
    name,
    generation,
    seq,
    snapshotBytes: snapshot?.update.length ?? 0,
    tailUpdates: tail.length,
    tailBytes,
    created,
    lastWrite,
  }
}
