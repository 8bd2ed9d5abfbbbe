import { isCorruption, isDamage } from './errors.js'
import type { Generations } from './generations.js'
import type { Replacement, Snapshot, StoredEntry } from './journal.js'
import { generationRange } from './keys.js'
import type { Reader } from './reader.js'
import { readRecord } from './records.js'
import type { Store } from './store.js'
import { generationsOf } from './traces.js'
import { examine } from './verify.js'
import type { Witness } from './witness.js'

/** What can still be read of a damaged document. */
export interface Salvaged {
  readonly generation: string
  readonly snapshot: Snapshot | null
  /** The readable updates after the snapshot, in order of `seq`, with holes. */
  readonly entries: readonly StoredEntry[]
}

/**
 * Decides what of it makes up the repaired document. The journal doesn't know which updates can still be applied
 * when earlier ones are missing; a caller that knows Yjs does. `null`: nothing.
 */
export type Choose = (salvaged: Salvaged) => Promise<Replacement | null>

/** What a repair did. */
export interface RepairReport {
  readonly name: string
  /** The new generation; null when nothing could be kept, and the document is gone. */
  readonly generation: string | null
  /** Generations that were set aside as they are. */
  readonly aside: readonly string[]
  /** Updates that are in the repaired document one by one, beside the snapshot. */
  readonly updates: number
  /** Whether a snapshot is. */
  readonly snapshot: boolean
  /** What was wrong, in words. */
  readonly problems: readonly string[]
}

/** What a repair needs; the caller holds the document's lock. */
export interface RepairDeps {
  readonly store: Store
  readonly witness: Witness | null
  readonly reader: Reader
  readonly generations: Generations
}

/** Everything that is readable: Yjs keeps what can't be applied yet pending. */
const everything: Choose = async ({ snapshot, entries }) =>
  snapshot || entries.length > 0 ? { snapshot, tail: entries } : null

/**
 * Salvages a damaged document: what is readable goes under a new generation, so clients with the old history are
 * told; the damaged original stays in the store, set aside, until the document is deleted.
 *
 * @returns null when nothing is wrong with the document.
 * @throws InkwireError INKWIRE_STORE_FORMAT (it is not damaged, but newer), INKWIRE_STORE_FAILED
 */
export const repairDocument = async (
  deps: RepairDeps,
  name: string,
  nameBytes: Uint8Array,
  choose: Choose = everything,
): Promise<RepairReport | null> => {
  const { store, witness, reader, generations } = deps
  let damage: string
  try {
    await reader.load(name, nameBytes)
    return null
  } catch (error) {
    if (!isDamage(error)) throw error
    damage = error.message
  }
  const problems: string[] = []
  for await (const { problem } of examine(store, witness, name, nameBytes)) problems.push(problem)
  if (problems.length === 0) problems.push(damage)
  const aside = await generationsOf(store, witness, nameBytes)
  const best = await bestOf(store, witness, nameBytes, aside)
  const content = best && (await choose(best))
  let generation: string | null = null
  if (content) {
    const reason = problems.join('; ')
    ;({ generation } = await generations.replace(nameBytes, content, { kind: 'aside', reason }))
  } else {
    await generations.setAside(nameBytes, aside, problems.join('; '))
  }
  reader.forget(name)
  const updates = content?.tail.length ?? 0
  return { name, generation, aside, updates, snapshot: content?.snapshot != null, problems }
}

/** Reads what is readable of a generation. */
const salvage = async (store: Store, generation: string): Promise<Salvaged> => {
  let snapshot: Snapshot | null = null
  const entries: StoredEntry[] = []
  try {
    for await (const page of store.pages(generationRange(generation))) {
      for (const [key, value] of page) {
        const reading = readRecord(key, value)
        if (reading.status !== 'ok') continue
        const { record, key: parsed } = reading
        if (record.kind === 'snapshot' && parsed.kind === 'snapshot') {
          const { update, index } = record
          snapshot = index ? { seq: parsed.seq, update, index } : { seq: parsed.seq, update }
        } else if (record.kind === 'run' && parsed.kind === 'run') {
          record.entries.forEach((entry, i) => {
            const seq = parsed.seq + i
            if (seq > (entries.at(-1)?.seq ?? snapshot?.seq ?? 0)) entries.push({ ...entry, seq })
          })
        }
      }
    }
  } catch (error) {
    if (!isCorruption(error)) throw error
  }
  return { generation, snapshot, entries }
}

/** Of several generations (the catalog entry is lost) the one that was seen last, or else the longest. */
const bestOf = async (
  store: Store,
  witness: Witness | null,
  name: Uint8Array,
  generations: readonly string[],
): Promise<Salvaged | null> => {
  const seen = (await witness?.recall(name)) ?? null
  let best: Salvaged | null = null
  for (const generation of generations) {
    const salvaged = await salvage(store, generation)
    if (generation === seen?.generation) return salvaged
    if (!best || lastSeq(salvaged) > lastSeq(best)) best = salvaged
  }
  return best
}

const lastSeq = ({ snapshot, entries }: Salvaged): number => entries.at(-1)?.seq ?? snapshot?.seq ?? 0
