import { CommitPace, enough, QUIET_MS } from './pace.js'

/** What waits to be committed. */
export interface Queued {
  readonly updates: number
  readonly bytes: number
}

/** What a gathering is told about its surroundings. */
export interface GatheringDeps {
  /** Milliseconds from any start. */
  readonly elapsed: () => number
  /** Runs `task` after `ms`; returns how to call it off. */
  readonly later: (ms: number, task: () => void) => () => void
  /** What waits now. */
  readonly queued: () => Queued
}

/**
 * The wait before a small commit for more updates that it can take along, where many small commits follow each other.
 */
export class Gathering {
  readonly #deps: GatheringDeps
  readonly #pace: CommitPace
  /** When it began. */
  #began = 0
  /** Ends a part of it; null while nothing waits. */
  #hurry: (() => void) | null = null

  constructor(deps: GatheringDeps) {
    this.#deps = deps
    this.#pace = new CommitPace(deps.elapsed())
  }

  /** Resolves when it is time to commit. */
  async wait(): Promise<void> {
    const { elapsed, queued } = this.#deps
    this.#began = elapsed()
    const { updates, bytes } = queued()
    const ms = this.#pace.wait(updates, bytes, this.#began)
    for (let waited = 0; waited < ms; waited = this.#waited) {
      const before = queued().updates
      const hurried = await this.#sleep(Math.min(ms - waited, QUIET_MS))
      if (hurried) break
      if (queued().updates === before && !this.#pace.goesOn(this.#waited)) break
    }
    const { updates: taken, bytes: size } = queued()
    this.#pace.made(taken, size, elapsed())
  }

  /** More has been queued: that may be enough. */
  more(): void {
    if (!this.#hurry) return
    const { updates, bytes } = this.#deps.queued()
    if (enough(updates, bytes, this.#waited)) this.#hurry()
  }

  /** Ends the wait now. */
  end(): void {
    this.#hurry?.()
  }

  get #waited(): number {
    return this.#deps.elapsed() - this.#began
  }

  /** Resolves after a while, or when the wait is ended: true then. */
  async #sleep(ms: number): Promise<boolean> {
    let callOff = (): void => {}
    const hurried = await new Promise<boolean>((resolve) => {
      this.#hurry = () => resolve(true)
      callOff = this.#deps.later(ms, () => resolve(false))
    })
    this.#hurry = null
    callOff()
    return hurried
  }
}
