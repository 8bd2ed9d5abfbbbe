import type { Round } from './round.js'

/** What waits to go out: presence alone can wait longer than an edit. */
export type Waiting = 'edits' | 'presence'

/** About two display frames: it bounds a big room to some 35 flushes a second. */
const LONGEST_MS: { readonly [What in Waiting]: number } = {
  edits: 29,
  // A caret that moves 20 times a second is smooth.
  presence: 45,
}
/** What others get of the loop after a flush, in parts of what it took. */
const REST = 0.25
/** A room may spend one part in this many of a core on its flushes. */
const SHARE = 100
/** What a write may take, ms: a flush that took longer was interrupted, and says nothing about the next one. */
const WRITE_MS = 0.03

/** When a room's next flush may begin: after a window that grows with what the last one cost. */
export class Windows {
  #edits = 0
  #presence = 0

  /** When a flush of such may begin, ms of the clock that flushes are timed by. */
  due(what: Waiting): number {
    return what === 'edits' ? this.#edits : this.#presence
  }

  /** A flush has ended, `now`. */
  flushed({ started, took, members }: Pick<Round, 'started' | 'took' | 'members'>, now: number): void {
    const cost = Math.min(took, members * WRITE_MS)
    const rest = now + cost * REST
    // From when it began: in a huge room a flush takes most of the window, and who writes slowly mustn't wait twice.
    const end = (what: Waiting): number => Math.max(started + Math.min(LONGEST_MS[what], cost * SHARE), rest)
    this.#edits = end('edits')
    this.#presence = end('presence')
  }
}
