import { InkwireError } from '../../shared/errors.js'
import type { OpenDocuments } from './documents.js'
import { inParallel } from './in-parallel.js'
import { differenceTo, load, lossIn, Refused, type SourceState } from './migrate-compare.js'
import type { StartProgress } from './progress.js'
import type { SourceContent, SourceDocument } from './source.js'
import { indexOf } from './state.js'

/** What {@link migrate} needs. */
export interface MigrateOptions {
  readonly source: readonly SourceDocument[]
  readonly documents: OpenDocuments
  readonly progress: StartProgress
  readonly signal: AbortSignal
}

/** Something to say about one document. */
export interface Finding {
  readonly name: string
  readonly origin: string
  readonly problem: string
}

/** What a migration came to. */
export interface MigrateReport {
  /** Documents that were written, read again and found equal. */
  readonly migrated: number
  /** Documents that were here already, with all that the source has. */
  readonly present: number
  /** Documents that nobody ever wrote in: there is nothing to store. */
  readonly empty: number
  /** Documents that were not taken over. */
  readonly failed: readonly Finding[]
  /** Documents that were taken over, but of which the source itself had lost something. */
  readonly incomplete: readonly Finding[]
}

/** Documents that are written at a time: what waits for the disk goes there together. */
const WIDTH = 4

/**
 * Takes documents over from elsewhere. Each is read again after writing and compared: what is in it, state vector and
 * JSON. May be called again at any time: what is here already is passed over, and what the source got meanwhile is
 * merged in. A document that can't be taken over doesn't stop the others.
 *
 * @throws what `documents` throws when the store fails, or the signal's reason.
 */
export const migrate = async (options: MigrateOptions): Promise<MigrateReport> => {
  const { source, documents, signal } = options
  const counts = { migrated: 0, present: 0, empty: 0 }
  const failed: Finding[] = []
  const incomplete: Finding[] = []
  const firsts = new Map<string, SourceDocument>()
  for (const document of source) if (!firsts.has(document.name)) firsts.set(document.name, document)
  const progress = options.progress('migrate', source.length)
  const one = async (document: SourceDocument): Promise<void> => {
    const { name, origin } = document
    try {
      const first = firsts.get(name)
      if (first !== document) throw new Refused(`${first?.origin} has the same name here`)
      const content = await read(document)
      const state = load(content)
      counts[await takeOver(name, state, documents)]++
      const problem = lossIn(state, content)
      if (problem !== null) incomplete.push({ name, origin, problem })
    } catch (error) {
      if (!isOfOne(error)) throw error
      failed.push({ name, origin, problem: error.message })
    }
    progress.advance()
  }
  await inParallel(source, WIDTH, signal, one).finally(() => progress.end())
  return { ...counts, failed: failed.sort(byOrigin), incomplete: incomplete.sort(byOrigin) }
}

const read = async (document: SourceDocument): Promise<SourceContent> => {
  try {
    return await document.read()
  } catch (cause) {
    throw new Refused(`it can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

const takeOver = async (
  name: string,
  state: SourceState,
  documents: OpenDocuments,
): Promise<'migrated' | 'present' | 'empty'> => {
  const { scan } = state
  if (scan.blocks.length === 0 && scan.deletes.length === 0) return 'empty'
  const before = await documents.read(name)
  if (before) {
    const index = indexOf(before)
    if (!index.news(scan)) return 'present'
    const related = scan.blocks.some(({ client }) => index.clock(client) > 0)
    if (!related) throw new Refused('there is another document of that name here')
  }
  await documents.merge(name, scan.bytes)
  const after = await documents.read(name)
  if (after === null) throw new Refused('it is not here after it was written')
  const difference = differenceTo(state, after)
  if (difference !== null) throw new Refused(difference)
  return 'migrated'
}

const OF_ONE: ReadonlySet<string> = new Set([
  'INKWIRE_BAD_NAME',
  'INKWIRE_BAD_UPDATE',
  'INKWIRE_DOCUMENT_DAMAGED',
  'INKWIRE_STORE_FORMAT',
])

/** Whether one document is the matter, and not the store. */
const isOfOne = (error: unknown): error is Error =>
  error instanceof Refused || (error instanceof InkwireError && OF_ONE.has(error.code))

const byOrigin = (left: Finding, right: Finding): number =>
  left.origin < right.origin ? -1 : left.origin > right.origin ? 1 : 0
