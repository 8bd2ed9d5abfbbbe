import { Bucket } from './bucket.js'
import type { Limits } from './limits.js'
import type { Turnstile } from './turnstile.js'

/** Messages of one connection that are worked off in one turn of the event loop: about a millisecond's work. */
const PER_TURN = 256
/** A piece of a stream that holds more bytes than this is a load, not somebody typing. */
const LIGHT_BYTES = 16 * 1024
/** How many entries of a presence message are as much work as one more message … */
const ENTRIES_A_MESSAGE = 32
/**
 * … and how many count as one more presence message, whose limit is lower: in a crowded document everybody repeats
 * many.
 */
const ENTRIES_A_PRESENCE_MESSAGE = 256

/** What a pace acts on. */
export interface Paced {
  /** Works off a message. */
  handle(payload: Uint8Array): void
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
 * the socket slow and loses nothing.
 *
 * A piece that the socket delivers may hold thousands of messages. Those beyond what fits into a turn wait here, and
 * the connection stands in line with others of its kind; nothing more is read from it until they are worked off.
 */
export class Pace {
  readonly #paced: Paced
  readonly #deps: PaceDeps
  readonly #messages: Bucket
  readonly #bytes: Bucket
  readonly #presence: Bucket
  /** Arrived, and not worked off. Holds less than what a socket delivers in two pieces. */
  #waiting: Uint8Array[] = []
  /** How many may be worked off in this turn. */
  #quota = PER_TURN
  /** Since the last look. */
  #sent = 0
  #present = 0
  #timer: NodeJS.Timeout | null = null
  #held = false
  #ended = false

  constructor(paced: Paced, deps: PaceDeps) {
    const { limits, clock } = deps
    this.#paced = paced
    this.#deps = deps
    const now = clock()
    this.#messages = new Bucket(limits.messagesPerSecond, limits.messagesBurst, now)
    this.#bytes = new Bucket(limits.bytesPerSecond, limits.bytesBurst, now)
    this.#presence = new Bucket(limits.presencePerSecond, limits.presencePerSecond * 10, now)
  }

  /** A message has arrived. */
  message(payload: Uint8Array): void {
    this.#sent++
    if (this.#quota > 0) {
      this.#quota--
      this.#paced.handle(payload)
    } else {
      this.#waiting.push(payload)
    }
  }

  /** The message that is being worked off takes as much work as this many. */
  weighs(messages: number): void {
    this.#sent += messages - 1
    this.#quota = Math.max(0, this.#quota - messages + 1)
  }

  /** A control frame has arrived. */
  control(): void {
    this.#sent++
  }

  /** The message that is being worked off is about presence, with this many entries. */
  presence(entries: number): void {
    this.#present += 1 + Math.floor(entries / ENTRIES_A_PRESENCE_MESSAGE)
    this.weighs(1 + Math.floor(entries / ENTRIES_A_MESSAGE))
  }

  /** A piece of the stream has arrived, with all messages that it completed. */
  read(bytes: number): void {
    const now = this.#deps.clock()
    const sent = this.#sent
    this.#sent = 0
    let wait = Math.max(this.#messages.take(sent, now), this.#bytes.take(bytes, now))
    if (this.#present > 0) {
      wait = Math.max(wait, this.#presence.take(this.#present, now))
      this.#present = 0
    }
    if (this.#held || this.#ended) return
    if (wait > 0) {
      this.#hold()
      this.#deps.onSlowed()
      this.#timer = setTimeout(() => this.#stand(), Math.ceil(wait))
    } else if (this.#quota === 0 || sent > PER_TURN || bytes > LIGHT_BYTES) {
      this.#hold()
      this.#stand()
    } else {
      this.#quota = PER_TURN
    }
  }

  /** Its turn has come. */
  release(): void {
    if (this.#ended) return
    this.#quota = PER_TURN
    let done = 0
    for (const payload of this.#waiting) {
      if (this.#quota === 0) break
      this.#quota--
      done++
      this.#paced.handle(payload)
    }
    this.#waiting.splice(0, done)
    if (this.#waiting.length > 0) {
      this.#quota = 0
      this.#stand()
      return
    }
    this.#held = false
    this.#paced.release()
  }

  /** The connection has ended: what had arrived before is worked off, and that is all. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    for (const payload of this.#waiting) this.#paced.handle(payload)
    this.#waiting = []
  }

  #hold(): void {
    this.#held = true
    this.#quota = 0
    this.#paced.hold()
  }

  #stand(): void {
    this.#timer = null
    this.#deps.turnstile.queue(this)
  }
}
