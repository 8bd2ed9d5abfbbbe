import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import type { DocumentLog } from '../journal/journal.js'
import type { Counters } from '../observe/counters.js'
import type { Answer } from './answer.js'
import { Broadcast } from './broadcast.js'
import { Commits } from './commits.js'
import type { Compaction, CompactionEvents } from './compaction.js'
import { Confirmations } from './confirmations.js'
import type { Content } from './content.js'
import { ForeignEdits } from './foreign-edits.js'
import { readHolds } from './holds.js'
import { Importer } from './importer.js'
import { type Arrival, Intake } from './intake.js'
import { type Member, READ_ONLY, type Refused } from './member.js'
import { Owners } from './owners.js'
import { Presence, type PresenceLimits } from './presence.js'
import type { Recall } from './recall.js'
import { Seeding } from './seed.js'
import { Signals } from './signals.js'
import type { Turns } from './turns.js'
import { whyUnreadable } from './unreadable.js'

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
  readonly recall: Recall
  /** Nobody is in the room and all of it is durable. */
  readonly onIdle: () => void
}

/** The part of its largest size from which on a document is nearly full. */
const NEARLY = 0.75
const TOO_MUCH: Refused = { code: Code.tooFast, reason: 'too much is being said here' }

const sameUser = (one: Member, other: Member): boolean => one.user !== '' && one.user === other.user

/**
 * One open document: who is there, what they are answered and told, and when it can be closed. What becomes of an
 * update is its intake's. It holds bytes and an index of them, never a Y.Doc; it knows neither sockets nor the disk.
 */
