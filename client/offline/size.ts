const COUNT = 500
const BYTES = 64 * 1024

/**
 * When the stored updates are worth being put together: once they outweigh what they were last put together
 * to, so that the total work is in proportion to what was written; few or small ones never.
 */
export class StoredSize {
  #snapshot = 0
  #bytes = 0
  #count = 0

  /** These were found; the first is what they were last put together to. */
  loaded(updates: readonly Uint8Array[]): void {
    const [first, ...rest] = updates
    this.compacted(first?.length ?? 0)
    this.added(rest)
  }

  added(updates: readonly Uint8Array[]): void {
    this.#count += updates.length
    for (const { length } of updates) this.#bytes += length
  }

  compacted(bytes: number): void {
    this.#snapshot = bytes
    this.#bytes = this.#count = 0
  }

  /** It didn't work out: tried again after as much again. */
  postponed(): void {
    this.compacted(this.#snapshot)
  }

  get worthCompacting(): boolean {
    // An update costs some 200 bytes' worth of reading, however small it is.
    const many = Math.max(COUNT, this.#snapshot / 200)
    return this.#count >= many || this.#bytes > Math.max(BYTES, this.#snapshot)
  }
}
