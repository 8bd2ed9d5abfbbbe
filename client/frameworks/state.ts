import type { Doc } from 'yjs'
import type { Access, Closed, InkwireProvider } from '../index.js'

/**
 * A document that is open, as a component sees it. The same object until something changes.
 *
 * @example
 *   if (notes.doc) notes.provider.disconnect()
 */
export interface LiveDocument {
  readonly doc: Doc
  readonly provider: InkwireProvider
  readonly status: 'connecting' | 'connected' | 'disconnected'
  /** Whether all that the server holds is here. */
  readonly synced: boolean
  /** What this client may do; null as long as the server hasn't said. */
  readonly access: Access | null
  /** Why the server ended the connection for good; null if it didn't. */
  readonly closed: Closed | null
}

/**
 * A document before there is one: on a server that renders pages, and in a browser's first moment.
 *
 * @example
 *   if (!notes.doc) return <p>One moment…</p>
 */
export interface NoDocument {
  readonly doc: null
  readonly provider: null
  readonly status: 'connecting'
  readonly synced: false
  readonly access: null
  readonly closed: null
}

/**
 * A document, or that there is none yet.
 *
 * @example
 *   const notes: DocumentState = useDocument('wss://example.com', 'notes')
 */
export type DocumentState = LiveDocument | NoDocument

export const NO_DOCUMENT: NoDocument = {
  doc: null,
  provider: null,
  status: 'connecting',
  synced: false,
  access: null,
  closed: null,
}