export class Room {
  readonly name: string
  readonly #log: DocumentLog
  readonly #content: Content
  readonly #compaction: Compaction
  readonly #recall: Recall
  readonly #owners = new Owners<Member>(sameUser, ({ mayWrite }) => mayWrite)
  readonly #presence: Presence<Member>
  readonly #foreign: ForeignEdits
  readonly #seeding = new Seeding()
  readonly #broadcast: Broadcast
  readonly #commits: Commits
  readonly #confirmations: Confirmations
  readonly #intake: Intake
  readonly #signals: Signals
  readonly #deps: RoomDeps
  readonly #onIdle: () => void
  readonly #onCompaction: CompactionEvents = {
    // An update that waits for its flush may be in the snapshot already: it goes out while the tail has it.
    trimming: () => this.#broadcast.finish(),
    ended: () => this.#settle(),
  }
  /** Who waits for the room to become idle. */
  #waiting: (() => void)[] = []

  constructor(parts: RoomParts, deps: RoomDeps) {
    this.name = parts.name
    this.#log = parts.log
    this.#content = parts.content
    this.#compaction = parts.compaction
    this.#recall = parts.recall
    this.#onIdle = parts.onIdle
    this.#deps = deps
    this.#foreign = new ForeignEdits(this.#owners, parts.content)
    const members = (): Iterable<Member> => this.#broadcast.members()
    this.#signals = new Signals({ turns: deps.turns, clock: deps.clock, members })
    this.#presence = new Presence(deps.presence, this.#owners, (owner) => owner.probe())
    this.#commits = new Commits({ turns: deps.turns, commit: () => parts.log.commit() })
    this.#broadcast = new Broadcast({
      tail: parts.content.tail,
      presence: this.#presence,
      turns: deps.turns,
      clock: deps.clock,
      counters: deps.counters,
      onFlush: (updates, ms) => {
        this.#commits.flushed(this.#confirmations.streaming)
        deps.onFlush(updates, ms)
      },
      unconfirmed: (member) => this.#confirmations.unconfirmed(member),
      everything: (member) => parts.content.everything() ?? this.#afterRecall(member),
    })
    this.#confirmations = new Confirmations({
      content: parts.content,
      owners: this.#owners,
      broadcast: this.#broadcast,
      clock: deps.clock,
    })
    this.#intake = new Intake({
      content: parts.content,
      log: parts.log,
      broadcast: this.#broadcast,
      confirmations: this.#confirmations,
      owners: this.#owners,
      foreign: this.#foreign,
      seeding: this.#seeding,
      counters: deps.counters,
      now: deps.now,
      clock: deps.clock,
      maxDocumentBytes: deps.maxDocumentBytes,
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
    return this.#confirmations.durable
  }

  /** Connections in the room. */
  get members(): number {
    return this.#broadcast.size
  }

  /** Whether the room could be closed without anybody noticing. */
  get idle(): boolean {
    const settled = this.#confirmations.complete && !this.#compaction.running && !this.#seeding.running
    return this.#broadcast.size === 0 && settled
  }

  /** The room's state vector, encoded: what the server sends as its own sync step 1 (PROTOCOL W3). */
  stateVector(): Uint8Array {
    return this.#content.index.encodeStateVector()
  }

  join(member: Member): void {
    this.#broadcast.join(member)
    this.#confirmations.join(member)
  }

  /** The last `seq`, if all is durable and was sent to a member that has been answered once; 0 if not (PROTOCOL X4). */
  mark(member: Member): number {
    return this.#confirmations.complete && this.#broadcast.caughtUp(member) ? this.seq : 0
  }

  leave(member: Member): void {
    if (this.#broadcast.seat(member)) this.#intake.leave(member)
    this.#broadcast.leave(member)
    this.#presence.leave(member)
    this.#confirmations.leave(member)
    this.#seeding.leave(member)
    this.#recall.leave(member)
    this.#intake.letIn()
    if (this.#presence.hasChanges) this.#broadcast.schedule('presence')
    if (this.#broadcast.size === 0) this.#settle()
  }

  /**
   * What brings a member at `stateVector` up to date, sync step 2 last (PROTOCOL W4).
   *
   * @param mark up to where it lacks nothing, 0 if that isn't known (PROTOCOL X3).
   * @returns null while initial content is on its way, or the snapshot is read; the member is told to go on.
   * @throws InkwireError INKWIRE_BAD_MESSAGE when it is malformed.
   */
  answer(member: Member, stateVector: Uint8Array, mark = 0): Answer | null {
    if (this.#seeding.running) {
      this.#seeding.wait(member)
      return null
    }
    const holds = readHolds(this.#content, stateVector)
    const resumed = mark > 0 ? this.#content.since(mark, holds.clocks) : null
    if (resumed) return resumed
    this.#confirmations.asked(member, holds.ahead)
    return holds.answer() ?? this.#afterRecall(member)
  }

  /**
   * Takes an update: message number `message` of this member's connection.
   *
   * @returns whether it was dealt with. If not, it has to wait for somebody else (PROTOCOL S7): the member hands it in
   *   again when it is told to go on.
   * @throws InkwireError INKWIRE_BAD_UPDATE when it isn't a well-formed, plausible update (PROTOCOL S1, S8).
   */
  receive(author: Member, message: number, update: Uint8Array, arrival: Arrival): boolean {
    return this.#intake.receive(author, message, update, arrival)
  }

  /**
   * Takes initial content, if the document has no history yet; it comes to everybody, the member included, once it is
   * on disk (PROTOCOL X9).
   *
   * @throws InkwireError INKWIRE_BAD_UPDATE when it isn't a well-formed, plausible update that stands for itself.
   */
  seed(member: Member, content: Uint8Array): void {
    this.#intake.seed(member, content)
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
    this.join(importer)
    try {
      const news = this.#intake.import(importer, update)
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
    this.#intake.letIn()
    if (this.#presence.hasChanges) this.#broadcast.schedule('presence')
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
    this.#intake.drained(member)
    this.#broadcast.drained(member)
  }

  /** The journal says that everything up to `seq` is durable. */
  committed(seq: number): void {
    const seeded = this.#intake.seeded()
    this.#confirmations.committed(seq)
    this.#settle()
    if (seeded) this.#seeding.letGoOn()
  }

  /** The server stops, and nobody brings more: what waits is taken as when its author leaves, and goes out. */
  stop(): void {
    for (const member of [...this.#broadcast.members()]) this.#intake.leave(member)
    this.flush()
  }

  /** Sends out what waits for the next flush. */
  flush(): void {
    this.#broadcast.finish()
  }

  /**
   * Has all members leave, whose connections stay open: nothing they say is taken any more. One whom the app sent stays
   * until what it brought is durable.
   *
   * @returns what ends these connections, once it is known how.
   */
  dismissMembers(): (code: number, reason: string) => void {
    const members = [...this.#broadcast.members()]
    for (const member of members) member.dismiss()
    return (code, reason) => {
      for (const member of members) if (!this.#broadcast.seat(member)) member.close(code, reason)
    }
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
    this.#commits.dispose()
    this.#signals.dispose()
    this.#content.dispose()
    // With something unsaved only a server that stops comes here, and the journal has reported it.
    if (this.#confirmations.complete && !this.#seeding.running) this.#log.release()
  }

  /** The member gets what it lacks as soon as the snapshot has been read again. */
  #afterRecall(member: Member): null {
    this.#recall.wait(member, {
      ready: () => {
        member.goOn()
        if (!member.outlet.congested) this.#broadcast.drained(member)
      },
      failed: (error) => {
        const { code, reason } = whyUnreadable(error)
        member.close(code, reason)
      },
    })
    return null
  }

  /** After anything became durable or somebody left: time to compact, or to go? */
  #settle(): void {
    // Near its limit a document is compacted early too: what was deleted makes room.
    const full = this.#content.size > this.#deps.maxDocumentBytes * NEARLY
    this.#compaction.consider(this.durable, full || this.#broadcast.size === 0, this.#onCompaction)
    if (!this.idle) return
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#onIdle()
  }
}
