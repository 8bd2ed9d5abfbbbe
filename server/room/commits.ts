import type { Turns } from './turns.js'

/** How long what was flushed waits at most for the next flush to share a commit with, ms. */
const LONGEST_MS = 60

/** What a room's commits are told about their surroundings. */
export interface CommitsDeps {
  readonly turns: Pick<Turns, 'later'>
  /** Has what the room holds written. */
  readonly commit: () => void
}

/**
 * When a room's updates are written: one commit for a flush, and after it, for nobody waits for the disk to see an
 * edit. Where everybody sends on without waiting to hear that the last edit is safe, one for two flushes: each wakes
 * two threads and comes when the flush has taken everything else out of the processor's caches, 0.6 to 0.8 ms. Nobody
 * who waits for an ack before the next edit is slowed by that.
 */
export class Commits {
  readonly #deps: CommitsDeps
  /** Calls off the commit that is made if there is no second flush; null while nothing is held. */
  #callOff: (() => void) | null = null

  constructor(deps: CommitsDeps) {
    this.#deps = deps
  }

  /** A flush has ended. `streaming`: all authors have sent on before the last was safe. */
  flushed(streaming: boolean): void {
    if (streaming && !this.#callOff) {
      this.#callOff = this.#deps.turns.later(this, LONGEST_MS)
      return
    }
    this.flush()
  }

  /** What is held is written now. */
  flush(): void {
    this.dispose()
    this.#deps.commit()
  }

  dispose(): void {
    this.#callOff?.()
    this.#callOff = null
  }
}
