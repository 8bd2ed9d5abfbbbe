import { InkwireError } from '../../shared/errors.js'
import type { Replacement, StoredDocument, StoredEntry } from '../journal/journal.js'

/** Some of a document's updates, in sum. Times are milliseconds since 1970, by the server's clock. */
export interface UpdatesInSum {
  readonly updates: number
  readonly bytes: number
  /** When the first and the last of them came. */
  readonly first: number
  readonly last: number
}

/** What one user's part in some updates is. */
export interface AuthorsPart extends UpdatesInSum {
  /** The user's id; '' for those of whom nobody asked who they are. */
  readonly author: string
}

/**
 * What a rollback takes away.
 *
 * @example
 *   const { lost } = await server.documents.rollback('notes', before, { dryRun: true })
 *   for (const { author, updates } of lost?.authors ?? []) console.log(author, updates)
 */
export interface Lost extends UpdatesInSum {
  /** By author, the one with the most updates first. */
  readonly authors: readonly AuthorsPart[]
}

/**
 * What a rollback did, or would do.
 *
 * @example
 *   const { generation, lost } = await server.documents.rollback('notes', before)
 */
export interface RollbackReport {
  readonly name: string
  /** 32 hex digits: a new one if anything was done. */
  readonly generation: string
  /** `null` when nothing came since: then nothing is done, and nobody is disconnected. */
  readonly lost: Lost | null
}

/**
 * How a rollback is done.
 *
 * @example
 *   await server.documents.rollback('notes', before, { revoke: 'mallory' })
 */
export interface RollbackOptions {
  /** Only say what would be lost. Default false. */
  readonly dryRun?: boolean
  /**
   * Closes this user's connections and refuses what was issued to them so far, while nobody has the document open: one
   * who spoils documents by a program doesn't get to do it again in between. Not for a dry run. Default: nobody.
   */
  readonly revoke?: string | undefined
}

/** What it takes to put a document back. */
export interface RollbackPlan {
  readonly lost: Lost
  /** What is left: its updates one by one where they are, so that one can go back further. */
  readonly kept: Replacement
}

/** A document of which nothing is left; the empty update is one. */
const EMPTY: Replacement = { snapshot: { seq: 1, update: Uint8Array.of(0, 0) }, tail: [] }

/**
 * What has to go so that a document is what it was before a moment; `null` when nothing came since. Pure.
 *
 * Updates build upon each other, so it is a beginning of them that is kept: what came before the first that is too
 * late, even if the clock was put back later on.
 *
 * @param lastWrite when it was last written to, ms since 1970: for a document that has just been compacted.
 * @param before what came at this moment or later goes, ms since 1970.
 * @throws InkwireError INKWIRE_NO_HISTORY when its updates of then aren't kept one by one: it was compacted, or
 *   restored.
 */
export const planRollback = (
  { name, snapshot, tail }: Pick<StoredDocument, 'name' | 'snapshot' | 'tail'>,
  lastWrite: number,
  before: number,
): RollbackPlan | null => {
  const [first] = tail
  if (snapshot && before < (first?.time ?? lastWrite)) throw outOfReach(name, before, first)
  const from = tail.findIndex(({ time }) => time >= before)
  if (from < 0) return null
  const kept = tail.slice(0, from)
  return {
    lost: inSum(tail.slice(from)),
    kept: snapshot || kept.length > 0 ? { snapshot, tail: kept } : EMPTY,
  }
}

const inSum = (entries: readonly StoredEntry[]): Lost => {
  const authors = new Map<string, StoredEntry[]>()
  for (const entry of entries) {
    const theirs = authors.get(entry.author)
    if (theirs) theirs.push(entry)
    else authors.set(entry.author, [entry])
  }
  const parts = [...authors].map(([author, theirs]) => ({ author, ...sumOf(theirs) }))
  return { ...sumOf(entries), authors: parts.sort((a, b) => b.updates - a.updates) }
}

const sumOf = (entries: readonly StoredEntry[]): UpdatesInSum => {
  let [bytes, first, last] = [0, Number.POSITIVE_INFINITY, 0]
  for (const { update, time } of entries) {
    bytes += update.length
    first = Math.min(first, time)
    last = Math.max(last, time)
  }
  return { updates: entries.length, bytes, first, last }
}

const outOfReach = (name: string, before: number, first: StoredEntry | undefined): InkwireError => {
  const what = `"${name}" can't be put back to before ${iso(before)}`
  // By a compaction or by a restore: the store doesn't know which.
  const reach = first
    ? `its updates are kept one by one from ${iso(first.time)} on, which is as far as it can be put back`
    : 'none of its updates are kept one by one any more'
  return new InkwireError('INKWIRE_NO_HISTORY', `${what}: ${reach}; restore a backup for what is older`)
}

const iso = (ms: number): string => new Date(ms).toISOString()
