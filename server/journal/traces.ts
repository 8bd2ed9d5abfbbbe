/** Finding what belongs to a document when its catalog entry doesn't tell. */
import {
  ASIDE_RANGE,
  asideKey,
  generationRange,
  type KeyRange,
  parseKey,
  purgeKey,
  RECORDS_RANGE,
} from './keys.js'
import { readCatalog } from './load.js'
import { readRecord } from './records.js'
import type { Store } from './store.js'
import type { Witness } from './witness.js'

/** A generation that has records, and the name that is in its first one (`null`: that one is damaged). */
export interface Trace {
  readonly generation: string
  readonly name: Uint8Array | null
}

/** All generations that have records, by one seek each. */
export async function* traces(store: Store): AsyncGenerator<Trace, void, void> {
  let range: KeyRange = RECORDS_RANGE
  for (;;) {
    const pair = await store.first(range)
    if (!pair) return
    const [key, value] = pair
    const parsed = parseKey(key)
    if (parsed.kind === 'run' || parsed.kind === 'snapshot') {
      yield { generation: parsed.generation, name: nameIn(key, value) }
      range = { start: generationRange(parsed.generation).end, end: RECORDS_RANGE.end }
    } else {
      range = { start: Uint8Array.of(...key, 0), end: RECORDS_RANGE.end }
    }
  }
}

/** The damaged original of a document that was repaired. */
export interface Aside {
  readonly name: Uint8Array
  readonly generation: string
  /** When it was set aside, milliseconds since 1970. */
  readonly taken: number
  readonly reason: string
}

/** All that was set aside. */
async function* asides(store: Store): AsyncGenerator<Aside, void, void> {
  for await (const page of store.pages(ASIDE_RANGE)) {
    for (const [key, value] of page) {
      const reading = readRecord(key, value)
      if (reading.status !== 'ok' || reading.record.kind !== 'aside' || reading.key.kind !== 'aside') continue
      const { name, taken, reason } = reading.record
      yield { name, generation: reading.key.generation, taken, reason }
    }
  }
}

/** The generations of a document that were set aside. */
export const asidesOf = async (store: Store, name: Uint8Array): Promise<string[]> => {
  const generations: string[] = []
  for await (const aside of asides(store)) {
    if (Buffer.compare(aside.name, name) === 0) generations.push(aside.generation)
  }
  return generations
}

/**
 * The generations that a document may be at, by its catalog entry; or if that is lost or damaged, by the names in
 * records and by the witness. Those set aside or about to be purged are left out.
 */
export const generationsOf = async (
  store: Store,
  witness: Witness | null,
  name: Uint8Array,
): Promise<string[]> => {
  const entry = await readCatalog(store, name)
  if (entry.status === 'ok') return [entry.generation]
  const found = new Set<string>()
  const seen = await witness?.recall(name)
  if (seen && (await store.first(generationRange(seen.generation)))) found.add(seen.generation)
  for await (const trace of traces(store)) {
    if (trace.name && Buffer.compare(trace.name, name) === 0) found.add(trace.generation)
  }
  const current: string[] = []
  for (const generation of found) {
    const marked = (await store.get(asideKey(generation))) ?? (await store.get(purgeKey(generation)))
    if (!marked) current.push(generation)
  }
  return current
}

const nameIn = (key: Uint8Array, value: Uint8Array): Uint8Array | null => {
  const reading = readRecord(key, value)
  if (reading.status !== 'ok') return null
  const { record } = reading
  return record.kind === 'run' || record.kind === 'snapshot' ? record.name : null
}
