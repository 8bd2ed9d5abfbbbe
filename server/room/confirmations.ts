import { type Scan, scanUpdate } from '../update/scan.js'
import { Acks } from './acks.js'
import type { Broadcast } from './broadcast.js'
import type { Content } from './content.js'
import { LikelyAuthors } from './likely-authors.js'
import type { Member } from './member.js'
import type { Owners } from './owners.js'
import { UnfoundedMessages } from './unfounded.js'

/** What confirmations are told about their surroundings. */
export interface ConfirmationsDeps {
  readonly content: Pick<Content, 'seq' | 'index' | 'visible'>
  readonly owners: Pick<Owners<Member>, 'of'>
  /** Brings stock clients their own edits back, and keeps them from them until then. */
  readonly broadcast: Pick<Broadcast, 'echo' | 'withhold'>
  /** Milliseconds, monotonic. */
  readonly clock: () => number
}

const NOTHING = scanUpdate(Uint8Array.of(0, 0))

/**
 * Who is told what once it is durable. A client that speaks `inkwire.1` is told how many of its messages are (PROTOCOL
 * X4); to one that doesn't, its updates come back (S4), and must not reach it before by any other way. Neither is told
 * of an update that nobody can see yet, since what it builds upon is missing (S5).
 */
export class Confirmations {
  readonly #deps: ConfirmationsDeps
  readonly #acks = new Acks()
  readonly #unfounded: UnfoundedMessages
  readonly #likely: LikelyAuthors<Member>
  /** `seq`s of what went ahead of a stock author's message that waits. */
  readonly #parts = new Map<Member, number[]>()
  #durable: number

  constructor(deps: ConfirmationsDeps) {
    this.#deps = deps
    this.#unfounded = new UnfoundedMessages(deps.content.visible)
    this.#likely = new LikelyAuthors(deps.clock)
    this.#durable = deps.content.seq
  }

  /** The last update that is on disk. */
  get durable(): number {
    return this.#durable
  }

  /** Whether all updates are on disk. */
  get complete(): boolean {
    return this.#durable === this.#deps.content.seq
  }

  /** Whether everybody who waits to hear that an update is safe has sent another one meanwhile. */
  get streaming(): boolean {
    return this.#acks.streaming
  }

  join(member: Member): void {
    if (!member.extended) this.#likely.join(member)
  }

  /** A member says what it holds (PROTOCOL W3): that tells a stock client's own edits from others'. */
  asked(member: Member, holds: ReadonlyMap<number, number>): void {
    if (!member.extended) this.#likely.asked(member, holds, this.#deps.content.index)
  }

  leave(member: Member): void {
    this.#likely.leave(member)
    this.#unfounded.leave(member)
    this.#parts.delete(member)
  }

