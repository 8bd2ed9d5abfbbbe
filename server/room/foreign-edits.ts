import type { DocumentIndex } from '../update/document-index.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { splice } from '../update/splice.js'
import type { Member } from './member.js'
import type { Owners } from './owners.js'
import { Waiting } from './waiting.js'

/**
 * What becomes of a message with edits under an id that another live connection owns (PROTOCOL S7): what of it is the
 * sender's own goes ahead, the rest waits until the owner has brought it or is gone.
 */
export class ForeignEdits {
  readonly #owners: Owners<Member>
  readonly #index: DocumentIndex
  /** Whose last message waits. */
  readonly #held = new Map<Member, Waiting<Member>>()

  constructor(owners: Owners<Member>, index: DocumentIndex) {
    this.#owners = owners
    this.#index = index
  }

  /** Whether an update holds any. */
  areIn(author: Member, scan: Scan): boolean {
    return this.#owners.foreign(author, scan, this.#index).length > 0
  }

  /**
   * What is new in an update, and under nobody else's id; `null` if nothing is. It goes ahead: two that pass on each
   * other's edits, as all do after the server lost some, would wait for each other for ever.
   */
  ownPart(author: Member, scan: Scan): Scan | null {
    const own = this.#owners.ownPart(author, scan)
    if (own.blocks.length === 0 && own.deletes.length === 0) return null
    const part = scanUpdate(splice([own]))
    return this.#index.news(part) ? part : null
  }

  /**
   * Lets a message wait for what others have yet to bring, and finds out whether these are still there. Its author is
   * told to go on when that is over.
   *
   * @returns false if there is nothing to wait for any more.
   */
  holdBack(author: Member, scan: Scan): boolean {
    const foreign = this.#owners.foreign(author, scan, this.#index)
    if (foreign.length === 0) return false
    this.#held.set(author, new Waiting(foreign))
    for (const owner of new Set(foreign.map((each) => each.owner))) owner.probe()
    return true
  }

  leave(member: Member): void {
    this.#held.delete(member)
  }

  /** Somebody wrote, left, or showed an id: who has waited for that? */
  letGoOn(): void {
    if (this.#held.size === 0) return
    for (const [member, waiting] of [...this.#held]) {
      if (!waiting.isOver(this.#owners, this.#index)) continue
      if (this.#held.delete(member)) member.goOn()
    }
  }
}
