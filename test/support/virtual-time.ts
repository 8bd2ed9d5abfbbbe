import { onTestFinished, vi } from 'vitest'

type Task = (...args: unknown[]) => void

/** What `setTimeout` gives, as far as anybody asks. */
class Timer {
  constructor(
    readonly order: number,
    readonly task: () => void,
    public at: number,
    readonly everyMs: number | null,
  ) {}

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

const realImmediate = setImmediate

/**
 * An event loop of our own: timers and immediates run when a test says so, one after the other, in an order that
 * only the test decides. Together with seeded random numbers a run can be repeated exactly.
 *
 * It takes the place of the process's timers, clock and `Math.random` until the test is over.
 */
export class VirtualTime {
  readonly #timers = new Set<Timer>()
  #now = 1_700_000_000_000
  #lastOrder = 0

  /** @param random what `Math.random` gives. */
  constructor(random: () => number) {
    const set = (task: Task, ms = 0, ...args: unknown[]) => this.#add(() => task(...args), ms, null)
    const every = (task: Task, ms = 0, ...args: unknown[]) => this.#add(() => task(...args), ms, ms)
    const clear = (timer: unknown): void => {
      if (timer instanceof Timer) this.#timers.delete(timer)
    }
    vi.stubGlobal('setTimeout', set)
    vi.stubGlobal('setInterval', every)
    vi.stubGlobal('setImmediate', (task: Task, ...args: unknown[]) => set(task, 0, ...args))
    vi.stubGlobal('clearTimeout', clear)
    vi.stubGlobal('clearInterval', clear)
    vi.stubGlobal('clearImmediate', clear)
    const spies = [
      vi.spyOn(Date, 'now').mockImplementation(() => this.#now),
      vi.spyOn(Math, 'random').mockImplementation(random),
    ]
    onTestFinished(() => {
      vi.unstubAllGlobals()
      for (const spy of spies) spy.mockRestore()
    })
  }

  /** Milliseconds since 1970. */
  readonly now = (): number => this.#now

  /** Runs all that is due within the next `ms`, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at)
      if (next.everyMs === null) this.#timers.delete(next)
      else next.at = this.#now + Math.max(1, next.everyMs)
      next.task()
      await this.settle()
    }
    this.#now = end
  }

  /** Lets promises run until nothing is left to do without time. */
  settle(): Promise<void> {
    return new Promise((resolve) => realImmediate(resolve))
  }

  #add(task: () => void, ms: number, everyMs: number | null): Timer {
    const timer = new Timer(++this.#lastOrder, task, this.#now + Math.max(0, ms), everyMs)
    this.#timers.add(timer)
    return timer
  }

  #next(end: number): Timer | null {
    let next: Timer | null = null
    for (const timer of this.#timers) {
      if (timer.at > end) continue
      if (next === null || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer
    }
    return next
  }
}
