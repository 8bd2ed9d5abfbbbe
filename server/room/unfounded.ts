import type { Scan } from '../update/scan.js'
import type { Visible } from '../update/visible.js'
import type { Member } from './member.js'

/** A message that can't be called safe yet. */
export interface Unfounded {
  readonly member: Member
  /** Its number in its connection. */
  readonly message: number
  /** The update it became; null if it brought nothing new. */
  readonly seq: number | null
  /** What has to be seen: clients and clocks. */
  readonly needs: readonly (readonly [client: number, clock: number])[]
}

/**
 * Updates that came before what they build upon (PROTOCOL S5), and what their authors sent after them. They are stored,
 * but nobody can see them until the rest has come: to call them safe now would promise too much. A stock client that
 * types while it connects sends such updates all the time; its sync step 2, right behind, completes them.
 */
export class UnfoundedMessages {
  /** By member, in order: only the first of each has to be looked at, for the others come after it. */
  readonly #waiting = new Map<Member, Unfounded[]>()
  /** Of the last update that was added: it may have to wait for many members at once. */
  #latest: { readonly scan: Scan; readonly needs: Unfounded['needs'] } | null = null

  /** Whether anything of a member waits. */
  has(member: Member): boolean {
    return this.#waiting.has(member)
  }

  /** Of how many members something waits. */
  get size(): number {
    return this.#waiting.size
  }

  add(member: Member, message: number, seq: number | null, scan: Scan): void {
    const entry = { member, message, seq, needs: this.#needsOf(scan) }
    const before = this.#waiting.get(member)
    if (before) before.push(entry)
    else this.#waiting.set(member, [entry])
  }

  /** `seq`s of a member's updates that wait, ascending. */
  seqsOf(member: Member): number[] {
    return (this.#waiting.get(member) ?? []).flatMap(({ seq }) => (seq === null ? [] : [seq]))
  }

  /** Takes out what is founded now. A member's messages come out in their order. */
  founded(visible: Pick<Visible, 'clock'>): Unfounded[] {
    const founded: Unfounded[] = []
    for (const [member, entries] of this.#waiting) {
      const stuck = entries.findIndex(
        ({ needs }) => !needs.every(([client, clock]) => visible.clock(client) >= clock),
      )
      if (stuck === 0) continue
      founded.push(...(stuck < 0 ? entries : entries.splice(0, stuck)))
      if (stuck < 0) this.#waiting.delete(member)
    }
    return founded
  }

  leave(member: Member): void {
    this.#waiting.delete(member)
  }

  #needsOf(scan: Scan): Unfounded['needs'] {
    if (this.#latest?.scan !== scan) {
      this.#latest = { scan, needs: scan.blocks.map(({ client, end }) => [client, end] as const) }
    }
    return this.#latest.needs
  }
}
