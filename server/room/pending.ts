import type { DocumentIndex } from '../update/document-index.js'

/** Updates that may wait for what they follow, and their bytes. */
const MOST_UPDATES = 256
const MOST_BYTES = 4 * 1024 * 1024
/** Deletions that may wait for what they delete. Clients go through all of them at each update they get. */
const MOST_DELETIONS = 1000

/**
 * Bounds what a document holds of updates that came before what they build upon (PROTOCOL S5): every joiner gets
 * them, and every client keeps them aside. Honest ones are few, and soon complete.
 */
export class Pending {
  #updates = 0
  #bytes = 0
  #deletions = 0

  /**
   * One more update with a gap of `bytes` (0: without), with `deletions` of what isn't there.
   *
   * @returns whether there is room for it.
   */
  admits(bytes: number, deletions: number, index: DocumentIndex): boolean {
    if (bytes === 0 && deletions === 0) return true
    if (this.#full(bytes, deletions)) this.#recount(index)
    if (this.#full(bytes, deletions)) return false
    if (bytes > 0) this.#updates++
    this.#bytes += bytes
    this.#deletions += deletions
    return true
  }

  #full(bytes: number, deletions: number): boolean {
    return (
      (bytes > 0 && (this.#updates >= MOST_UPDATES || this.#bytes + bytes > MOST_BYTES)) ||
      (deletions > 0 && this.#deletions + deletions > MOST_DELETIONS)
    )
  }

  /** What waited may have been completed since. */
  #recount(index: DocumentIndex): void {
    if (!index.incomplete()) {
      this.#updates = 0
      this.#bytes = 0
    }
    this.#deletions = index.dangling()
  }
}
