import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import type { DocumentLog } from '../journal/journal.js'
import type { Counters } from '../observe/counters.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { splice } from '../update/splice.js'
import { decodeStateVector } from '../update/state-vector.js'
import { Acks } from './acks.js'
import type { Answer } from './answer.js'
import { Broadcast } from './broadcast.js'
import type { Compaction, CompactionEvents } from './compaction.js'
import { type Content, structBytes } from './content.js'
import { Importer } from './importer.js'
import { LikelyAuthors } from './likely-authors.js'
import type { Member, Refused } from './member.js'
import { Owners } from './owners.js'
import { Pending } from './pending.js'
import { checkPlausible } from './plausible.js'
import { Presence, type PresenceLimits } from './presence.js'
import { Seeding } from './seed.js'
import { Signals } from './signals.js'
import type { Turns } from './turns.js'
import { UnfoundedMessages } from './unfounded.js'
import { Waiting } from './waiting.js'

/** What all rooms of a server share. */
export interface RoomDeps {
  readonly turns: Turns
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly counters: Counters
  readonly onFlush: (updates: number, ms: number) => void
  readonly presence: PresenceLimits
  /** Size that a document may reach, bytes (PROTOCOL S10). */
  readonly maxDocumentBytes: number
}

/** What one room is made of. */
export interface RoomParts {
  readonly name: string
  readonly log: DocumentLog
  readonly content: Content
  readonly compaction: Compaction
  /** Nobody is in the room and all of it is durable. */
  readonly onIdle: () => void
}

/** The part of its largest size from which on a document is nearly full. */
const NEARLY = 0.75
const READ_ONLY: Refused = { code: Code.forbidden, reason: 'read-only' }
const TOO_MUCH: Refused = { code: Code.tooFast, reason: 'too much is being said here' }
const FULL: Refused = { code: Code.documentFull, reason: 'the document is full' }

const sameUser = (one: Member, other: Member): boolean => one.user !== '' && one.user === other.user

/**
 * One open document: checks an update, writes it down, passes it on, and says when it is safe. It holds bytes and
 * an index of them, never a Y.Doc; it knows neither sockets nor the disk.
 */
