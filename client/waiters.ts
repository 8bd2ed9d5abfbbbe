import { InkwireError } from '../shared/errors.js'

/** Promises for conditions, which are looked at whenever something may have changed. */
export class Waiters {
  readonly #looks = new Set<() => void>()

  /**
   * A promise that is kept once `check` returns true, and broken once it returns an error.
   *
   * @param timeoutMs rejects with INKWIRE_TIMEOUT after so many ms; undefined: never.
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
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => settle(new InkwireError('INKWIRE_TIMEOUT', `waited ${timeoutMs} ms`)), timeoutMs)
      this.#looks.add(look)
      look()
    })
  }

  /** Something may have changed. */
  look(): void {
    for (const look of [...this.#looks]) look()
  }
}
