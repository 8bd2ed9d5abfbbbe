/** What work in turns needs of time. */
export interface InTurnsDeps {
  /** Runs `task` after the event loop has looked at what else there is. */
  readonly soon: (task: () => void) => void
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  /** What such work may take of a turn, ms; one piece of it is done in any case. */
  readonly ms: number
}

/** After a pause of this length, ms, the event loop must have looked at something else. */
const PAUSE_MS = 0.5

/**
 * Work that sockets bring: it is done at once, but not for ever. When hundreds connect, say something or leave in the
 * same turn of the event loop, since their network has come back, what doesn't fit into some milliseconds waits for
 * the next turns, in the order in which it came; timers, flushes and the disk's answers come in between.
 */
export class InTurns {
  readonly #deps: InTurnsDeps
  readonly #line: (() => void)[] = []
  /** When it began without a pause, and when the last piece of it was done. */
  #since = Number.NEGATIVE_INFINITY
  #until = Number.NEGATIVE_INFINITY

  constructor(deps: InTurnsDeps) {
    this.#deps = deps
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length
  }

  /** Whether there is time for something now, and nobody waits. Who does it says when it is {@link done}. */
  begin(): boolean {
    if (this.#line.length > 0) return false
    const now = this.#deps.clock()
    if (now - this.#until > PAUSE_MS) this.#since = now
    return now - this.#since < this.#deps.ms
  }

  /** @see begin */
  done(): void {
    this.#until = this.#deps.clock()
  }

  /** `task` is done when its turn has come, behind what waits already. */
  later(task: () => void): void {
    this.#line.push(task)
    if (this.#line.length === 1) this.#deps.soon(() => this.#turn())
  }

  #turn(): void {
    const { soon, clock, ms } = this.#deps
    const end = clock() + ms
    let done = 0
    try {
      do this.#line[done++]?.()
      while (done < this.#line.length && clock() < end)
    } finally {
      this.#line.splice(0, done)
      this.done()
      if (this.#line.length > 0) soon(() => this.#turn())
    }
  }
}
