/** What the turnstile needs of time. */
export interface TurnstileDeps {
  /** Runs `task` in the next turn of the event loop, when all sockets that have something were looked at once. */
  readonly soon: (task: () => void) => void
  /** Runs `task` after a while; for when there is no point in going on at once. */
  readonly later: (task: () => void) => void
  /** Whether what was let in waits for the disk already. */
  readonly clogged: () => boolean
}

/**
 * Connections that send a lot wait here in line, and each turn of the event loop lets one of them on. So however many
 * pour in what they have, a turn takes as long as one piece of one of them, and somebody who types is read each turn.
 * One that is alone is let on at once, at full speed.
 */
export class Turnstile {
  readonly #deps: TurnstileDeps
  #line: { release(): void }[] = []
  #next = 0
  #turning = false

  constructor(deps: TurnstileDeps) {
    this.#deps = deps
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length - this.#next
  }

  /** Stands in line; `release` is called when its turn has come. */
  queue(one: { release(): void }): void {
    this.#line.push(one)
    if (this.#turning) return
    this.#turning = true
    this.#deps.soon(() => this.#turn())
  }

  #turn(): void {
    if (this.#deps.clogged()) {
      this.#deps.later(() => this.#turn())
      return
    }
    try {
      this.#line[this.#next++]?.release()
    } finally {
      // Whatever becomes of one, the others have their turns.
      this.#goOn()
    }
  }

  #goOn(): void {
    if (this.#next === this.#line.length) {
      this.#line = []
      this.#next = 0
      this.#turning = false
      return
    }
    if (this.#next > 1024) {
      this.#line = this.#line.slice(this.#next)
      this.#next = 0
    }
    this.#deps.soon(() => this.#turn())
  }
}
