import { CATALOG_RANGE, untagged } from './keys.js'
import { type Seen, witnessKey } from './seen.js'
import type { Store } from './store.js'
import type { Witness } from './witness.js'

/** What the witness has of documents, by {@link lookup} of their names. */
export type Witnessed = Map<string, Seen>

/** A document's name as {@link Witnessed} has it. */
export const lookup = (name: Uint8Array): string => textOf(witnessKey(name))

/** All that should be there, as far as the witness knows. */
export const witnessed = async (witness: Witness | null): Promise<Witnessed> => {
  const all: Witnessed = new Map()
  if (!witness) return all
  for await (const [key, seen] of witness.all()) {
    if (!seen.leaving && seen.synced) all.set(textOf(key), seen)
  }
  return all
}

/** Of what should have been there and isn't, what nobody has deleted or begun to delete meanwhile. */
export const stillLost = async (witness: Witness | null, missing: Witnessed): Promise<Seen[]> => {
  if (missing.size === 0) return []
  const now = await witnessed(witness)
  return [...missing].flatMap(([key, seen]) => (now.get(key)?.generation === seen.generation ? [seen] : []))
}

/**
 * What was seen of documents that are not in the catalog any more, though nobody deleted them: nothing else tells of
 * them. Reads the catalog and the witness, and no record of any document; holds some 200 bytes for each.
 */
export const findLost = async (store: Store, witness: Witness | null): Promise<Seen[]> => {
  const missing = await witnessed(witness)
  for await (const page of store.keyPages(CATALOG_RANGE)) {
    for (const key of page) missing.delete(lookup(untagged(key)))
  }
  return stillLost(witness, missing)
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
