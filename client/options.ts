import type { Awareness } from 'y-protocols/awareness'
import type { Doc } from 'yjs'
import type { Access } from '../shared/messages.js'
import type { State as ConnectionState } from './machine.js'
import type { DeviceState } from './offline/contract.js'
import type { InkwireProvider } from './provider.js'
import type { SaveState } from './saves.js'
import type { TokenSource } from './tokens.js'

/**
 * The part of a WebSocket that the provider uses: a browser's, Node 22's, or the `ws` package's.
 *
 * @example
 *   const { ws } = provider // null without a connection
 *   ws?.close(4000, 'for a test')
 */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  readonly protocol: string
  /** Bytes that wait to be sent; not every class tells. */
  readonly bufferedAmount?: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
}

/**
 * A class that makes such sockets.
 *
 * @example
 *   import { WebSocket } from 'ws'
 *   new InkwireProvider(url, 'notes', doc, { WebSocketPolyfill: WebSocket })
 */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocketLike

/**
 * Decides what a provider connects by: gets the server's URL and the WebSocket class, and gives a class to use instead.
 *
 * @example
 *   import { shared } from 'inkwire/client/shared'
 *   const connection: ConnectionKind = shared
 */
export type ConnectionKind = (serverUrl: string, WebSocket: WebSocketClass) => WebSocketClass

/**
 * Options of {@link InkwireProvider}: y-websocket's, and a few more.
 *
 * @example
 *   import WebSocket from 'ws' // Node 20 has none of its own
 *   new InkwireProvider('ws://localhost:1234', 'notes', doc, { WebSocketPolyfill: WebSocket, params: { token } })
 */
export interface InkwireOptions {
  /** Connect at once? Default true. Where there is no WebSocket (server rendering), the provider stays offline. */
  readonly connect?: boolean
  /** Presence to use. Default: a new one, which `destroy` ends. */
  readonly awareness?: Awareness
  /** Query parameters of the URL. Can be replaced later (`provider.params = …`), for the next connection. */
  readonly params?: { readonly [key: string]: string }
  /**
   * Gives a token that is good now; asked whenever the server wants one, and before one ends. It is sent in band
   * (PROTOCOL X7, X8), in no URL, and only to a server that asks for it: others know `params` only. While it fails, or
   * gives no string (INKWIRE_BAD_OPTION), the connection is tried again with backoff (event `token-error`). A JWT is
   * renewed after seven to nine tenths of its time, without a new connection; other tokens when the server asks.
   *
   * @example
   *   token: async () => (await fetch('/api/inkwire-token')).text()
   */
  readonly token?: TokenSource
  /** WebSocket subprotocols to offer before `inkwire.1`. */
  readonly protocols?: readonly string[]
  /** The WebSocket class. Default: the global one at the time of connecting. */
  readonly WebSocketPolyfill?: WebSocketClass
  /**
   * Share a WebSocket with other documents of the server: `shared` from `inkwire/client/shared`. Default: each document
   * has one of its own.
   */
  readonly connection?: ConnectionKind
  /** Ask the server for what is missing every so many ms. Default -1: never, it isn't needed. */
  readonly resyncInterval?: number
  /**
   * Longest time between two attempts to connect, ms; at least 30,000 while the page is hidden. Default 2,500, also for
   * what isn't above 0.
   */
  readonly maxBackoffTime?: number
  /** Don't talk to other tabs of this browser directly. Default false. */
  readonly disableBc?: boolean
  /** Whether to connect again after a close by the server. Default: unless the code is 4400–4499 (PROTOCOL C2). */
  readonly shouldReconnect?: (event: CloseEvent, provider: InkwireProvider) => boolean
  /**
   * What becomes of edits that the server refuses for good (event `rejected`), and of a document whose history was
   * replaced there (4409, event `closed`). `keep` (default): they stay on this device, and it is up to the app.
   * `reset`: see {@link Reset}; at most every 10 s.
   */
  readonly recover?: 'keep' | 'reset'
  /**
   * The generation that the document's content is of, if it was stored with it (32 hex digits, from
   * `provider.generation`). Default: none, the document is new or was never connected.
   */
  readonly generation?: string
  /**
   * Writes what a document begins with that never held anything, into an empty document that is handed to it. The
   * server takes it from one client, however many come at once, and gives it to all (PROTOCOL X9): once per document,
   * for good, also if it is emptied later. Not used when this device has content for the document, when it may only
   * read, and with servers that don't speak `inkwire.1`: nobody decides there.
   *
   * @example
   *   initialContent: (doc) => doc.getText('body').insert(0, '# Minutes\n')
   */
  readonly initialContent?: (doc: Doc) => void
  /**
   * Have the browser ask before the page is left, while edits are neither on the server's disk nor on the device's
   * (option `offline`). With a server that doesn't say what it saved: while there is no connection. Default false.
   */
  readonly warnBeforeLeaving?: boolean
  /**
   * Keep the document on this device, too: it opens from there at once, also without a network, then merges
   * with the server; what isn't saved yet survives the page. The copy is in IndexedDB, for this origin, and
   * in the hands of whoever uses this browser: delete it on logout (`inkwire/client/offline`). Without
   * IndexedDB nothing breaks, the event `device` tells. Default false.
   */
  readonly offline?: boolean
}

