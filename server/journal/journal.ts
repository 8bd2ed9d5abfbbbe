/**
 * The journal: what a document is on disk. A tiny contract in bytes; it knows nothing of rooms, sessions
 * or Y.Docs. Two implementations (LevelDB and memory) run one contract suite, `test/contract/journal.ts`.
 */

/**
 * What "durable" means for a journal: `fsync` survives a power cut, `os` survives a killed process only,
 * `memory` survives nothing.
 */
export type Durability = 'fsync' | 'os' | 'memory'

/** One update on its way into the journal. */
export interface Entry {
  /** A Yjs update, v1 encoding. The journal keeps the reference until the update is durable: don't change the bytes. */
  readonly update: Uint8Array
  /** When the server took it, milliseconds since 1970. */
  readonly time: number
  /** Who wrote it: the user's id, or '' when the server asks nobody who they are. At most 256 characters are kept. */
  readonly author: string
}

/** One update as it lies in the journal. `seq` counts a generation's updates from 1, without a hole. */
export interface StoredEntry extends Entry {
  readonly seq: number
}

/** The compacted state of a document: everything up to and including update `seq`. */
export interface Snapshot {
  readonly seq: number
  /** One Yjs update (v1) that holds the whole state. */
  readonly update: Uint8Array
  /**
   * Whatever the writer wants back with the snapshot so that loading needn't parse `update` (a state vector and
   * delete set, say). The journal doesn't look inside.
   */
  readonly index?: Uint8Array
}

/** All that is stored of one document. */
export interface StoredDocument {
  readonly name: string
  /**
   * 32 hex digits. Minted (in memory) when a document without history is opened and stored with its first
   * update; minted anew by delete, restore and rollback.
   */
  readonly generation: string
  readonly snapshot: Snapshot | null
  /** The updates after the snapshot, in order of `seq`. */
  readonly tail: readonly StoredEntry[]
  /** The last stored `seq`; 0 for a document without history. */
  readonly seq: number
}

/** What `list` tells of a document without reading its contents. */
export interface DocumentSummary {
  readonly name: string
  /** 32 hex digits; '' when the document's catalog entry is damaged and doesn't tell. */
  readonly generation: string
}

/** What one document takes, for people who run the server. */
export interface DocumentStats extends DocumentSummary {
  readonly seq: number
  /** Bytes of the snapshot's update, 0 without one. */
  readonly snapshotBytes: number
  /** Updates after the snapshot, and the bytes of these. */
  readonly tailUpdates: number
  readonly tailBytes: number
  /** When this generation was made and when it was last written to, milliseconds since 1970. */
  readonly created: number
  readonly lastWrite: number
}

/** What {@link Journal.replace} puts in a document's place. */
export interface Replacement {
  /** The state to start from; its `seq` is kept, and is at least 1. */
  readonly snapshot: Snapshot | null
  /** The updates after it; numbered from `snapshot.seq + 1`, or from 1. */
  readonly tail: readonly Entry[]
}

/**
 * The one writer of one open document. Obtained from {@link Journal.open}; a document has at most one at a time.
 */
export interface DocumentLog {
  /**
   * As it was loaded; what a compaction has covered since is let go from it, so that it can't hold memory for ever.
   * Without snapshot and tail after {@link letGo}.
   */
  readonly document: StoredDocument
  /** Lets go of what was loaded, for one who has taken it: it needn't be in memory twice. */
  letGo(): void
  /**
   * Reads the snapshot once more, checked as when the document was opened; `null` when there is none. While one is
   * being replaced ({@link compact}), it is the old or the new one.
   *
   * @throws InkwireError INKWIRE_DOCUMENT_DAMAGED (quarantined), INKWIRE_STORE_FAILED, INKWIRE_STORE_FORMAT,
   *   INKWIRE_STORE_CLOSED.
   */
  snapshot(): Promise<Snapshot | null>
  /**
   * Queues an update and returns its `seq` at once. It is durable when `onDurable` has been called with that
   * `seq` or a higher one. Never throws for a store in trouble: the update waits until the store works again.
   *
   * @throws InkwireError INKWIRE_STORE_CLOSED after {@link Journal.close} began: it could not be kept any more.
   */
  append(entry: Entry): number
  /**
   * As {@link append}, but nothing is written for it alone: it goes with the next {@link commit}, or before that with
   * whatever else is written, when many are held, or when the journal is closed. Each commit costs two threads a
   * wake-up, so who is about to have more does well to wait.
   */
  hold(entry: Entry): number
  /** Has what is held written. */
  commit(): void
  /**
   * Replaces everything up to `snapshot.seq` by the snapshot, in one atomic, synced batch.
   * `snapshot.seq` must be durable already.
   *
   * @throws InkwireError INKWIRE_STORE_FAILED when it could not be written, or when the store is failing already;
   *   the document is unchanged then.
   */
  compact(snapshot: Snapshot): Promise<void>
  /** Gives the document back. Everything appended must be durable before. Idempotent. */
  release(): void
}

