import { Bucket } from './bucket.js'
import type { Limits } from './limits.js'
import type { Turnstile } from './turnstile.js'

/** A piece of a stream that holds more messages or bytes than this is a load, not somebody typing. */
const LIGHT_MESSAGES = 64
const LIGHT_BYTES = 16 * 1024

/** What a pace acts on. */
export interface Paced {
  /** Stops reading from the client. */
  hold(): void
  /** Reads on. */
  release(): void
}

/** What the paces of a server share. */
export interface PaceDeps {
  readonly limits: Limits
  readonly turnstile: Turnstile
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  /** A connection that is read from more slowly from now on. */
  readonly onSlowed: () => void
}

/**
 * How fast one connection is read from. Backpressure, never a close: whoever sends more than the limits allow finds
 * the socket slow and loses nothing. Looks once per piece that the socket delivers, not per message.
 */
export class Pace {
  readonly #paced: Paced
  readonly #deps: PaceDeps
  readonly #messages: Bucket
  readonly #bytes: Bucket
  readonly #presence: Bucket
  /** Since the last look. */
  #sent = 0
  #present = 0
  #timer: NodeJS.Timeout | null = null
  #held = false
  #disposed = false

  constructor(paced: Paced, deps: PaceDeps) {
    const { limits, clock } = deps
    this.#paced = paced
    this.#deps = deps
    const now = clock()
    this.#messages = new Bucket(limits.messagesPerSecond, limits.messagesBurst, now)
    this.#bytes = new Bucket(limits.bytesPerSecond, limits.bytesBurst, now)
    this.#presence = new Bucket(limits.presencePerSecond, limits.presencePerSecond * 10, now)
  }

  /** A message or control frame has arrived. */
  message(): void {
    this.#sent++
  }

  /** It was about presence. */
  presence(): void {
    this.#present++
  }

  /** A piece of the stream has been worked off, with all messages that it completed. */
  read(bytes: number): void {
    const { turnstile, clock } = this.#deps
    const now = clock()
    const sent = this.#sent
    this.#sent = 0
    let wait = Math.max(this.#messages.take(sent, now), this.#bytes.take(bytes, now))
    if (this.#present > 0) {
      wait = Math.max(wait, this.#presence.take(this.#present, now))
      this.#present = 0
    }
    if (this.#held || this.#disposed) return
    if (wait > 0) {
      this.#hold()
      this.#deps.onSlowed()
      this.#timer = setTimeout(() => turnstile.queue(this), Math.ceil(wait))
    } else if (sent > LIGHT_MESSAGES || bytes > LIGHT_BYTES) {
      this.#hold()
      turnstile.queue(this)
    }
  }

  /** Its turn has come. */
  release(): void {
    if (this.#disposed) return
    this.#held = false
    this.#timer = null
    this.#paced.release()
  }

  dispose(): void {
    this.#disposed = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #hold(): void {
    this.#held = true
    this.#paced.hold()
  }
}
