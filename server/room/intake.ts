import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import type { DocumentLog } from '../journal/journal.js'
import type { Counters } from '../observe/counters.js'
import type { DocumentIndex } from '../update/document-index.js'
import type { Condition } from '../update/hindrances.js'
import { limitsFor, TRUSTED_LIMITS } from '../update/limits.js'
import { withNewDeletes } from '../update/new-deletes.js'
import { withNewStructs } from '../update/new-structs.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { splice } from '../update/splice.js'
import type { Broadcast } from './broadcast.js'
import type { Confirmations } from './confirmations.js'
import { type Content, structBytes } from './content.js'
import { Early } from './early.js'
import type { ForeignEdits, HeldMessage } from './foreign-edits.js'
import { type Member, READ_ONLY, type Refused } from './member.js'
import type { Owners } from './owners.js'
import { Pending, type Waiting } from './pending.js'
import { checkPlausible } from './plausible.js'
import { Questions } from './questions.js'
import type { Seeding } from './seed.js'

const FULL: Refused = { code: Code.documentFull, reason: 'the document is full' }

/**
 * A document may have one client id for this many bytes of the size that it may reach: in memory an id costs some 200.
 */
const BYTES_FOR_A_CLIENT = 256
/** Every document may have this many ids, however small its limit is. */
const FEWEST_CLIENTS = 10_000

const TOO_MUCH_MISSING = 'too much is missing that this builds upon'

/** Where updates go, and what they are checked by. */
export interface IntakeDeps {
  readonly content: Content
  readonly log: DocumentLog
  readonly broadcast: Pick<Broadcast, 'updated' | 'schedule'>
  readonly confirmations: Pick<
    Confirmations,
    'taken' | 'partTaken' | 'early' | 'founded' | 'repeated' | 'settled' | 'tooMuchWaits'
  >
  readonly owners: Pick<Owners<Member>, 'wrote'>
  readonly foreign: ForeignEdits
  readonly seeding: Seeding
  readonly counters: Counters
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  /** Size that the document may reach, bytes (PROTOCOL S10). */
  readonly maxDocumentBytes: number
}

/** What else is known of an update message. */
export interface Arrival {
  /** Whether news are taken, or refused (PROTOCOL A4). */
  readonly mayWrite: boolean
  /** Whether it is a sync step 2, which brings others' edits, too. */
  readonly reoffered: boolean
}

/**
 * What becomes of an update: it is checked, added to the content, written down, passed on, and confirmed. Whatever goes
 * into a document goes through here, in this order.
 */
export class Intake {
  readonly #deps: IntakeDeps
  readonly #content: Content
  readonly #pending: Pending
  readonly #early: Early
  readonly #questions: Questions

  constructor(deps: IntakeDeps) {
    this.#deps = deps
    this.#content = deps.content
    this.#pending = new Pending(deps.content)
    this.#early = new Early(deps.content.visible)
    const stateVector = () => deps.content.index.encodeStateVector()
    this.#questions = new Questions({ stateVector, clock: deps.clock })
  }

