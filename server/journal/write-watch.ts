import type { JournalLogger } from './logger.js'

/**
 * A write that has been under way for so long, ms, has stalled: a disk that works takes milliseconds, and a cloud
 * volume that is moved or throttled can keep one waiting for minutes without an error. Short enough for a load balancer
 * to send people elsewhere; longer than a disk that is only busy takes.
 */
export const STALLED_MS = 5000
/** A look that is late by more than that, ms, was held up with the whole process: stopped (SIGSTOP), or out of turns. */
const LATE_MS = 1000

/** What a watch is made of. */
export interface WriteWatchDeps {
  /** Milliseconds from any start. */
  readonly elapsed: () => number
  /** Runs `task` after `ms`; returns how to call it off. */
  readonly later: (ms: number, task: () => void) => () => void
  readonly logger: JournalLogger
}

/**
 * Knows how long the write that is under way has taken, and tells when it takes too long. A hundred writes a second
 * share one timer: it looks every few seconds while there are any.
 */
export class WriteWatch {
  readonly #deps: WriteWatchDeps
  /** When the write that is under way began; null when there is none. */
  #began: number | null = null
  /** Calls off the next look; null when none is to come. */
  #callOff: (() => void) | null = null
  #told = false
  #stopped = false

  constructor(deps: WriteWatchDeps) {
    this.#deps = deps
  }

  /** How long the write that is under way has taken so far, ms; 0 when there is none. */
  get ms(): number {
    return this.#began === null ? 0 : this.#deps.elapsed() - this.#began
  }

  /** The same once it has stalled, and 0 before. */
  get stalledMs(): number {
    return this.ms >= STALLED_MS ? this.ms : 0
  }

  /** Does a write, while no other one is under way. @throws what it throws. */
  async during(write: () => Promise<void>): Promise<void> {
    this.#began = this.#deps.elapsed()
    if (!this.#callOff) this.#lookIn(STALLED_MS)
    try {
      await write()
    } finally {
      if (this.#told) this.#deps.logger.info({ ms: Math.round(this.ms) }, 'the disk answers again')
      this.#told = false
      this.#began = null
    }
  }

  /** Looks no more, also at a write that is still under way. */
  stop(): void {
    this.#stopped = true
    this.#callOff?.()
    this.#callOff = null
  }

  #lookIn(ms: number): void {
    if (this.#stopped) return
    const due = this.#deps.elapsed() + ms
    this.#callOff = this.#deps.later(ms, () => this.#look(due))
  }

  #look(due: number): void {
    this.#callOff = null
    if (this.#began === null) return
    const left = STALLED_MS - this.ms
    if (left > 0) this.#lookIn(left)
    // The disk may have answered meanwhile: that is heard of only after the timers.
    else if (this.#deps.elapsed() - due > LATE_MS) this.#lookIn(LATE_MS)
    else this.#tell()
  }

  #tell(): void {
    this.#told = true
    const seconds = STALLED_MS / 1000
    this.#deps.logger.error({}, `the disk has not answered for ${seconds} s; nothing is saved until it does`)
  }
}
