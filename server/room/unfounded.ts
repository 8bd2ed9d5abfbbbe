import type { DocumentIndex } from '../update/document-index.js'
import type { Scan } from '../update/scan.js'
import type { Member } from './member.js'

/** A message that can't be called safe yet. */
export interface Unfounded {
  readonly member: Member
  /** Its number in its connection. */
  readonly message: number
  /** The update it became; null if it brought nothing new. */
  readonly seq: number | null
  /** What has to be held without a gap: clients and clocks. */
  readonly needs: readonly (readonly [client: number, clock: number])[]
}

/**
 * Updates that came before what they build upon (PROTOCOL S5), and what their authors sent after them. They are stored,
 * but nobody can see them until the rest has come: to call them safe now would promise too much. A stock client that
 * types while it connects sends such updates all the time; its sync step 2, right behind, completes them.
 */
export class UnfoundedMessages {
  #waiting: Unfounded[] = []

  /** Whether anything of a member waits. */
  has(member: Member): boolean {
    return this.#waiting.some((each) => each.member === member)
  }

  get size(): number {
    return this.#waiting.length
  }

  add(member: Member, message: number, seq: number | null, scan: Scan): void {
    this.#waiting.push({
      member,
      message,
      seq,
      needs: scan.blocks.map(({ client, end }) => [client, end] as const),
    })
  }

  /** `seq`s of a member's updates that wait, ascending. */
  seqsOf(member: Member): number[] {
    return this.#waiting.flatMap((each) => (each.member === member && each.seq !== null ? [each.seq] : []))
  }

  /** Takes out what is founded now. A member's messages come out in their order. */
  founded(index: DocumentIndex): Unfounded[] {
    const stuck = new Set<Member>()
    const founded: Unfounded[] = []
    this.#waiting = this.#waiting.filter((each) => {
      const ready =
        !stuck.has(each.member) && each.needs.every(([client, clock]) => index.clock(client) >= clock)
      if (ready) founded.push(each)
      else stuck.add(each.member)
      return !ready
    })
    return founded
  }

  leave(member: Member): void {
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((each) => each.member !== member)
  }
}
