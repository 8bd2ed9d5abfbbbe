import type { Doc } from 'yjs'
import type { InkwireError } from '../../shared/errors.js'
import type { Access } from '../../shared/messages.js'

/**
 * Where the device's copy of a document is (option `offline`). Immutable, and the same object until something
 * changes.
 *
 * @example
 *   provider.on('device', ({ status, error }) => { if (status === 'failed') console.warn(error?.code) })
 */
export interface DeviceState {
  /**
   * - `off`: the option `offline` isn't set.
   * - `loading`: the copy is being read; the connection waits for it.
   * - `storing`: an edit of this page isn't in the device's storage yet.
   * - `stored`: all edits of this page are; what others did follows within a second.
   * - `failed`: the device doesn't take it, see `error`. The document lives in this page's memory, and on the
   *   server as far as `saveState` says.
   */
  readonly status: 'off' | 'loading' | 'storing' | 'stored' | 'failed'
  /**
   * Why it failed; null unless it did. INKWIRE_DEVICE_FULL and INKWIRE_DEVICE_FAILED are tried again by
   * themselves; INKWIRE_DEVICE_UNAVAILABLE (private mode, no IndexedDB), INKWIRE_DEVICE_FORGOTTEN (deleted
   * while it was open here) and INKWIRE_DEVICE_CONFLICT (the copy is of another generation) are final.
   */
  readonly error: InkwireError | null
}

/** Edits that are not known to be durable on the server. */
export interface Unsaved {
  readonly count: number
  /** When the first of them was made, ms since 1970. */
  readonly since: number
}

/** What the device knew beside the content. */
export interface Loaded {
  /** The generation that the stored content is of (PROTOCOL X2); null if it never was on a server. */
  readonly generation: string | null
  readonly unsaved: Unsaved | null
  /** What the server last said that this client may do; null if it never did. */
  readonly access: Access | null
}

/** The provider, as the device's copy sees it. */
export interface DeviceHost {
  /** Also the transaction origin of what comes from the server and other tabs. */
  readonly provider: {
    readonly doc: Doc
    /** The generation that the document's content is of now. */
    readonly generation: string | null
    /** What the server last said that this client may do; null while that isn't known. */
    readonly access: Access | null
  }
  readonly ledger: { unsaved(): Unsaved | null }
  /** @see deviceKey */
  readonly key: string
  /** The stored content is in the document, or never will be (null). Called once. */
  loaded(copy: Loaded | null): void
  changed(state: DeviceState): void
  /** Takes errors that are the app's own: of its observers. */
  report(error: unknown): void
}

/** The device's copy of an open document. */
export interface DeviceCopy {
  /** The generation, the access, or what is unsaved, may have changed. */
  look(): void
  /** Stores what is left, and lets go of the document. */
  close(): void
}

/** The name under which a document lies on the device. */
export const deviceKey = (serverUrl: string, name: string): string =>
  `${serverUrl.replace(/\/+$/, '')}/${name}`
