import { InkwireError } from '../shared/errors.js'

interface Waiter {
  /** True: done. An error: it will never be. */
  readonly check: () => boolean | InkwireError
  readonly settle: (outcome: true | InkwireError) => void
}

/** Promises for conditions, looked at whenever something may have changed. */
export class Waiters {
  readonly #waiting = new Set<Waiter>()
  #destroyed: InkwireError | null = null

  /**
   * A promise that is kept once `check` returns true.
   *
   * @param timeoutMs rejects with INKWIRE_TIMEOUT after so many ms; undefined: never.
   * @throws InkwireError INKWIRE_TIMEOUT, INKWIRE_DESTROYED, or the error that `check` returned.
   */
  until(check: Waiter['check'], timeoutMs?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined
      const waiter: Waiter = {
        check,
        settle: (outcome) => {
          this.#waiting.delete(waiter)
          clearTimeout(timer)
          outcome === true ? resolve() : reject(outcome)
        },
      }
      const outcome = this.#destroyed ?? check()
      if (outcome !== false) return waiter.settle(outcome)
      this.#waiting.add(waiter)
      if (timeoutMs === undefined) return
      timer = setTimeout(
        () => waiter.settle(new InkwireError('INKWIRE_TIMEOUT', `not done within ${timeoutMs} ms`)),
        timeoutMs,
      )
    })
  }

  /** Something may have changed. */
  look(): void {
    for (const waiter of [...this.#waiting]) {
      const outcome = waiter.check()
      if (outcome !== false) waiter.settle(outcome)
    }
  }

  /** Nothing will change any more. */
  destroy(): void {
    const error = new InkwireError('INKWIRE_DESTROYED', 'the provider was destroyed')
    this.#destroyed = error
    for (const waiter of [...this.#waiting]) waiter.settle(error)
  }
}
