import type { Content } from './content.js'

/** Updates that may wait for what they follow, and their bytes. */
const MOST_UPDATES = 256
const MOST_BYTES = 4 * 1024 * 1024
/** Deletions that may wait for what they delete. Clients go through all of them at each update they get. */
const MOST_DELETIONS = 1000
/** References that may wait for what they refer to, in memory. One update may go beyond, the next is too much. */
const MOST_HINDRANCES = 16_384
/** Places where something is missing: each breaks ranges and pieces in two. Again, one update may go beyond. */
const MOST_GAPS = 4096

/**
 * Bounds what a document holds of updates that came before what they build upon (PROTOCOL S5): every joiner gets
 * them, and every client keeps them aside. Honest ones are few, and soon complete.
 */
export class Pending {
  readonly #content: Pick<Content, 'index' | 'visible'>
  #updates = 0
  #bytes = 0
  #deletions = 0

  constructor(content: Pick<Content, 'index' | 'visible'>) {
    this.#content = content
  }

  /**
   * One more update with a gap of `bytes` (0: without), with `deletions` of what isn't there.
   *
   * @returns whether there is room for it.
   */
  admits(bytes: number, deletions: number): boolean {
    if (bytes === 0 && deletions === 0) return true
    if (this.#full(bytes, deletions)) this.#recount()
    if (this.#full(bytes, deletions)) return false
    if (bytes > 0) this.#updates++
    this.#bytes += bytes
    this.#deletions += deletions
    return true
  }

  #full(bytes: number, deletions: number): boolean {
    return (
      (bytes > 0 && this.#fullOfUpdates(bytes)) ||
      (deletions > 0 && this.#deletions + deletions > MOST_DELETIONS)
    )
  }

  #fullOfUpdates(bytes: number): boolean {
    const { index, visible } = this.#content
    if (visible.hindrances >= MOST_HINDRANCES || index.gaps >= MOST_GAPS) return true
    return this.#updates >= MOST_UPDATES || this.#bytes + bytes > MOST_BYTES
  }

  /** What waited may have been completed since. */
  #recount(): void {
    const { index, visible } = this.#content
    if (visible.hindrances === 0 && !index.incomplete()) {
      this.#updates = 0
      this.#bytes = 0
    }
    this.#deletions = index.dangling()
  }
}
