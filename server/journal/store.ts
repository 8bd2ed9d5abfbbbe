import type { KeyRange } from './keys.js'

/** One change of one key; a value of `null` removes it. */
export interface Write {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** A key and its value. */
export type Pair = readonly [key: Uint8Array, value: Uint8Array]

/**
 * The ordered key-value store below the journal: LevelDB, or in tests one that fails when told to. It knows nothing
 * of documents. All errors are the store's own; the journal gives them their codes.
 */
export interface Store {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** The first pair of a range. */
  first(range: KeyRange): Promise<Pair | undefined>
  /** Pairs in order of keys, a page (about 1 MiB) at a time, all from one moment. */
  pages(range: KeyRange): AsyncGenerator<readonly Pair[], void, void>
  /** The same without values. */
  keyPages(range: KeyRange): AsyncGenerator<readonly Uint8Array[], void, void>
  /** All of it or none; when it resolves as durable as the store was opened for, or fsynced if `sync` says so. */
  write(writes: readonly Write[], options?: { readonly sync: boolean }): Promise<void>
  /** Moves what is in the log into checksummed tables, and lets go of the log. */
  flush(): Promise<void>
  /** Rewrites the tables of a range without what was removed from it. */
  compactRange(range: KeyRange): Promise<void>
  /**
   * Closes and opens again: the only way to trust it after a failed write. With `repair`, what can't be read in its
   * files is taken out of it first: LevelDB stops all writing over one bad block that it meets.
   */
  reopen(options?: { readonly repair: boolean }): Promise<void>
  close(): Promise<void>
}
