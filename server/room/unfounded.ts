import type { Scan } from '../update/scan.js'
import type { Visible } from '../update/visible.js'
import type { Member } from './member.js'

/** Messages of one connection that may wait, and clients whose structs they wait for. */
const MOST_MESSAGES = 1024
const MOST_NEEDS = 16_384

/** A message that can't be called safe yet, and those after it that wait for nothing else. */
export interface Unfounded {
  readonly member: Member
  /** Its number in its connection. */
  readonly message: number
  /** The updates that it became. */
  readonly seqs: readonly number[]
}

interface Entry {
  message: number
  readonly seqs: number[]
  /** What has to be seen: clients and clocks. */
  readonly needs: Needs
  /** How many of them can be seen already: what could be seen once stays so. */
  met: number
}

type Needs = readonly (readonly [client: number, clock: number])[]

/**
 * The messages of one member that wait, in order: only the first has to be looked at, since the others come after it.
 */
interface Waiting {
  readonly entries: Entry[]
  needs: number
}

/**
 * Updates that came before what they build upon (PROTOCOL S5), and what their authors sent after them: to call them
 * safe now would promise too much. A stock client that types while it connects sends such updates all the time; its
 * sync step 2, right behind, completes them.
 */
export class UnfoundedMessages {
  readonly #visible: Pick<Visible, 'clock'>
  readonly #waiting = new Map<Member, Waiting>()
  /** Of the last update that was added: it may have to wait for many members at once. */
  #latest: { readonly scan: Scan; readonly needs: Needs } | null = null

  constructor(visible: Pick<Visible, 'clock'>) {
    this.#visible = visible
  }

  /** Whether anything of a member waits. */
  has(member: Member): boolean {
    return this.#waiting.has(member)
  }

  /** Whether more of a member waits than is kept for one. */
  tooMuchOf(member: Member): boolean {
    const waiting = this.#waiting.get(member)
    return waiting !== undefined && (waiting.entries.length > MOST_MESSAGES || waiting.needs > MOST_NEEDS)
  }

  /** Of how many members something waits. */
  get size(): number {
    return this.#waiting.size
  }

  /** @param seq the update that it became; null if it brought nothing new. */
  add(member: Member, message: number, seq: number | null, scan: Scan): void {
    let waiting = this.#waiting.get(member)
    if (!waiting) {
      waiting = { entries: [], needs: 0 }
      this.#waiting.set(member, waiting)
    }
    const needs = this.#needsOf(scan)
    const last = waiting.entries.at(-1)
    if (last && needs.length === 0) {
      last.message = Math.max(last.message, message)
      if (seq !== null) last.seqs.push(seq)
      return
    }
    waiting.entries.push({ message, seqs: seq === null ? [] : [seq], needs, met: 0 })
    waiting.needs += needs.length
  }

  /** `seq`s of a member's updates that wait, ascending. */
  seqsOf(member: Member): number[] {
    return (this.#waiting.get(member)?.entries ?? []).flatMap(({ seqs }) => seqs)
  }

  /** Takes out what is founded now. A member's messages come out in their order. */
  founded(): Unfounded[] {
    const founded: Unfounded[] = []
    for (const [member, waiting] of this.#waiting) {
      const { entries } = waiting
      const stuck = entries.findIndex((entry) => !this.#isMet(entry))
      if (stuck === 0) continue
      for (const { message, seqs, needs } of entries.splice(0, stuck < 0 ? entries.length : stuck)) {
        founded.push({ member, message, seqs })
        waiting.needs -= needs.length
      }
      if (entries.length === 0) this.#waiting.delete(member)
    }
    return founded
  }

  leave(member: Member): void {
    this.#waiting.delete(member)
  }

  #isMet(entry: Entry): boolean {
    for (; ; entry.met++) {
      const need = entry.needs[entry.met]
      if (need === undefined) return true
      if (this.#visible.clock(need[0]) < need[1]) return false
    }
  }

  /** What is missing now of what has to be seen. */
  #needsOf(scan: Scan): Needs {
    if (this.#latest?.scan !== scan) {
      const needs: (readonly [number, number])[] = []
      for (const { client, end } of scan.blocks) {
        if (this.#visible.clock(client) < end) needs.push([client, end])
      }
      this.#latest = { scan, needs }
    }
    return this.#latest.needs
  }
}
