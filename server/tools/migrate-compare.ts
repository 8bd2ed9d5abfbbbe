import { isDeepStrictEqual } from 'node:util'
import * as Y from 'yjs'
import { InkwireError } from '../../shared/errors.js'
import type { StoredDocument } from '../journal/journal.js'
import { DocumentIndex } from '../update/document-index.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { coversStateVector, decodeStateVector } from '../update/state-vector.js'
import { Visible } from '../update/visible.js'
import { loadDocument } from '../worker/compact.js'
import { type Contents, contentsOf } from './contents.js'
import type { SourceContent } from './source.js'
import { indexOf, stateOf, updatesOf } from './state.js'

/** Why one document is not taken over; the others are. */
export class Refused extends Error {}

/** A document as Yjs sees it. */
interface View {
  /** The whole of it in one update. */
  readonly update: Uint8Array
  readonly stateVector: Uint8Array
  /** By root. */
  readonly contents: ReadonlyMap<string, Contents>
}

/** A source's document, loaded. */
export interface SourceState extends View {
  readonly updates: readonly Uint8Array[]
  /** What is in it. */
  readonly scan: Scan
}

/**
 * Loads a document of the source.
 *
 * @throws InkwireError INKWIRE_BAD_UPDATE when it holds bytes that are no update; Refused when Yjs can't load it.
 */
export const load = ({ updates }: SourceContent): SourceState => {
  // An update that passes can be given to Yjs without harm.
  for (const update of updates) check(update)
  const whole = view(updates)
  return { ...whole, updates, scan: scanUpdate(whole.update, TRUSTED_LIMITS) }
}

/** What the source itself has lost of a document, in words; `null` if nothing. */
export const lossIn = (state: SourceState, { expected }: SourceContent): string | null => {
  if (new Visible(new DocumentIndex()).lack(state.scan))
    return 'updates are missing in it, and later ones wait for them'
  if (expected === undefined) return null
  const counted = decodeStateVector(expected, Number.POSITIVE_INFINITY)
  const held = decodeStateVector(state.stateVector, Number.POSITIVE_INFINITY)
  return coversStateVector(held, counted) ? null : 'it holds less than its own state vector counts'
}

/**
 * Compares what is stored with where it comes from: says what is wrong, `null` if nothing is. More may be in it, from
 * authors who are here already; then the source must have nothing to add to it.
 */
export const differenceTo = (source: SourceState, stored: StoredDocument): string | null => {
  if (indexOf(stored).news(source.scan)) return 'not all of it is here after it was written'
  const here = view(updatesOf(stored))
  if (isSame(here, source)) return null
  const held = new DocumentIndex()
  held.add(source.scan)
  const hasMore = held.news(scanUpdate(stateOf(stored), TRUSTED_LIMITS))
  const same = hasMore && isSame(here, view([...updatesOf(stored), ...source.updates]))
  return same ? null : 'it differs after it was written'
}

const isSame = (left: View, right: View): boolean =>
  Buffer.compare(left.stateVector, right.stateVector) === 0 &&
  isDeepStrictEqual(left.contents, right.contents)

const check = (update: Uint8Array): void => {
  try {
    scanUpdate(update, TRUSTED_LIMITS)
  } catch (cause) {
    if (!(cause instanceof InkwireError)) throw cause
    throw new InkwireError(
      cause.code,
      `there are bytes in it that are no Yjs update (v1): ${cause.message}`,
      {
        cause,
      },
    )
  }
}

const view = (updates: readonly Uint8Array[]): View => {
  let doc: Y.Doc | null = null
  try {
    doc = loadDocument({ snapshot: null, updates })
    return {
      update: Y.encodeStateAsUpdate(doc),
      stateVector: Y.encodeStateVector(doc),
      contents: contentsOf(doc),
    }
  } catch (cause) {
    throw new Refused(`Yjs can't load it: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  } finally {
    doc?.destroy()
  }
}
