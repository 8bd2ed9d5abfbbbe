import type { RollbackOptions, RollbackReport } from '../documents/rollback.js'
import type { DocumentStats, DocumentSummary, StoredDocument } from '../journal/journal.js'

/** How far a document has come: two documents at the same version hold the same. */
export interface Version {
  /** 32 hex digits. */
  readonly generation: string
  readonly seq: number
}

/**
 * The documents of a data folder as an operator's tool reaches them: in the folder itself, or through the server
 * that has it open. Every method rejects as `Journal` does.
 */
export interface OpenDocuments {
  /** All documents with history, in order of name bytes. */
  list(): AsyncIterable<DocumentSummary>
  /** How many are not there any more, though nobody deleted them; their names can't be told. */
  lost(): Promise<number>
  /** Sizes and times of a document; `null` when there is none. */
  stats(name: string): Promise<DocumentStats | null>
  /** What is durable of a document; `null` when there is none. */
  read(name: string): Promise<StoredDocument | null>
  /** The same, or `unchanged` when it is at the version that the caller has already. */
  readUnless(version: Version, name: string): Promise<StoredDocument | 'unchanged' | null>
  /**
   * Merges an update into a document; created if need be.
   *
   * @returns once it is durable; whether there was anything new in it.
   */
  merge(name: string, update: Uint8Array): Promise<boolean>
  /** Puts another state in a document's place, under a new generation; created if need be. */
  replace(name: string, update: Uint8Array): Promise<DocumentSummary>
  /** Removes a document with everything that is stored of it. Returns whether there was one. */
  delete(name: string): Promise<boolean>
  /**
   * Puts a document back to what it was before a moment, under a new generation.
   *
   * @throws InkwireError INKWIRE_NO_DOCUMENT; INKWIRE_NO_HISTORY when its updates of then aren't kept.
   */
  rollback(name: string, before: Date, options?: RollbackOptions): Promise<RollbackReport>
}
