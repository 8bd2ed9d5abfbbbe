import { type Assembled, Assembler } from './assemble.js'
import { documentDamaged, isCorruption, newerFormat, reasonOf, storeFailed } from './errors.js'
import type { StoredDocument } from './journal.js'
import { catalogKey, generationRange } from './keys.js'
import type { Layout } from './layout.js'
import { type CatalogEntry, readRecord } from './records.js'
import type { Store } from './store.js'

/** A document that was read, and what its log needs to go on. */
export interface LoadedDocument {
  readonly document: StoredDocument
  readonly created: number
  readonly lastWrite: number
  readonly layout: Layout
}

/** What the catalog has under a name. */
export type CatalogReading =
  | { readonly status: 'none' }
  | ({ readonly status: 'ok' } & CatalogEntry)
  | { readonly status: 'newer'; readonly version: number }
  | { readonly status: 'damaged'; readonly problem: string }

/** Looks a name up. @throws what the store throws, except for damage. */
export const readCatalog = async (store: Store, name: Uint8Array): Promise<CatalogReading> => {
  const key = catalogKey(name)
  let value: Uint8Array | undefined
  try {
    value = await store.get(key)
  } catch (error) {
    if (isCorruption(error)) return { status: 'damaged', problem: reasonOf(error) }
    throw error
  }
  if (!value) return { status: 'none' }
  const reading = readRecord(key, value)
  if (reading.status !== 'ok') return reading
  // readRecord has compared the kinds already.
  if (reading.record.kind !== 'catalog') return { status: 'damaged', problem: 'no catalog entry' }
  return { status: 'ok', generation: reading.record.generation, created: reading.record.created }
}

/**
 * Reads and checks a document; `null` when the catalog doesn't have it.
 *
 * @throws InkwireError INKWIRE_DOCUMENT_DAMAGED, INKWIRE_STORE_FORMAT, INKWIRE_STORE_FAILED
 */
export const loadDocument = async (
  store: Store,
  name: string,
  nameBytes: Uint8Array,
): Promise<LoadedDocument | null> => {
  try {
    return await load(store, name, nameBytes)
  } catch (error) {
    if (error instanceof Error && error.name === 'InkwireError') throw error
    throw storeFailed(`document ${JSON.stringify(name)} can't be read`, error)
  }
}

const load = async (store: Store, name: string, nameBytes: Uint8Array): Promise<LoadedDocument | null> => {
  let entry = await readCatalog(store, nameBytes)
  for (;;) {
    if (entry.status === 'none') return null
    if (entry.status === 'newer') throw newerFormat(`document ${JSON.stringify(name)}`, entry.version)
    if (entry.status === 'damaged') throw documentDamaged(name, `its catalog entry: ${entry.problem}`)
    const { generation, created } = entry
    const { newer, problems, ...assembled } = await assemble(store, nameBytes, generation)
    const [problem] = problems
    if (problem === undefined && newer === null) {
      const { snapshot, tail, seq, layout, lastWrite } = assembled
      return { document: { name, generation, snapshot, tail, seq }, created, lastWrite, layout }
    }
    // Deleted or replaced between the two reads? Then look again at what it has become.
    entry = await readCatalog(store, nameBytes)
    if (entry.status !== 'ok' || entry.generation !== generation) continue
    if (newer !== null) throw newerFormat(`document ${JSON.stringify(name)}`, newer)
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    throw documentDamaged(name, `${problem}${more}`)
  }
}

/** Reads all records of a generation and puts them together. Damage is among the `problems`. */
export const assemble = async (store: Store, name: Uint8Array, generation: string): Promise<Assembled> => {
  const assembler = new Assembler(name, generation)
  try {
    for await (const page of store.pages(generationRange(generation))) {
      for (const [key, value] of page) assembler.add(key, value)
    }
  } catch (error) {
    if (!isCorruption(error)) throw error
    const assembled = assembler.finish()
    return { ...assembled, problems: [`LevelDB: ${reasonOf(error)}`, ...assembled.problems] }
  }
  return assembler.finish()
}
