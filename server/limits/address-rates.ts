import { addressKey } from './address.js'
import { Bucket } from './bucket.js'

/** How many addresses are in each of the two generations that are remembered. */
const MOST_ADDRESSES = 10_000

/**
 * Limits how often each address does something: `perMinute` times a minute, and as often at once. This machine's own
 * addresses aren't limited. Memory is bounded: an address is forgotten once 10,000 to 20,000 others have come since.
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
