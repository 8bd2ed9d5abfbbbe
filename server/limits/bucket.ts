/**
 * A token bucket: it holds up to `burst`, `perSecond` flow in, and what happens takes out. It may be overdrawn, as
 * what has arrived can't be sent back; who overdraws has to wait until it is level again. Pure: time is handed in.
 *
 * @example
 *   const bucket = new Bucket(10, 100, now)
 *   bucket.take(120, now) // 2000: overdrawn by 20, level again in 2 s
 */
export class Bucket {
  readonly #perMs: number
  readonly #burst: number
  #level: number
  #at: number

  /** @param now milliseconds of a monotonic clock, as everywhere here. Starts full. */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#level = burst
    this.#at = now
  }

  /** Takes `amount` out; returns for how many milliseconds the bucket is overdrawn, 0 if it isn't. */
  take(amount: number, now: number): number {
    this.#refill(now)
    this.#level -= amount
    return this.#level >= 0 ? 0 : -this.#level / this.#perMs
  }

  /** Takes one out if there is one. */
  tryTake(now: number): boolean {
    this.#refill(now)
    if (this.#level < 1) return false
    this.#level--
    return true
  }

  /** Milliseconds until {@link tryTake} says yes. */
  waitFor(now: number): number {
    this.#refill(now)
    return this.#level >= 1 ? 0 : (1 - this.#level) / this.#perMs
  }

  #refill(now: number): void {
    this.#level = Math.min(this.#burst, this.#level + (now - this.#at) * this.#perMs)
    this.#at = now
  }
}
