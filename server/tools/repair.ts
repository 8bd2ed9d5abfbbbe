import * as Y from 'yjs'
import { InkwireError } from '../../shared/errors.js'
import type { Journal, Replacement, StoredDocument } from '../journal/journal.js'
import type { Choose, RepairReport, Salvaged } from '../journal/repair.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { loadDocument } from '../worker/compact.js'
import { indexOf } from './state.js'

/** A journal whose documents can be repaired. */
export interface RepairableJournal extends Pick<Journal, 'read' | 'delete'> {
  repair(name: string, choose: Choose): Promise<RepairReport | null>
  /** As `Journal.replace`; what was there is kept, under no name. */
  replace(
    name: string,
    content: Replacement,
    fate: { readonly kind: 'aside'; readonly reason: string },
  ): Promise<{ readonly generation: string }>
}

/** What a repair came to. */
export type Repaired =
  | { readonly outcome: 'sound' }
  | { readonly outcome: 'missing' }
  | {
      readonly outcome: 'repaired'
      /** Its new generation; `null` when nothing could be kept and it is gone. */
      readonly generation: string | null
      /** Whether its compacted state could be kept, and how many updates after it. */
      readonly snapshot: boolean
      readonly updates: number
      /** Updates that were readable, but need some that are lost. */
      readonly leftOut: number
      readonly problems: readonly string[]
    }

/**
 * Puts what can be saved of a damaged document under a new generation; the damaged original is kept aside.
 *
 * @throws InkwireError as `LevelJournal.repair`.
 */
export const repair = async (journal: RepairableJournal, name: string): Promise<Repaired> => {
  let leftOut = 0
  const choose: Choose = async (salvaged) => {
    const chosen = applicable(salvaged)
    leftOut = salvaged.entries.length - (chosen?.tail.length ?? 0)
    return chosen
  }
  const report = await journal.repair(name, choose)
  if (report) {
    const { generation, snapshot, updates, problems } = report
    return { outcome: 'repaired', generation, snapshot, updates, leftOut, problems }
  }
  const document = await journal.read(name)
  if (!document) return { outcome: 'missing' }
  const problem = problemIn(document)
  if (problem === null) return { outcome: 'sound' }
  // The journal finds nothing wrong: the records are whole, and what lies in them is damaged.
  const content = await choose({ ...document, entries: document.tail })
  const fate = { kind: 'aside', reason: problem } as const
  const generation = content ? (await journal.replace(name, content, fate)).generation : null
  if (!content) await journal.delete(name)
  const kept = { snapshot: content?.snapshot != null, updates: content?.tail.length ?? 0 }
  return { outcome: 'repaired', generation, ...kept, leftOut, problems: [problem] }
}

/**
 * Of what is readable of a document, what still applies: the snapshot, and every update of which at least a part does.
 * One that needs updates which are lost would only wait for them for ever. `null` when nothing is left.
 */
export const applicable = ({ snapshot, entries }: Salvaged): Replacement | null => {
  const base = snapshot && scanOrNull(snapshot.update) ? snapshot : null
  const readable = entries.flatMap((entry) => {
    const scan = scanOrNull(entry.update)
    return scan ? [{ entry, scan }] : []
  })
  const held = integrated([...(base ? [base.update] : []), ...readable.map(({ scan }) => scan.bytes)])
  const tail = readable.filter(({ scan }) => held === null || applies(scan, held)).map(({ entry }) => entry)
  return base || tail.length > 0 ? { snapshot: base, tail } : null
}

/** What a document of these updates holds in truth, not waiting; `null` when Yjs can't load them. */
const integrated = (updates: readonly Uint8Array[]): ReadonlyMap<number, number> | null => {
  let doc: Y.Doc | null = null
  try {
    doc = loadDocument({ snapshot: null, updates })
    return Y.decodeStateVector(Y.encodeStateVector(doc))
  } catch {
    return null
  } finally {
    doc?.destroy()
  }
}

const applies = (scan: Scan, held: ReadonlyMap<number, number>): boolean =>
  scan.blocks.some(({ client, clock }) => clock < (held.get(client) ?? 0)) ||
  scan.deletes.some(({ client, ranges }) => (ranges[0] ?? 0) < (held.get(client) ?? 0))

const scanOrNull = (update: Uint8Array): Scan | null => {
  try {
    return scanUpdate(update, TRUSTED_LIMITS)
  } catch (error) {
    if (error instanceof InkwireError) return null
    throw error
  }
}

const problemIn = (document: StoredDocument): string | null => {
  try {
    indexOf(document)
    return null
  } catch (error) {
    if (error instanceof InkwireError) return `it holds bytes that are no update: ${error.message}`
    throw error
  }
}
