import type { Transport } from '../session/session.js'

/** The connection that carries a channel, as far as the channel knows it. */
export interface Carrier {
  readonly congested: boolean
  readonly full: boolean
  /** Writes frames that belong to a channel. */
  write(channel: number, frames: readonly Uint8Array[]): void
  /** The same for a message in pieces. It isn't begun any more once `wanted` says no. */
  stream(channel: number, pieces: Iterable<readonly Uint8Array[]>, wanted: () => boolean): void
  /** So many bytes more (or less, if negative) have arrived for channels that take nothing now. */
  waits(bytes: number): void
  /** The server ends a channel. */
  end(channel: number, code: number, reason: string): void
  probe(): void
}

/**
 * One document's share of a connection (PROTOCOL X11–X14): to a session it is a connection of its own. It can't stop
 * the client from sending, though: what comes while it is paused is counted, and the carrier stops reading for all when
 * there is too much of it.
 */
export class Channel implements Transport {
  readonly outlet: Transport['outlet'] = this
  readonly #number: number
  readonly #carrier: Carrier
  #open = true
  #paused = false
  /** Arrived while it was paused, bytes. */
  #waiting = 0

  constructor(number: number, carrier: Carrier) {
    this.#number = number
    this.#carrier = carrier
  }

  get congested(): boolean {
    return this.#carrier.congested
  }

  get full(): boolean {
    return this.#carrier.full
  }

  write(frames: readonly Uint8Array[]): void {
    if (this.#open) this.#carrier.write(this.#number, frames)
  }

  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    if (this.#open) this.#carrier.stream(this.#number, pieces, () => this.#open)
  }

  close(code: number, reason: string): void {
    if (this.#open) this.#carrier.end(this.#number, code, reason)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    const bytes = this.#waiting
    this.#waiting = 0
    if (bytes > 0) this.#carrier.waits(-bytes)
  }

  probe(): void {
    this.#carrier.probe()
  }

  /** The session was given a message of so many bytes. */
  given(bytes: number): void {
    if (!this.#paused) return
    this.#waiting += bytes
    this.#carrier.waits(bytes)
  }

  /** It is over, whoever ended it: nothing of it goes out any more. */
  ended(): void {
    this.#open = false
    this.resume()
  }
}
