import { InkwireError } from '../shared/errors.js'

/** Promises for conditions, which are looked at whenever something may have changed. */
export class Waiters {
  readonly #looks = new Set<() => void>()

  /**
   * A promise that is kept once `check` returns true, and broken once it returns an error.
   *
   * @param timeoutMs rejects with INKWIRE_TIMEOUT after so many ms; undefined, and more than a timer can wait: never.
   */
  until(check: () => boolean | InkwireError, timeoutMs?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: boolean | InkwireError): void => {
        if (outcome === false) return
        this.#looks.delete(look)
        clearTimeout(timer)
        if (outcome === true) resolve()
        else reject(outcome)
      }
      const look = (): void => settle(check())
      const timer =
        // Timers take what is longer than 2 ** 31 ms, Infinity too, for 1 ms.
        (timeoutMs as number) < 2e9
          ? setTimeout(() => settle(new InkwireError('INKWIRE_TIMEOUT', `waited ${timeoutMs} ms`)), timeoutMs)
          : 0
      this.#looks.add(look)
      look()
    })
  }

  /** Something may have changed. */
  look(): void {
    for (const look of [...this.#looks]) look()
  }
}
