import type { StoredDocument } from '../journal/journal.js'
import { DocumentIndex } from '../update/document-index.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { splice } from '../update/splice.js'
import type { Version } from './documents.js'

type Contents = Pick<StoredDocument, 'snapshot' | 'tail'>

/**
 * A stored document as one Yjs update (v1). Put together by its bytes, without a `Y.Doc`: it takes time in proportion
 * to them, and works for a document that Yjs can't load, too.
 *
 * @throws InkwireError INKWIRE_BAD_UPDATE when it isn't made of updates.
 */
export const stateOf = (document: Contents): Uint8Array => {
  const { snapshot, tail } = document
  const only = tail.length === 0 ? snapshot : null
  return only ? only.update : splice(scansOf(document))
}

/** What a stored document holds. @throws as {@link stateOf}. */
export const indexOf = (document: Contents): DocumentIndex => {
  const index = new DocumentIndex()
  for (const scan of scansOf(document)) index.add(scan)
  return index
}

/** A stored document's updates, in order. */
export const updatesOf = ({ snapshot, tail }: Contents): Uint8Array[] =>
  (snapshot ? [snapshot, ...tail] : tail).map(({ update }) => update)

const scansOf = (document: Contents): Scan[] =>
  updatesOf(document).map((update) => scanUpdate(update, TRUSTED_LIMITS))

/** Whether a document is at a version. */
export const isAt = (document: Version, version: Version | undefined): boolean =>
  document.generation === version?.generation && document.seq === version.seq
