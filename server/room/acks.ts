import type { Member } from './member.js'

/**
 * How many messages are looked at: more are written without waiting for a flush, and while the disk hangs there may be
 * any number.
 */
const MOST_LOOKED_AT = 64

/** What became durable for one author in one commit. */
export interface Confirmed {
  /**
   * The highest of its update messages that is durable now, counted from 1 in its connection; 0: no other than before.
   */
  message: number
  /** The `seq`s of its own updates that became durable, ascending. */
  readonly seqs: number[]
}

interface Expected {
  readonly member: Member
  readonly message: number
  /** The room's last `seq` when the message was taken: durable means that this is. */
  readonly seq: number
  /** The update that the message became; null if it held nothing new. */
  readonly own: number | null
}

/**
 * Which messages wait for which `seq` to become durable. A message without news waits too: what it repeats may
 * not be on disk yet.
 */
export class Acks {
  /** In order of `seq`, for it only grows. */
  #expected: Expected[] = []
  #done = 0

  /** `message` of `member`, which became update `own`, is durable once `seq` is. */
  expect(member: Member, message: number, seq: number, own: number | null): void {
    this.#expected.push({ member, message, seq, own })
  }

  /** The `seq`s of a member's own updates that aren't durable yet, ascending. */
  unconfirmed(member: Member): number[] {
    const seqs: number[] = []
    for (let i = this.#done; i < this.#expected.length; i++) {
      const each = this.#expected[i] as Expected
      if (each.own !== null && each.member === member) seqs.push(each.own)
    }
    return seqs
  }

  /**
   * Whether everybody who waits to hear that a message is safe has sent another one meanwhile. With many messages that
   * isn't looked at: false.
   */
  get streaming(): boolean {
    if (this.#expected.length - this.#done > MOST_LOOKED_AT) return false
    const authors = new Set<Member>()
    const again = new Set<Member>()
    for (let i = this.#done; i < this.#expected.length; i++) {
      const { member, message } = this.#expected[i] as Expected
      if (message === 0) continue
      if (authors.has(member)) again.add(member)
      else authors.add(member)
    }
    return again.size > 0 && again.size === authors.size
  }

  /** Everything up to `seq` is durable: what that means to whom. */
  durable(seq: number): Map<Member, Confirmed> {
    const confirmed = new Map<Member, Confirmed>()
    while (this.#done < this.#expected.length) {
      const next = this.#expected[this.#done] as Expected
      if (next.seq > seq) break
      this.#done++
      const entry = confirmed.get(next.member) ?? { message: 0, seqs: [] }
      confirmed.set(next.member, entry)
      entry.message = Math.max(entry.message, next.message)
      if (next.own !== null) insert(entry.seqs, next.own)
    }
    if (this.#done === this.#expected.length || this.#done > 4096) {
      this.#expected = this.#expected.slice(this.#done)
      this.#done = 0
    }
    return confirmed
  }
}

/** Nearly always at the end: only what waited for a gap to close (PROTOCOL S5) comes after later ones. */
const insert = (seqs: number[], seq: number): void => {
  let at = seqs.length
  while (at > 0 && (seqs[at - 1] as number) > seq) at--
  seqs.splice(at, 0, seq)
}
