import type { Access, Durability } from '../../shared/messages.js'
import type { Limits } from '../limits/limits.js'
import type { Counters } from '../observe/counters.js'
import type { Outlet } from '../room/answer.js'

/** What a session needs of its connection: it never sees a socket. */
export interface Transport {
  /** Where what the client is told goes. */
  readonly outlet: Outlet
  /** So much waits to be sent that not even a short message should be added. */
  readonly full: boolean
  /** Ends the connection with a close code. */
  close(code: number, reason: string): void
  /** Stops reading from the client, and starts again: backpressure while the document is being loaded. */
  pause(): void
  resume(): void
  /** Finds out whether the client is still there; it is ended if not. */
  probe(): void
}

/** What a session tells whoever made it. */
export interface SessionEvents {
  /** The client shows a token, first or anew (PROTOCOL X8). */
  token(token: string): void
  /** It said something about the presence of this many ids. */
  presence(entries: number): void
}

/** Who is at the other end, and what they may do. */
export interface Permission {
  readonly access: Access
  /** The user's id; '' when nobody asked. */
  readonly user: string
}

/** What all sessions of a server share. */
export interface SessionDeps {
  readonly counters: Counters
  readonly durability: Durability
  readonly maxMessageBytes: number
  /** Says that received updates wait for the disk longer than usual; the session sends a "received" then. */
  readonly slow: SlowCommits
  /** Whether the server can take more updates at all; a reason if not. */
  readonly refuseUpdates: () => string | null
  readonly limits: Pick<
    Limits,
    | 'unauthorizedBytes'
    | 'questionsPerMinute'
    | 'tokensPerMinute'
    | 'signalsPerSecond'
    | 'signalBytes'
    | 'foreignEditsMs'
  >
  /** Milliseconds, monotonic. */
  readonly clock: () => number
}

/** Notices updates that aren't durable soon; see `slow-commits.ts`. */
export interface SlowCommits {
  watch(session: { sendAck(): void }): void
  forget(session: { sendAck(): void }): void
}

/** The session that a participant belongs to. */
export interface Host {
  /** Speaks `inkwire.1` (PROTOCOL X1). */
  readonly extended: boolean
  /** What the client may do, now. */
  readonly permission: Permission
  /** Nothing is taken from the client any more, nor is it told anything but its end. */
  readonly closed: boolean
  /** Hands in a message again that had to wait. */
  receive(payload: Uint8Array): void
  /** It said something about the presence of this many ids. */
  sawPresence(entries: number): void
  showToken(token: string): void
  /** Leaves the room; the connection ends later, by {@link close}. */
  dismiss(): void
  close(code: number, reason: string): void
  /** Runs something; what is wrong with the client's messages closes it, any other error is thrown on. */
  orClose(task: () => void): void
}
