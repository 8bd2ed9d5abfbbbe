/** What tasks in turns need of time. */
export interface InTurnsDeps {
  /** Runs `task` at the end of this turn of the event loop, or in the next one if this is its end. */
  readonly soon: (task: () => void) => void
  /** Milliseconds, monotonic. */
  readonly clock: () => number
}

/** What such tasks may take of a turn, ms; one is done in any case. */
const LONGEST_MS = 4
/** So many may wait, for what waits takes memory; more are done at once, which slows down whoever sends them. */
const MOST_WAITING = 1000

/**
 * Does tasks in the order in which they came, some milliseconds of them in each turn of the event loop. When hundreds
 * come at once, those who are there already are read in between.
 */
export class InTurns {
  readonly #deps: InTurnsDeps
  readonly #tasks: (() => void)[] = []

  constructor(deps: InTurnsDeps) {
    this.#deps = deps
  }

  add(task: () => void): void {
    if (this.#tasks.length >= MOST_WAITING) {
      task()
      return
    }
    this.#tasks.push(task)
    if (this.#tasks.length === 1) this.#deps.soon(() => this.#turn())
  }

  #turn(): void {
    const { soon, clock } = this.#deps
    const end = clock() + LONGEST_MS
    let done = 0
    try {
      do this.#tasks[done++]?.()
      while (done < this.#tasks.length && clock() < end)
    } finally {
      this.#tasks.splice(0, done)
      if (this.#tasks.length > 0) soon(() => this.#turn())
    }
  }
}