  /** @see Room.receive */
  receive(author: Member, message: number, update: Uint8Array, arrival: Arrival): boolean {
    const { seeding, counters, foreign, owners, confirmations } = this.#deps
    if (seeding.running) {
      seeding.wait(author)
      return false
    }
    if (arrival.reoffered) this.#questions.answered(author)
    this.#questions.retry(author)
    const { index, visible } = this.#content
    const scan = scanUpdate(update, limitsFor(index))
    if (!index.news(scan)) {
      counters.updatesWithoutNews++
      this.#count(scan)
      confirmations.repeated(author, message, scan, arrival.reoffered)
      this.#checkWaiting(author)
      return true
    }
    const refused = arrival.mayWrite ? this.#full(scan) : READ_ONLY
    if (refused !== null) {
      author.refuse(message, refused)
      this.#count(scan)
      confirmations.settled(author, message)
      return true
    }
    checkPlausible(scan, index)
    if (foreign.areIn(author, scan)) {
      const held = foreign.message(author, scan)
      this.#takeParts(foreign.goingAhead(held))
      this.letIn()
      // What went ahead may have been what the owner waited for, and the owner may have brought the rest by now.
      if (foreign.holdBack(held, scan)) return false
      return this.receive(author, message, update, arrival)
    }
    // A sync step 2 brings others' edits, too: it says nothing of whose they are.
    if (!arrival.reoffered) owners.wrote(author, scan)
    const lack = visible.lack(scan)
    if (lack && !arrival.reoffered) {
      this.#letWait(author, message, scan, lack)
      return true
    }
    if (!this.#admits(author, scan, lack)) return true
    const whole = arrival.reoffered
    const kept = whole ? withNewDeletes(scan, index) : scan
    this.#take(author, kept, (seq) => confirmations.taken(author, message, seq, kept, whole))
    this.letIn()
    this.#checkWaiting(author)
    return true
  }

  /** Somebody wrote, left, or showed an id: takes what has waited for that. */
  letIn(): void {
    const { foreign, seeding, confirmations } = this.#deps
    if (seeding.running) return
    for (;;) {
      const early = this.#early.next()
      const parts = !early && foreign.mayGoAhead ? foreign.goingAhead() : []
      if (early) this.#takeEarly(early.author, early.scan)
      else if (parts.length > 0) this.#takeParts(parts)
      else break
    }
    confirmations.founded()
    foreign.letGoOn()
  }

  /** A member leaves: what of its updates waits for what is missing is kept, but for its deletions (PROTOCOL S5). */
  leave(member: Member): void {
    const { foreign, seeding } = this.#deps
    this.#questions.leave(member)
    const early = this.#early.takeOf(member)
    const part = foreign.take(member)?.part
    // Nothing can be written now. It was never called safe.
    if (seeding.running) return
    for (const scan of early) this.#keep(member, scan)
    if (part) this.#keep(member, part)
  }

  /** A member's socket has drained. */
  drained(member: Member): void {
    this.#questions.retry(member)
  }

  /** @see Room.seed */
  seed(member: Member, content: Uint8Array): void {
    const { seeding, foreign, log, now } = this.#deps
    if (this.#content.seq > 0 || seeding.running) return
    // It has to last until it is on disk.
    const update = content.slice()
    const scan = scanUpdate(update)
    const { index, visible } = this.#content
    if (!index.news(scan)) return
    checkPlausible(scan, index)
    const full = this.#full(scan)
    if (full !== null) {
      member.refuse(0, full)
      return
    }
    const whole = visible.lack(scan) === null && this.#pending.admits(this.#waiting(scan, null))
    if (!whole || foreign.areIn(member, scan)) {
      throw new InkwireError('INKWIRE_BAD_UPDATE', 'initial content that is not complete, or not its own')
    }
    seeding.start({ update, scan })
    log.append({ update, time: now(), author: member.user })
  }

  /** Initial content that is on its way is on disk: now it goes to everybody. Returns whether there was any. */
  seeded(): boolean {
    const seed = this.#deps.seeding.take()
    if (!seed) return false
    this.#count(seed.scan)
    this.#content.append(seed.update, seed.scan)
    this.#deps.broadcast.schedule()
    this.letIn()
    return true
  }

  /**
   * Takes the only update of a member whom the app sent: it isn't held to what clients are.
   *
   * @returns whether there was anything new in it.
   * @throws InkwireError INKWIRE_BAD_UPDATE
   */
  import(member: Member, update: Uint8Array): boolean {
    const scan = scanUpdate(update, TRUSTED_LIMITS)
    const news = this.#content.index.news(scan)
    const { confirmations } = this.#deps
    // What it builds upon may come with the next one.
    if (news) this.#take(member, scan, (seq) => confirmations.taken(member, 1, seq, scan, true))
    else {
      this.#count(scan)
      confirmations.settled(member, 1)
    }
    this.letIn()
    return news
  }

  /** @param confirm says who is told what about it, once it is durable. */
  #take(author: Member, scan: Scan, confirm: (seq: number) => void): void {
    const { log, now, broadcast } = this.#deps
    this.#count(scan)
    const fresh = withNewStructs(scan, this.#content.index)
    const kept = this.#content.append(fresh.bytes, fresh)
    const seq = log.hold({ update: kept, time: now(), author: author.user })
    confirm(seq)
    broadcast.updated(author, seq)
  }

  /** What it builds upon hasn't come: its author is asked for that. */
  #letWait(author: Member, message: number, scan: Scan, lack: Condition): void {
    if (!this.#early.add(author, scan, lack)) {
      author.close(Code.tryLater, TOO_MUCH_MISSING)
      return
    }
    this.#count(scan)
    this.#deps.confirmations.early(author, message, scan)
    this.#questions.ask(author)
  }

  #takeEarly(author: Member, scan: Scan): void {
    if (!this.#content.index.news(scan)) return
    // Somebody has shown meanwhile that an id in it is its own. Asked again, the author's message waits for that one.
    if (this.#deps.foreign.areIn(author, scan)) this.#questions.ask(author)
    else if (this.#admits(author, scan, null)) this.#takeQuietly(author, scan)
  }

  /** The messages themselves aren't dealt with yet. */
  #takeParts(messages: readonly HeldMessage[]): void {
    const { confirmations } = this.#deps
    for (const held of messages) {
      const { author, part } = held
      held.part = null
      if (part === null || !this.#content.index.news(part)) continue
      this.#take(author, part, (seq) => confirmations.partTaken(author, seq, part))
    }
  }

  /** Takes an update whose message is counted already. */
  #takeQuietly(author: Member, scan: Scan): void {
    const { confirmations } = this.#deps
    this.#take(author, scan, (seq) => confirmations.taken(author, 0, seq, scan, false))
  }

  #keep(author: Member, scan: Scan): void {
    const { index, visible } = this.#content
    if (!index.news(scan) || this.#deps.foreign.areIn(author, scan)) return
    const lack = visible.lack(scan)
    // What it deletes would be gone at once, and what replaces it not there; it was never called safe.
    const kept = lack ? scanUpdate(splice([{ ...scan, deletes: [] }])) : scan
    if (this.#admits(author, kept, lack)) this.#takeQuietly(author, kept)
  }

  /** Whether there is room in the document for what waits for something missing; its author is closed if not. */
  #admits(author: Member, scan: Scan, lack: Condition | null): boolean {
    const admitted = this.#pending.admits(this.#waiting(scan, lack))
    if (!admitted) author.close(Code.tryLater, TOO_MUCH_MISSING)
    return admitted
  }

  #waiting(scan: Scan, lack: Condition | null): Waiting {
    const { index, visible } = this.#content
    const deletions = index.danglingDeletes(scan)
    if (lack === null) return { bytes: 0, clients: 0, deletions }
    const trial = visible.trial()
    trial.add(scan)
    return { bytes: scan.bytes.length, clients: trial.hindered(scan), deletions }
  }

  /** Who goes on and on behind what can't be called safe is closed, rather than remembered in full. */
  #checkWaiting(author: Member): void {
    if (this.#deps.confirmations.tooMuchWaits(author)) author.close(Code.tryLater, TOO_MUCH_MISSING)
  }

  #count({ bytes }: Scan): void {
    this.#deps.counters.updatesIn++
    this.#deps.counters.updateBytesIn += bytes.length
  }

  /** Deletions are taken always: they are the way out. */
  #full(scan: Scan): Refused | null {
    if (scan.structs === 0) return null
    const { maxDocumentBytes } = this.#deps
    const { size, index } = this.#content
    if (size + structBytes(scan) > maxDocumentBytes) return FULL
    const clients = Math.max(FEWEST_CLIENTS, maxDocumentBytes / BYTES_FOR_A_CLIENT)
    // Ids that the document has already are never refused, however many they are.
    const most = Math.max(0, clients - index.clients)
    return scan.blocks.length <= most || newClients(scan, index) <= most ? null : FULL
  }
}

const newClients = ({ blocks }: Scan, index: DocumentIndex): number => {
  let count = 0
  let before = -1
  for (const { client } of blocks) {
    if (client !== before && !index.hasClient(client)) count++
    before = client
  }
  return count
}
