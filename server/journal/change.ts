/**
 * What a change of generation writes. Pure. Each is one atomic batch: the catalog's entry turns to the new
 * generation (or goes), and the old generation is marked for purging or set aside.
 */
import type { Replacement } from './journal.js'
import { asideKey, catalogKey, purgeKey, runKey, snapshotKey } from './keys.js'
import {
  encodeAside,
  encodeCatalog,
  encodePurge,
  encodeRun,
  encodeSnapshot,
  type RunEntry,
} from './records.js'
import type { Write } from './store.js'

/** A run record of a replaced document holds about this much. */
const RUN_BYTES = 1024 * 1024

/** Takes a document out of the catalog; the generations' records are then removed by the purge. */
export const deletion = (name: Uint8Array, generations: readonly string[]): Write[] => [
  { key: catalogKey(name), value: null },
  ...generations.flatMap((generation) => [{ key: asideKey(generation), value: null }, purgeMark(generation)]),
]

/** The generation is to vanish from the store. */
export const purgeMark = (generation: string): Write => {
  const key = purgeKey(generation)
  return { key, value: encodePurge(key) }
}

/** The generation is no document's any more, and is kept. */
export const asideMark = (generation: string, name: Uint8Array, taken: number, reason: string): Write => {
  const key = asideKey(generation)
  return { key, value: encodeAside(key, { name, taken, reason }) }
}

/**
 * Makes a document of `content`, under `generation`.
 *
 * @throws RangeError when there is nothing in it, or its snapshot has no `seq`.
 */
export const creation = (
  name: Uint8Array,
  generation: string,
  content: Replacement,
  now: number,
): Write[] => {
  const { snapshot, tail } = content
  if (snapshot && snapshot.seq < 1) throw new RangeError('a snapshot covers at least update 1')
  if (!snapshot && tail.length === 0) throw new RangeError('a document without history is not stored')
  const catalog = catalogKey(name)
  const writes: Write[] = [{ key: catalog, value: encodeCatalog(catalog, { generation, created: now }) }]
  if (snapshot) {
    const key = snapshotKey(generation, snapshot.seq)
    const { update, index = null } = snapshot
    writes.push({ key, value: encodeSnapshot(key, { name, created: now, taken: now, index, update }) })
  }
  let first = (snapshot?.seq ?? 0) + 1
  for (const entries of inRuns(tail)) {
    const key = runKey(generation, first)
    writes.push({ key, value: encodeRun(key, { name: first === 1 ? name : null, entries }) })
    first += entries.length
  }
  return writes
}

function* inRuns(entries: readonly RunEntry[]): Generator<readonly RunEntry[]> {
  let start = 0
  let bytes = 0
  for (let i = 0; i < entries.length; i++) {
    bytes += entries[i]?.update.length ?? 0
    if (bytes < RUN_BYTES) continue
    yield entries.slice(start, i + 1)
    start = i + 1
    bytes = 0
  }
  if (start < entries.length) yield entries.slice(start)
}