  /** The `seq`s of a member's own updates that it must not get back yet, ascending. */
  unconfirmed(member: Member): number[] {
    const parts = this.#parts.get(member) ?? []
    const seqs = [...this.#acks.unconfirmed(member), ...this.#unfounded.seqsOf(member), ...parts]
    return seqs.sort((a, b) => a - b)
  }

  /**
   * Message number `message` of `author` has become update `seq`, the last there is; 0 for one that is counted already.
   *
   * @param whole it is all that its author has (a sync step 2): what can't be seen of it, its author can't see either.
   */
  taken(author: Member, message: number, seq: number, scan: Scan, whole: boolean): void {
    const shows = this.#deps.content.visible.shows(scan)
    if (message > 0) this.#dealtWith(author)
    this.#expect(author, message, seq, scan, whole || shows)
    this.#withhold(author, seq, scan, shows)
  }

  /**
   * Part of `author`'s next message has become update `seq`, ahead of it (PROTOCOL S7): safe with the whole message.
   */
  partTaken(author: Member, seq: number, scan: Scan): void {
    if (!author.extended) {
      const parts = this.#parts.get(author)
      if (parts) parts.push(seq)
      else this.#parts.set(author, [seq])
    }
    this.#withhold(author, seq, scan, this.#deps.content.visible.shows(scan))
  }

  /** Whether more of an author's messages can't be called safe yet than a room keeps in mind for one. */
  tooMuchWaits(author: Member): boolean {
    return this.#unfounded.size > 0 && this.#unfounded.tooMuchOf(author)
  }

  /** Message number `message` of `author` waits beside the document for what it builds upon. */
  early(author: Member, message: number, scan: Scan): void {
    if (author.extended) this.#unfounded.add(author, message, null, scan)
  }

  /** Message number `message` of `author` held nothing new; `whole` as in {@link taken}. */
  repeated(author: Member, message: number, scan: Scan, whole: boolean): void {
    this.#dealtWith(author)
    // What it repeats may itself be on its way to the disk still, or wait for what it builds upon.
    this.#expect(author, message, null, scan, whole || this.#deps.content.visible.shows(scan))
    if (this.complete) this.#confirm()
  }

  /** Nothing is kept of message number `message` of `author`, and nothing promised. */
  settled(author: Member, message: number): void {
    this.#dealtWith(author)
    this.#expect(author, message, null, NOTHING, true)
    if (this.complete) this.#confirm()
  }

  /** Everything up to `seq` is durable. */
  committed(seq: number): void {
    this.#durable = seq
    // Initial content may have brought what somebody waits for.
    this.founded()
    this.#confirm()
  }

  /**
   * What waited for what it builds upon, which has come, is safe once all that has been taken by now is: called when
   * there is nothing more that this lets in, or deletions that waited beside the document would be called safe too
   * soon.
   */
  founded(): void {
    if (this.#unfounded.size === 0) return
    const { seq: last } = this.#deps.content
    for (const { member, message, seqs } of this.#unfounded.founded()) {
      if (seqs.length === 0) this.#acks.expect(member, message, last, null)
      for (const seq of seqs) this.#acks.expect(member, message, last, seq)
    }
  }

  #confirm(): void {
    for (const [author, { message, seqs }] of this.#acks.durable(this.#durable)) {
      if (!author.extended) this.#deps.broadcast.echo(author, seqs)
      else if (message > 0) author.acknowledge(message)
    }
  }

  /**
   * A stock author's message is dealt with: the parts of it that went ahead may come back once all of it is durable.
   */
  #dealtWith(author: Member): void {
    const parts = this.#parts.get(author)
    if (!parts) return
    this.#parts.delete(author)
    for (const seq of parts) this.#acks.expect(author, 0, this.#deps.content.seq, seq)
  }

  /** Acks are counted: what comes after a message that can't be called safe waits with it (PROTOCOL S5, X4). */
  #expect(author: Member, message: number, own: number | null, scan: Scan, founded: boolean): void {
    const behind = author.extended && this.#unfounded.size > 0 && this.#unfounded.has(author)
    if (founded && !behind) this.#acks.expect(author, message, this.#deps.content.seq, own)
    // To a stock client only what comes back means anything.
    else if (author.extended || own !== null)
      this.#unfounded.add(author, message, own, founded ? NOTHING : scan)
  }

  /**
   * A stock client takes an update that covers its edits for the word that they are safe, whoever brought it. So what
   * somebody else brings of its edits comes to it only once it is durable, as its own does (PROTOCOL S4).
   */
  #withhold(author: Member, seq: number, scan: Scan, founded: boolean): void {
    const withheld = new Set<Member>()
    const withhold = (member: Member): void => {
      if (member.extended || member === author || withheld.has(member)) return
      withheld.add(member)
      if (founded) this.#acks.expect(member, 0, seq, seq)
      else this.#unfounded.add(member, 0, seq, scan)
      this.#deps.broadcast.withhold(member, seq)
    }
    for (const { client } of scan.blocks) {
      const owner = this.#deps.owners.of(client)
      if (owner && owner !== author) withhold(owner)
    }
    for (const member of this.#likely.of(scan)) withhold(member)
  }
}
