import type { Content } from './content.js'

/** Updates that may wait for what they follow, and their bytes. */
const MOST_UPDATES = 256
const MOST_BYTES = 4 * 1024 * 1024
/** Deletions that may wait for what they delete. Clients go through all of them at each update they get. */
const MOST_DELETIONS = 1000
/** References that may wait for what they refer to, in memory. One update may go beyond, the next is too much. */
const MOST_HINDRANCES = 16_384
/**
 * Client ids whose structs may wait, in memory and in every client: for those of one update, Yjs takes time that grows
 * with the square of their number, 0.2 s for 4,000 of them.
 */
const MOST_CLIENTS = 4096
/** Places where something is missing: each breaks ranges and pieces in two. Again, one update may go beyond. */
const MOST_GAPS = 4096

/** What of an update waits for what it builds upon. */
export interface Waiting {
  /** Its size; 0 if nothing does. */
  readonly bytes: number
  /** Client ids whose structs do. */
  readonly clients: number
  /** Deletions of what isn't there. */
  readonly deletions: number
}

/**
 * Bounds what a document holds of updates that came before what they build upon (PROTOCOL S5): every joiner gets
 * them, and every client keeps them aside. Honest ones are few, and soon complete.
 */
export class Pending {
  readonly #content: Pick<Content, 'index' | 'visible'>
  #updates = 0
  #bytes = 0
  #clients = 0
  #deletions = 0

  constructor(content: Pick<Content, 'index' | 'visible'>) {
    this.#content = content
  }

  /**
   * One more update that waits for something.
   *
   * @returns whether there is room for it.
   */
  admits(more: Waiting): boolean {
    if (more.bytes === 0 && more.deletions === 0) return true
    if (this.#full(more)) this.#recount()
    if (this.#full(more)) return false
    if (more.bytes > 0) this.#updates++
    this.#bytes += more.bytes
    this.#clients += more.clients
    this.#deletions += more.deletions
    return true
  }

  #full(more: Waiting): boolean {
    return (
      (more.bytes > 0 && this.#fullOfUpdates(more)) ||
      (more.deletions > 0 && this.#deletions + more.deletions > MOST_DELETIONS)
    )
  }

  #fullOfUpdates({ bytes, clients }: Waiting): boolean {
    const { index, visible } = this.#content
    if (visible.hindrances >= MOST_HINDRANCES || index.gaps >= MOST_GAPS) return true
    if (this.#clients + clients > MOST_CLIENTS) return true
    return this.#updates >= MOST_UPDATES || this.#bytes + bytes > MOST_BYTES
  }

  /** What waited may have been completed since. */
  #recount(): void {
    const { index, visible } = this.#content
    if (visible.hindrances === 0 && !index.incomplete()) {
      this.#updates = 0
      this.#bytes = 0
      this.#clients = 0
    }
    this.#deletions = index.dangling()
  }
}
