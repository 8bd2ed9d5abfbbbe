import { Code } from '../../shared/codes.js'
import type { Outlet } from './answer.js'

/** Why an update is not taken. */
export interface Refused {
  readonly code: number
  readonly reason: string
}

/** To one who may only read (PROTOCOL A4). */
export const READ_ONLY: Refused = { code: Code.forbidden, reason: 'read-only' }

/**
 * What a room knows of a session: where its bytes go, and a little bookkeeping that only the room touches.
 * A session implements it; a room never learns of sockets.
 */
export interface Member {
  /** Speaks `inkwire.1`: gets acks instead of echoes (PROTOCOL S4, X4). */
  readonly extended: boolean
  /** The user's id, written into the journal beside each update; '' when nobody asked. */
  readonly user: string
  /** Whether it may write, now: that may change (PROTOCOL A4, X8). */
  readonly mayWrite: boolean
  /** Where what it is told goes. */
  readonly outlet: Outlet
  /** Its update messages up to number `message` are durable (PROTOCOL X4). Called at most once per commit. */
  acknowledge(message: number): void
  /** Its update message `message` held news that are not taken (PROTOCOL A4, S10). */
  refuse(message: number, why: Refused): void
  /**
   * What it had to wait for has happened: its last update message is to be handed in again (PROTOCOL S7), its last
   * question to be asked again.
   */
  goOn(): void
  /** Finds out whether its other end is still there; it leaves the room if not. */
  probe(): void
  /**
   * Has it leave the room with its connection open, which {@link close} ends later; or once what it waits for is there.
   */
  dismiss(): void
  /** Ends its connection with a close code (PROTOCOL C1); it leaves the room by that. */
  close(code: number, reason: string): void
  /** Asks it for what an update with a gap lacks (PROTOCOL S5). */
  requestMissing(stateVector: Uint8Array): void
}

/**
 * A room's notes about one member: in one place, since a flush looks at those of everybody, and each further object
 * that it has to follow to is one more miss of the processor's caches.
 */
export interface Seat {
  readonly outlet: Outlet
  /** The last update that was written to it, or skipped because it is its own. */
  sent: number
  /** Skipped by broadcasts since its socket was backed up; brought up when it drained. */
  behind: boolean
  /** It has left. */
  left: boolean
  /** Which updates the flush on its way doesn't bring it: its own. */
  own: readonly number[] | null
  /** Which ones it brings it again: its own, which are safe by now. */
  echoes: readonly number[] | null
  readonly member: Member
}
