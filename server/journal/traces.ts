/** Finding what belongs to a document when its catalog entry doesn't tell. */
import { ASIDE_RANGE, generationRange, type KeyRange, parseKey, RECORDS_RANGE } from './keys.js'
import { readRecord } from './records.js'
import type { Store } from './store.js'

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

/** The generations of a name that were set aside as damaged originals. */
export const asidesOf = async (store: Store, name: Uint8Array): Promise<string[]> => {
  const generations: string[] = []
  for await (const page of store.pages(ASIDE_RANGE)) {
    for (const [key, value] of page) {
      const { status, key: parsed, ...reading } = readRecord(key, value)
      if (parsed.kind !== 'aside') continue
      const record = 'record' in reading ? reading.record : null
      if (status === 'ok' && record?.kind === 'aside' && Buffer.compare(record.name, name) === 0) {
        generations.push(parsed.generation)
      }
    }
  }
  return generations
}

/** All generations that name this document in their first record, current or not. */
export const tracesOf = async (store: Store, name: Uint8Array): Promise<string[]> => {
  const generations: string[] = []
  for await (const trace of traces(store)) {
    if (trace.name && Buffer.compare(trace.name, name) === 0) generations.push(trace.generation)
  }
  return generations
}

const nameIn = (key: Uint8Array, value: Uint8Array): Uint8Array | null => {
  const reading = readRecord(key, value)
  if (reading.status !== 'ok') return null
  const { record } = reading
  return record.kind === 'run' || record.kind === 'snapshot' ? record.name : null
}
