import type { Condition } from '../update/hindrances.js'
import type { Scan } from '../update/scan.js'
import type { Visible } from '../update/visible.js'
import type { Member } from './member.js'

/** Updates that may wait in a document, and their bytes. */
const MOST_UPDATES = 256
const MOST_BYTES = 4 * 1024 * 1024
/**
 * Client ids that these updates are by or refer to, counted for each: whenever something comes, all may have to be
 * looked at.
 */
const MOST_CLIENTS = 16_384

/** An update that waits for what it builds upon. */
interface EarlyUpdate {
  readonly author: Member
  /** Of a copy of the update, which lasts. */
  readonly scan: Scan
  /** Something that is missing. */
  lack: Condition
}

/**
 * Updates that came before what they build upon (PROTOCOL S5): a stock client that types while it connects sends such
 * ones; its sync step 2, right behind, brings the rest. Until then they wait here. In the document they would do harm:
 * clients apply an update's deletions though they can't see its structs yet, so what somebody replaced would be gone,
 * and what it was replaced by not there; on disk, until the rest is offered again.
 */
export class Early {
  readonly #visible: Pick<Visible, 'meets' | 'lack'>
  #updates: EarlyUpdate[] = []
  #bytes = 0
  #clients = 0

  constructor(visible: Pick<Visible, 'meets' | 'lack'>) {
    this.#visible = visible
  }

  /**
   * Lets an update wait; its bytes are copied.
   *
   * @param lack what it was found to lack.
   * @returns false if too many wait already.
   */
  add(author: Member, scan: Scan, lack: Condition): boolean {
    const bytes = this.#bytes + scan.bytes.length
    const clients = this.#clients + clientsIn(scan)
    if (this.#updates.length >= MOST_UPDATES || bytes > MOST_BYTES || clients > MOST_CLIENTS) return false
    this.#updates.push({ author, scan: { ...scan, bytes: scan.bytes.slice() }, lack })
    this.#bytes = bytes
    this.#clients = clients
    return true
  }

  /** Takes out the first one that lacks nothing any more. */
  next(): { readonly author: Member; readonly scan: Scan } | undefined {
    for (const update of this.#updates) {
      if (!this.#visible.meets(update.lack)) continue
      const lack = this.#visible.lack(update.scan)
      if (lack) update.lack = lack
      else {
        this.#remove((each) => each === update)
        return update
      }
    }
    return undefined
  }

  /** Takes out an author's, in their order. */
  takeOf(member: Member): readonly Scan[] {
    return this.#remove(({ author }) => author === member).map(({ scan }) => scan)
  }

  #remove(which: (update: EarlyUpdate) => boolean): EarlyUpdate[] {
    const removed = this.#updates.filter(which)
    if (removed.length > 0) this.#updates = this.#updates.filter((update) => !which(update))
    for (const { scan } of removed) {
      this.#bytes -= scan.bytes.length
      this.#clients -= clientsIn(scan)
    }
    return removed
  }
}

const clientsIn = ({ blocks, needs }: Scan): number => blocks.length + needs.size