/**
 * An update that the server refused (PROTOCOL X5).
 *
 * @example
 *   provider.on('rejected', ({ retried, reason }) => { if (!retried) show(`Not taken: ${reason}`) })
 */
export interface Rejected {
  /** Why; see `Code`. */
  readonly code: number
  /** Why, in words for developers. */
  readonly reason: string
  /** What was refused; null when it was no edit (presence, say). */
  readonly update: Uint8Array | null
  /** How many edits it carried. */
  readonly edits: number
  /** Whether the provider offers it again; otherwise the edits stay on this device. */
  readonly retried: boolean
}

/**
 * A document was given up, and this one takes its place: it holds what the server holds. A Y.Doc can't be rid of an
 * edit, and all that is typed after a refused one builds upon it; so there is a new Y.Doc, with a new provider of the
 * same options, and whatever shows the document has to be tied to these. The old provider is destroyed right after
 * this event; the old document is untouched, and the app's.
 *
 * @example
 *   const show = (provider: InkwireProvider) => {
 *     const binding = bindTextarea(provider.doc.getText('text'), textarea)
 *     provider.on('reset', ({ provider: next, reason }) => {
 *       binding.destroy()
 *       notify(`Not taken: ${reason}. Your version is below.`, provider.doc.getText('text').toString())
 *       show(next)
 *     })
 *   }
 */
export interface Reset extends Closed {
  /** The new provider, synced. Its presence is the old one's. */
  readonly provider: InkwireProvider
  /** The new document, `provider.doc`. */
  readonly doc: Doc
  /** An update with all that the old document held and the new one doesn't, edits made meanwhile included. */
  readonly dropped: Uint8Array
}

/**
 * Something that another member of the document said.
 *
 * @example
 *   provider.on('message', ({ data, user }) => console.log(user, data))
 */
export interface Said {
  /** As they gave it to `send`; whatever it is, it came from somebody else. */
  readonly data: unknown
  /** Their user id, as the server knows it; '' when nobody asked them. */
  readonly user: string
}

/**
 * Why and how a connection ended for good.
 *
 * @example
 *   provider.on('closed', ({ code, reason }) => show(code === Code.forbidden ? 'No access' : reason))
 */
export interface Closed {
  /** See `Code`. */
  readonly code: number
  readonly reason: string
}

/**
 * Events of {@link InkwireProvider}. The first group is y-websocket's.
 *
 * @example
 *   provider.on('save', ({ status }) => { indicator.textContent = status })
 */
export interface InkwireEvents {
  status: (event: { status: 'connected' | 'disconnected' | 'connecting' }) => void
  /** All that the server holds has arrived (true), or the connection is gone (false). */
  sync: (synced: boolean) => void
  /** The same as `sync`. */
  synced: (synced: boolean) => void
  /** The event is null when this side closed. */
  'connection-close': (event: CloseEvent | null, provider: InkwireProvider) => void
  'connection-error': (event: Event, provider: InkwireProvider) => void
  /** The app's `token` function failed, or gave no string; it is asked again, later. */
  'token-error': (error: unknown, provider: InkwireProvider) => void
  /** The state of the connection changed; finer than `status`. */
  connection: (state: ConnectionState) => void
  /** Given up for good: a permanent close code, or another generation (4409). `connect` tries again. */
  closed: (event: Closed, provider: InkwireProvider) => void

  /** `saveState` changed. */
  save: (state: SaveState) => void
  /** The server refused something, or permission altogether (4403, y-websocket's auth message). */
  rejected: (event: Rejected) => void
  /** Another member said something (`send`): what it is is up to them, so look before you use it. */
  message: (event: Said) => void
  /** This document was given up; another takes its place. */
  reset: (event: Reset) => void
  /** The server said what this client may do, on each connection. */
  access: (access: Access) => void
  /** The device's copy was loaded, is behind, is complete, or failed (option `offline`). */
  device: (state: DeviceState) => void
  /** The document's history is now known to be of this generation. Store it with the document's content. */
  generation: (generation: string) => void
}