export class Room {
  readonly name: string
  readonly #log: DocumentLog
  readonly #content: Content
  readonly #compaction: Compaction
  readonly #owners = new Owners<Member>(sameUser, ({ mayWrite }) => mayWrite)
  readonly #presence: Presence<Member>
  readonly #likely: LikelyAuthors<Member>
  readonly #pending = new Pending()
  readonly #seeding = new Seeding()
  /** Whose last update waits for somebody else's (PROTOCOL S7). */
  readonly #held = new Map<Member, Waiting<Member>>()
  readonly #acks = new Acks()
  readonly #unfounded = new UnfoundedMessages()
  readonly #broadcast: Broadcast
  readonly #signals: Signals
  readonly #deps: RoomDeps
  readonly #onIdle: () => void
  #durable: number
  readonly #onCompaction: CompactionEvents = {
    // An update that waits for its flush may be in the snapshot already: it goes out while the tail has it.
    trimming: () => this.#broadcast.flush(),
    ended: () => this.#settle(),
  }
  /** Who waits for the room to become idle. */
  #waiting: (() => void)[] = []

  constructor(parts: RoomParts, deps: RoomDeps) {
    this.name = parts.name
    this.#log = parts.log
    this.#content = parts.content
    this.#compaction = parts.compaction
    this.#onIdle = parts.onIdle
    this.#deps = deps
    this.#durable = parts.content.seq
    this.#likely = new LikelyAuthors(deps.clock)
    const members = (): Iterable<Member> => this.#broadcast.members()
    this.#signals = new Signals({ turns: deps.turns, clock: deps.clock, members })
    this.#presence = new Presence(deps.presence, this.#owners, (owner) => owner.probe())
    this.#broadcast = new Broadcast({
      tail: parts.content.tail,
      presence: this.#presence,
      turns: deps.turns,
      clock: deps.clock,
      counters: deps.counters,
      onFlush: (updates, ms) => {
        // One disk write per flush, and after it: nobody waits for the disk to see an edit.
        this.#log.commit()
        deps.onFlush(updates, ms)
      },
      unconfirmed: (member) =>
        [...this.#acks.unconfirmed(member), ...this.#unfounded.seqsOf(member)].sort((a, b) => a - b),
      everything: () => parts.content.everything(),
    })
  }

  /** Which history this is (PROTOCOL X2). */
  get generation(): string {
    return this.#log.document.generation
  }

  /** Updates in this history so far. */
  get seq(): number {
    return this.#content.seq
  }

  /** The last update that is on disk. */
  get durable(): number {
    return this.#durable
  }

  /** Connections in the room. */
  get members(): number {
    return this.#broadcast.size
  }

  /** Whether the room could be closed without anybody noticing. */
  get idle(): boolean {
    const settled = this.#durable === this.seq && !this.#compaction.running && !this.#seeding.running
    return this.#broadcast.size === 0 && settled
  }

  /** The room's state vector, encoded: what the server sends as its own sync step 1 (PROTOCOL W3). */
  stateVector(): Uint8Array {
    return this.#content.index.encodeStateVector()
  }

  join(member: Member): void {
    this.#broadcast.join(member)
    if (!member.extended) this.#likely.join(member)
  }

  /** The last `seq`, if all is durable and was sent to a member that has been answered once; 0 if not (PROTOCOL X4). */
  mark(member: Member): number {
    return this.#durable === this.seq && this.#broadcast.caughtUp(member) ? this.seq : 0
  }

  leave(member: Member): void {
    this.#broadcast.leave(member)
    this.#presence.leave(member)
    this.#likely.leave(member)
    this.#unfounded.leave(member)
    this.#held.delete(member)
    this.#seeding.leave(member)
    this.#letGoOn()
    if (this.#presence.hasChanges) this.#broadcast.schedule()
    if (this.#broadcast.size === 0) this.#settle()
  }

  /**
   * What brings a member at `stateVector` up to date, sync step 2 last (PROTOCOL W4).
   *
   * @param mark up to where it lacks nothing, 0 if that isn't known (PROTOCOL X3).
   * @returns null while initial content is on its way; the member is told to go on.
   * @throws InkwireError INKWIRE_BAD_MESSAGE when it is malformed.
   */
  answer(member: Member, stateVector: Uint8Array, mark = 0): Answer | null {
    if (this.#seeding.running) {
      this.#seeding.wait(member)
      return null
    }
    const since = decodeStateVector(stateVector)
    const resumed = mark > 0 ? this.#content.since(mark, since) : null
    if (resumed) return resumed
    if (!member.extended) this.#likely.asked(member, since, this.#content.index)
    return this.#content.answer(since)
  }

  /**
   * Takes an update: message number `message` of this member's connection.
   *
   * @param how `mayWrite`: whether news are taken, or refused (PROTOCOL A4); `reoffered`: whether it is a sync step 2,
   *   which brings others' edits, too.
   * @returns whether it was dealt with. If not, it has to wait for somebody else (PROTOCOL S7): the member hands it in
   *   again when it is told to go on.
   * @throws InkwireError INKWIRE_BAD_UPDATE when it isn't a well-formed, plausible update (PROTOCOL S1, S8).
   */
  receive(
    author: Member,
    message: number,
    update: Uint8Array,
    { mayWrite, reoffered }: { readonly mayWrite: boolean; readonly reoffered: boolean },
  ): boolean {
    if (this.#seeding.running) {
      this.#seeding.wait(author)
      return false
    }
    const scan = scanUpdate(update)
    const { index } = this.#content
    if (!index.news(scan)) {
      this.#deps.counters.updatesWithoutNews++
      this.#dealtWith(author, message, scan)
      return true
    }
    const refused = mayWrite ? this.#full(scan) : READ_ONLY
    if (refused !== null) {
      author.refuse(message, refused)
      this.#dealtWith(author, message, scan)
      return true
    }
    checkPlausible(scan, index)
    const foreign = this.#owners.foreign(author, scan, index)
    if (foreign.length > 0) {
      this.#takeOwnPart(author, message, scan)
      // That may have been what the owner waits for, and the owner have brought the rest by now.
      const left = this.#owners.foreign(author, scan, index)
      if (left.length === 0) {
        return this.receive(author, message, update, { mayWrite, reoffered })
      }
      this.#held.set(author, new Waiting(left))
      for (const owner of new Set(left.map((each) => each.owner))) owner.probe()
      return false
    }
    const gap = index.hasGap(scan)
    if (!this.#pending.admits(gap ? update.length : 0, index.danglingDeletes(scan), index)) {
      author.close(Code.tryLater, 'too much is missing that this builds upon')
      return true
    }
    // A sync step 2 brings others' edits, too: it says nothing of whose they are.
    if (!reoffered) this.#owners.wrote(author, scan)
    this.#take(author, message, update, scan, gap)
    if (gap) this.#askOnce(author)
    this.#letGoOn()
    return true
  }

  /**
   * Takes initial content, if the document has no history yet; it comes to everybody, the member included, once it is
   * on disk (PROTOCOL X9).
   *
   * @throws InkwireError INKWIRE_BAD_UPDATE when it isn't a well-formed, plausible update that stands for itself.
   */
  seed(member: Member, content: Uint8Array): void {
    if (this.seq > 0 || this.#seeding.running) return
    // It has to last until it is on disk.
    const update = content.slice()
    const scan = scanUpdate(update)
    const { index } = this.#content
    if (!index.news(scan)) return
    checkPlausible(scan, index)
    const full = this.#full(scan)
    if (full !== null) {
      member.refuse(0, full)
      return
    }
    const whole = !index.hasGap(scan) && this.#pending.admits(0, index.danglingDeletes(scan), index)
    if (!whole || this.#owners.foreign(member, scan, index).length > 0) {
      throw new InkwireError('INKWIRE_BAD_UPDATE', 'initial content that is not complete, or not its own')
    }
    this.#seeding.start({ update, scan })
    this.#log.append({ update, time: this.#deps.now(), author: member.user })
  }

  /**
   * Takes an update that no client sent.
   *
   * @returns once it is durable; whether there was anything new in it.
   * @throws InkwireError INKWIRE_BAD_UPDATE; INKWIRE_NOT_SAVED when the document was closed before.
   */
  async merge(update: Uint8Array): Promise<boolean> {
    await this.#seeding.settled()
    const importer = new Importer((reason) => new InkwireError('INKWIRE_NOT_SAVED', reason))
    const before = this.seq
    this.join(importer)
    try {
      const scan = scanUpdate(update, TRUSTED_LIMITS)
      if (this.#content.index.news(scan)) this.#take(importer, 1, update, scan, false)
      else this.#dealtWith(importer, 1, scan)
      this.#letGoOn()
      const news = this.seq > before
      await importer.saved
      return news
    } finally {
      this.leave(importer)
    }
  }

  /**
   * Takes a presence message.
   *
   * @returns why some of it was refused, `null` if nothing was.
   * @throws InkwireError INKWIRE_BAD_MESSAGE
   */
  present(member: Member, update: Uint8Array): Refused | null {
    const refusal = this.#presence.receive(member, update)
    this.#letGoOn()
    if (this.#presence.hasChanges) this.#broadcast.schedule()
    return refusal
  }

  /** Passes on what a member says to the others (PROTOCOL X10); why not, `null` if it was passed on. */
  signal(member: Member, data: Uint8Array): Refused | null {
    if (!member.mayWrite) return READ_ONLY
    return this.#signals.pass(member, data) ? null : TOO_MUCH
  }

  /** One frame that says who is here; `null` when nobody is (PROTOCOL W6). */
  everyone(): Uint8Array | null {
    return this.#presence.all()
  }

  drained(member: Member): void {
    this.#broadcast.drained(member)
  }

  /** The journal says that everything up to `seq` is durable. */
  committed(seq: number): void {
    const seed = this.#seeding.take()
    if (seed) {
      this.#count(seed.scan)
      this.#content.append(seed.update, seed.scan)
      this.#broadcast.schedule()
    }
    this.#durable = seq
    this.#confirm(seq)
    this.#settle()
    if (seed) this.#seeding.letGoOn()
  }

  /** Sends out what waits for the next flush. */
  flush(): void {
    this.#broadcast.flush()
  }

  /** Ends all members' connections. */
  closeMembers(code: number, reason: string): void {
    for (const member of [...this.#broadcast.members()]) member.close(code, reason)
  }

  /** Resolves when nobody is in the room, all is durable and no compaction runs. */
  async settled(): Promise<void> {
    while (!this.idle) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  /** Lets go of the document. */
  dispose(): void {
    this.#broadcast.dispose()
    this.#signals.dispose()
    // With something unsaved only a server that stops comes here, and the journal has reported it.
    if (this.#durable === this.seq && !this.#seeding.running) this.#log.release()
  }

  #take(author: Member, message: number, update: Uint8Array, scan: Scan, gap: boolean): void {
    this.#count(scan)
    const kept = this.#content.append(update, scan)
    const seq = this.#log.hold({ update: kept, time: this.#deps.now(), author: author.user })
    this.#expect(author, message, seq, scan, gap)
    if (this.#unfounded.size > 0) this.#confirmFounded()
    this.#broadcast.updated(author, seq)
    this.#withhold(author, seq, scan, gap)
  }

  #confirm(durable: number): void {
    for (const [author, { message, seqs }] of this.#acks.durable(durable)) {
      if (author.extended) author.acknowledge(message)
      else this.#broadcast.echo(author, seqs)
    }
  }

  /** Acks are counted: what comes after a message that can't be called safe waits with it (PROTOCOL S5, X4). */
  #expect(author: Member, message: number, own: number | null, scan: Scan, gap: boolean): void {
    const behind = author.extended && this.#unfounded.size > 0 && this.#unfounded.has(author)
    if (gap || behind) this.#unfounded.add(author, message, own, scan)
    else this.#acks.expect(author, message, this.seq, own)
  }

  #confirmFounded(): void {
    for (const { member, message, seq } of this.#unfounded.founded(this.#content.index)) {
      this.#acks.expect(member, message, this.seq, seq)
    }
  }

  /**
   * A message that has to wait for somebody else's edits holds own ones, too: they go ahead. Two that pass on each
   * other's edits, as all do after the server lost some, would wait for each other for ever.
   */
  #takeOwnPart(author: Member, message: number, scan: Scan): void {
    const own = this.#owners.ownPart(author, scan)
    if (own.blocks.length === 0 && own.deletes.length === 0) return
    const update = splice([own])
    const part = scanUpdate(update)
    if (!this.#content.index.news(part)) return
    // The message itself isn't dealt with yet: what is acknowledged by this are those before it.
    const gap = this.#content.index.hasGap(part)
    this.#take(author, message - 1, update, part, gap)
    this.#letGoOn()
  }

  /**
   * A stock client takes an update that covers its edits for the word that they are safe, whoever brought it. So what
   * somebody else brings of its edits comes to it only once it is durable, as its own does (PROTOCOL S4).
   */
  #withhold(author: Member, seq: number, scan: Scan, gap: boolean): void {
    const withheld = new Set<Member>()
    const withhold = (member: Member): void => {
      if (member.extended || member === author || withheld.has(member)) return
      withheld.add(member)
      if (gap) this.#unfounded.add(member, 0, seq, scan)
      else this.#acks.expect(member, 0, seq, seq)
      this.#broadcast.withhold(member, seq)
    }
    for (const { client } of scan.blocks) {
      const owner = this.#owners.of(client)
      if (owner && owner !== author) withhold(owner)
    }
    for (const member of this.#likely.of(scan)) withhold(member)
  }

  /** Nothing of it is kept. */
  #dealtWith(author: Member, message: number, scan: Scan): void {
    this.#count(scan)
    // What it repeats may itself be on its way to the disk still.
    this.#expect(author, message, null, scan, false)
    if (this.#durable === this.seq) this.#confirm(this.#durable)
  }

  #count({ bytes }: Scan): void {
    this.#deps.counters.updatesIn++
    this.#deps.counters.updateBytesIn += bytes.length
  }

  /** Deletions are taken always: they are the way out. */
  #full(scan: Scan): Refused | null {
    if (scan.structs === 0) return null
    return this.#content.size + structBytes(scan) > this.#deps.maxDocumentBytes ? FULL : null
  }

  /** Somebody wrote or left: who has waited for that? */
  #letGoOn(): void {
    if (this.#held.size === 0) return
    for (const [member, waiting] of [...this.#held]) {
      if (!waiting.isOver(this.#owners, this.#content.index)) continue
      if (this.#held.delete(member)) member.goOn()
    }
  }

  #askOnce(author: Member): void {
    const seat = this.#broadcast.seat(author)
    if (!seat || seat.asked) return
    seat.asked = true
    author.requestMissing(this.stateVector())
  }

  /** After anything became durable or somebody left: time to compact, or to go? */
  #settle(): void {
    // Near its limit a document is compacted early too: what was deleted makes room.
    const full = this.#content.size > this.#deps.maxDocumentBytes * NEARLY
    this.#compaction.consider(this.#durable, full || this.#broadcast.size === 0, this.#onCompaction)
    if (!this.idle) return
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#onIdle()
  }
}
