import { addressKey } from './address.js'
import { Bucket } from './bucket.js'

/** How many addresses are remembered, and as many before them. */
const MOST_ADDRESSES = 10_000

/**
 * How often each address does something: so many times a minute, and at once. This machine's own addresses aren't
 * limited. Its memory is bounded: who hasn't come since as many others did is forgotten.
 */
export class AddressRates {
  readonly #perMinute: number
  readonly #clock: () => number
  #recent = new Map<string, Bucket>()
  #older = new Map<string, Bucket>()

  /** @param clock milliseconds, monotonic. */
  constructor(perMinute: number, clock: () => number) {
    this.#perMinute = perMinute
    this.#clock = clock
  }

  /** Whether this address may do it once more now; counts it if so. */
  tryTake(address: string): boolean {
    const key = addressKey(address)
    return key === null || this.#bucketOf(key).tryTake(this.#clock())
  }

  #bucketOf(key: string): Bucket {
    const known = this.#recent.get(key) ?? this.#older.get(key)
    const bucket = known ?? new Bucket(this.#perMinute / 60, this.#perMinute, this.#clock())
    if (this.#recent.size >= MOST_ADDRESSES) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(key, bucket)
    return bucket
  }
}
