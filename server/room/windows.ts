import type { Round } from './round.js'

/** What waits to go out: presence alone can wait longer than an edit. */
export type Waiting = 'edits' | 'presence'

/** Somewhat less than two display frames: it bounds a big room to some 35 flushes a second. */
const LONGEST_MS: { readonly [What in Waiting]: number } = {
  edits: 29,
  // A caret that moves 20 times a second is smooth.
  presence: 46,
}
/**
 * How much longer a window stays open if nothing comes, as a part of its length. Where edits come regularly, the next
 * one ends the window: it goes out without delay, and those before it have waited for whole steps.
 */
const LINGER = 0.1
/** How long the event loop is left to others after a flush, as a part of what the flush took. */
const REST = 0.25
/** A room may spend one part in this many of a core on its flushes. */
const SHARE = 100
/** What a write may take, ms: a flush that took longer was interrupted, and says nothing about the next one. */
const WRITE_MS = 0.012

/** When a room's next flush may begin: after a window that grows with what the last one cost. */
export class Windows {
  readonly #opens = { edits: 0, presence: 0 }
  readonly #closes = { edits: 0, presence: 0 }

  /** From when on this kind is flushed as soon as it comes, ms of the clock that times flushes. */
  opens(what: Waiting): number {
    return this.#opens[what]
  }

  /** When what has come before that is flushed in any case, ms of the same clock. */
  closes(what: Waiting): number {
    return this.#closes[what]
  }

  /** A flush has ended, `now`. */
  flushed({ started, took, members }: Pick<Round, 'started' | 'took' | 'members'>, now: number): void {
    const cost = Math.min(took, members * WRITE_MS)
    const rest = now + cost * REST
    const set = (what: Waiting): void => {
      const window = Math.min(LONGEST_MS[what], cost * SHARE)
      // From when it began: in a huge room a flush takes most of the window, and who writes slowly mustn't wait twice.
      this.#opens[what] = Math.max(started + window, rest)
      this.#closes[what] = Math.max(started + window * (1 + LINGER), rest)
    }
    set('edits')
    set('presence')
  }
}