/**
 * Is the journal able to make things durable right now?
 *
 * @example
 *   server.on('storage', (state) => { if (state.status === 'failing') alarm(state.reason) })
 */
export type JournalState =
  | { readonly status: 'ok' }
  /** Writes fail; they are kept in memory and tried again with backoff. `since`: ms since 1970. */
  | { readonly status: 'failing'; readonly since: number; readonly reason: string }
  | { readonly status: 'closed' }

/**
 * What `close` could not make durable, by document name.
 *
 * @example
 *   const { unsaved } = await server.close()
 *   for (const { name, updates } of unsaved) console.error(name, updates)
 */
export interface UnsavedReport {
  readonly unsaved: readonly { readonly name: string; readonly updates: number }[]
}

/** The store of all documents. */
export interface Journal {
  readonly durability: Durability
  /** The present state; {@link Journal.onState} tells of changes. */
  readonly state: JournalState
  /** Bytes of updates that were appended and are not durable yet. Grows while the store fails: bound it there. */
  readonly queuedBytes: number
  /** Documents that were found damaged since the journal was opened, by name, with the reason. */
  readonly quarantined: ReadonlyMap<string, string>
  /** Calls `listener` at each change of state, until the returned function is called. */
  onState(listener: (state: JournalState) => void): () => void
  /**
   * Loads a document and makes the caller its writer. A name never heard of gives an empty document with a
   * fresh generation, and writes nothing.
   *
   * @param onDurable called with the highest durable `seq`, after each commit that held updates of this document.
   * @throws InkwireError INKWIRE_DOCUMENT_DAMAGED (quarantined; names the reason), INKWIRE_STORE_FAILED
   *   (could not be read now, or is new while the store can't be written; worth a retry), INKWIRE_STORE_FORMAT
   *   (written by a newer version), INKWIRE_STORE_LOCKED (it has a writer already), INKWIRE_STORE_CLOSED,
   *   INKWIRE_BAD_NAME (not 1 to 1,024 bytes of well-formed Unicode).
   */
  open(name: string, onDurable: (seq: number) => void): Promise<DocumentLog>
  /**
   * Reads a document without becoming its writer; `null` when there is none. Sees what is durable.
   *
   * @throws as {@link Journal.open}.
   */
  read(name: string): Promise<StoredDocument | null>
  /** All documents with history, in order of name bytes. One that comes or goes meanwhile may be in it or not. */
  list(): AsyncIterable<DocumentSummary>
  /** Sizes and times of a document; `null` when there is none. Reads all of it. @throws as {@link Journal.open}. */
  stats(name: string): Promise<DocumentStats | null>
  /**
   * Removes every record of a document, damaged or not. The caller has released its log before.
   *
   * @returns whether there was one.
   * @throws InkwireError INKWIRE_STORE_LOCKED (it has a writer), INKWIRE_STORE_FAILED, INKWIRE_STORE_CLOSED.
   */
  delete(name: string): Promise<boolean>
  /**
   * Puts other contents in a document's place, under a new generation, in one atomic step (restore, rollback,
   * repair). Creates the document if there was none. The caller has released its log before.
   *
   * @throws as {@link Journal.delete}.
   */
  replace(name: string, content: Replacement): Promise<DocumentSummary>
  /**
   * Commits what is queued (retrying for at most `timeoutMs`, default 5,000) and closes the store.
   * Idempotent: a second call gives the same report.
   */
  close(timeoutMs?: number): Promise<UnsavedReport>
}
