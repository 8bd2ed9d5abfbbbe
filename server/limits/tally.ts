/**
 * Counts how many there are per key, up to a limit. Holds nothing for a key of which there is none.
 */
export class Tally<Key> {
  readonly #counts = new Map<Key, number>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Counts one more. Returns false, and counts nothing, when the limit is reached. */
  enter(key: Key): boolean {
    const count = this.#counts.get(key) ?? 0
    if (count >= this.#limit) return false
    this.#counts.set(key, count + 1)
    return true
  }

  /** One less. */
  leave(key: Key): void {
    const count = this.#counts.get(key) ?? 0
    if (count > 1) this.#counts.set(key, count - 1)
    else this.#counts.delete(key)
  }

  count(key: Key): number {
    return this.#counts.get(key) ?? 0
  }

  /** Keys of which there is one at least. */
  get keys(): number {
    return this.#counts.size
  }
}
