import type { Code } from './codes.js'

/** The WebSocket subprotocol that asks for the extensions (PROTOCOL X1). */
export const SUBPROTOCOL = 'inkwire.1'

/** The WebSocket subprotocol that asks for a connection of several documents (PROTOCOL X11). */
export const SHARED_SUBPROTOCOL = 'inkwire.shared.1'

/** What a client may do with a document, in ascending order of power. */
export const ACCESS_LEVELS = ['read', 'write', 'admin'] as const
/**
 * What a client may do with a document.
 *
 * @example
 *   provider.on('access', (access) => { editor.readOnly = access === 'read' })
 */
export type Access = (typeof ACCESS_LEVELS)[number]

/** What "durable" in an ack rests on: memory only, the operating system's cache, or an fsync. */
export const DURABILITIES = ['memory', 'os', 'fsync'] as const
/**
 * What a server's word "durable" rests on: a disk's flush, the operating system, or nothing but memory.
 *
 * @example
 *   provider.saveState.durability === 'fsync' // "saved" survives a power cut
 */
export type Durability = (typeof DURABILITIES)[number]

/** The server's greeting to a client that speaks `inkwire.1` (PROTOCOL X2). */
export interface Hello {
  readonly type: 'hello'
  /** 32 hex digits: which history of the document this is. */
  readonly generation: string
  /** Updates of this history that are durable; 0 means that there are none yet and the generation isn't fixed. */
  readonly seq: number
  readonly access: Access
  readonly durability: Durability
  /** Largest message the server takes, bytes. */
  readonly maxMessageBytes: number
}

/** How many of this connection's update messages arrived and how many of them are durable (PROTOCOL X4). */
export interface Ack {
  readonly type: 'ack'
  readonly received: number
  readonly durable: number
  /** Everything that was sent on this connection is durable, up to this sequence number; absent when it isn't. */
  readonly mark?: number
}

/** One message of this connection was refused; the connection goes on (PROTOCOL X5). */
export interface Rejection {
  readonly type: 'rejection'
  /** Which update message of this connection, counted from 1; 0 when it was none (presence, say). */
  readonly message: number
  readonly code: Code | number
  readonly reason: string
}

/** The client says which generation its history belongs to, before its first update message (PROTOCOL X3). */
export interface Join {
  readonly type: 'join'
  /** 32 hex digits, or '' when it holds none. */
  readonly generation: string
  /** The last mark it was told (X4): it lacks nothing up to there. 0 for none. */
  readonly seq: number
}

/** The server wants to know who this is before it goes on (PROTOCOL X7). */
export interface Authenticate {
  readonly type: 'authenticate'
}

/** The client shows who it is, first or anew (PROTOCOL X8). */
export interface Token {
  readonly type: 'token'
  readonly token: string
}

/** What a document without any history is to begin with (PROTOCOL X9). */
export interface InitialContent {
  readonly type: 'initialContent'
  readonly update: Uint8Array
}

/** Something said to the other members of a document, beside it (PROTOCOL X10). */
export interface Signal {
  readonly type: 'signal'
  readonly data: Uint8Array
  /** From the server: who said it; '' when nobody asked who that is. */
  readonly user: string
}

/** One message on the wire; one WebSocket frame holds exactly one (PROTOCOL W1). */
export type Message =
  | { readonly type: 'syncStep1'; readonly stateVector: Uint8Array }
  | { readonly type: 'syncStep2'; readonly update: Uint8Array }
  | { readonly type: 'update'; readonly update: Uint8Array }
  | { readonly type: 'awareness'; readonly update: Uint8Array }
  | { readonly type: 'permissionDenied'; readonly reason: string }
  | { readonly type: 'queryAwareness' }
  | Hello
  | Join
  | Ack
  | Rejection
  | Authenticate
  | Token
  | InitialContent
  | Signal

/** What is said on a shared connection beside the documents' own messages (PROTOCOL X11–X14). */
export type TrunkMessage =
  /** The server's first message: so many documents may be open on this connection at once (PROTOCOL X11). */
  | { readonly type: 'shared'; readonly channels: number }
  /** The client opens a document (PROTOCOL X12). */
  | {
      readonly type: 'open'
      /** Larger than all before it on this connection, at least 1. */
      readonly channel: number
      /** Whether it speaks `inkwire.1` there (PROTOCOL X1). */
      readonly extended: boolean
      /** As in a request of its own, after the prefix's slash: the percent-encoded name, `?` and parameters. */
      readonly target: string
    }
  /** What follows from here on is of this channel (PROTOCOL X13). */
  | { readonly type: 'channel'; readonly channel: number }
  /** A channel has ended, as a connection does with a close code (PROTOCOL X14). */
  | { readonly type: 'end'; readonly channel: number; readonly code: number; readonly reason: string }
