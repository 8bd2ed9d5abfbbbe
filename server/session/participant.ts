import { decodeMessage } from '../../shared/codec.js'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import type { Message } from '../../shared/messages.js'
import { Bucket } from '../limits/bucket.js'
import type { Answer, Outlet } from '../room/answer.js'
import type { Member, Refused } from '../room/member.js'
import { entriesIn } from '../room/presence.js'
import type { Room } from '../room/room.js'
import { Answers, type Asker } from './answers.js'
import type { Host, SessionDeps, Transport } from './contract.js'
import { HeldMessages } from './held-messages.js'
import { Receipts } from './receipts.js'
import { Refusals } from './refusals.js'
import { framed, say } from './say.js'

/**
 * A client that has been let in, in its room: turns its messages into calls of the room, and what the room says into
 * frames.
 */
export class Participant implements Member, Asker {
  readonly extended: boolean
  readonly outlet: Outlet
  readonly #host: Host
  readonly #room: Room
  readonly #transport: Transport
  readonly #deps: SessionDeps
  readonly #receipts = new Receipts()
  readonly #held: HeldMessages
  readonly #answers: Answers
  readonly #refusals: Refusals
  readonly #signals: Bucket
  /** A sync step 1 was answered; and the mark that the next one starts from. */
  #answered = false
  #resumesFrom = 0

  constructor(host: Host, room: Room, transport: Transport, deps: SessionDeps) {
    this.extended = host.extended
    this.#host = host
    this.#room = room
    this.outlet = transport.outlet
    this.#transport = transport
    this.#deps = deps
    const { foreignEditsMs, questionsPerMinute, signalsPerSecond } = deps.limits
    this.#held = new HeldMessages(foreignEditsMs, () => {
      this.close(Code.tryLater, 'what this waited for did not come in time')
    })
    this.#answers = new Answers(this, questionsPerMinute, deps.clock)
    this.#refusals = new Refusals(host, transport, deps.counters)
    this.#signals = new Bucket(signalsPerSecond, signalsPerSecond * 2, deps.clock())
  }

  get user(): string {
    return this.#host.permission.user
  }

  get mayWrite(): boolean {
    return this.#host.permission.access !== 'read'
  }

  /** Whether a message of its waits, and nothing more should be read. */
  get waits(): boolean {
    return this.#held.any
  }

  /** Enters the room, and greets the client. */
  join(): void {
    const room = this.#room
    room.join(this)
    const frames = this.extended ? [this.#hello()] : []
    frames.push(framed({ type: 'syncStep1', stateVector: room.stateVector() }))
    const present = room.everyone()
    if (present) frames.push(present)
    this.outlet.write(frames)
  }

  /** Lets go of everything. */
  leave(): void {
    this.#deps.slow.forget(this)
    this.#answers.dispose()
    this.#held.dispose()
    this.#room.leave(this)
  }

  /** The client may do something else from now on (PROTOCOL X2). */
  permitted(): void {
    if (this.extended) this.outlet.write([this.#hello()])
  }

  /** The socket's buffer has been emptied. */
  drained(): void {
    this.#host.orClose(() => this.#answers.give())
    if (this.#host.closed) return
    this.#room.drained(this)
    this.sendAck()
    this.sendMark()
  }

  /**
   * Deals with a message, or keeps it if another waits.
   *
   * @throws InkwireError INKWIRE_BAD_MESSAGE; INKWIRE_BAD_UPDATE; INKWIRE_STORE_CLOSED.
   */
  receive(payload: Uint8Array): void {
    if (!this.#held.forAnswer && this.#held.keep(payload)) return
    const message = decodeMessage(payload)
    // Presence says whose ids are whose, which must be known in time also while an answer is waited for (PROTOCOL S7).
    if (message.type === 'awareness' || !this.#held.keep(payload)) this.#handle(message, payload)
  }

  // What is asked for answers (Asker).

  content(stateVector: Uint8Array): Answer | null {
    if (this.#host.closed) return null
    const answer = this.#room.answer(this, stateVector, this.#resumesFrom)
    // What a stock client says from now on mustn't come back to it with a later answer (PROTOCOL S4).
    if (answer === null && !this.extended && !this.waits) {
      this.#held.behindAnswer()
      this.#transport.pause()
    }
    return answer
  }

  answered(): void {
    this.#resumesFrom = 0
    this.#answered = true
    this.sendMark()
  }

  present(): Uint8Array | null {
    return this.#host.closed ? null : this.#room.everyone()
  }

  later(task: () => void): void {
    this.#host.orClose(task)
  }

  // What a room calls (Member).

  acknowledge(message: number): void {
    this.#receipts.confirm(message)
    this.sendAck()
  }

  refuse(message: number, why: Refused): void {
    this.#refusals.update(message, why)
  }

  goOn(): void {
    const messages = this.#held.release()
    this.#host.orClose(() => this.#answers.give())
    for (const payload of messages) this.#host.receive(payload)
    if (!this.waits && !this.#host.closed) this.#transport.resume()
  }

  probe(): void {
    this.#transport.probe()
  }

  dismiss(): void {
    this.#host.dismiss()
  }

  close(code: number, reason: string): void {
    this.#host.close(code, reason)
  }

  requestMissing(stateVector: Uint8Array): void {
    say(this, { type: 'syncStep1', stateVector })
  }

  /** Tells the client how far its messages have come, if it doesn't know (PROTOCOL X4). */
  sendAck(): void {
    if (this.#mayAck && this.#receipts.untold) this.#ack()
  }

  /** Tells the client a mark, if there is a new one: so that it can resume from there (PROTOCOL X3, X4). */
  sendMark(): void {
    if (this.#mayAck && this.#receipts.isNews(this.#mark())) this.#ack()
  }

  get #mayAck(): boolean {
    return this.extended && !this.#host.closed && !this.outlet.congested
  }

  #ack(): void {
    say(this, this.#receipts.tell(this.#mark()))
  }

  #mark(): number {
    // Without fsync, what was acknowledged may still be lost, and its numbers would be given out again: no mark then.
    if (this.#deps.durability !== 'fsync') return 0
    return this.#answered ? this.#room.mark(this) : 0
  }

  #hello(): Uint8Array {
    return framed({
      type: 'hello',
      generation: this.#room.generation,
      seq: this.#room.durable,
      access: this.#host.permission.access,
      durability: this.#deps.durability,
      maxMessageBytes: this.#deps.maxMessageBytes,
    })
  }

  #handle(message: Message, payload: Uint8Array): void {
    switch (message.type) {
      case 'syncStep1':
        this.#answers.askedForContent(message.stateVector)
        return
      case 'syncStep2':
      case 'update':
        this.#takeUpdate(message.update, payload, message.type === 'syncStep2')
        return
      case 'awareness':
        this.#present(message.update)
        return
      case 'queryAwareness':
        this.#answers.askedForPresence()
        return
      case 'join':
        this.#resume(message.generation, message.seq)
        return
      case 'initialContent':
        if (this.#storeTakes() && this.mayWrite) this.#room.seed(this, message.update)
        return
      case 'signal':
        this.#signal(message.data)
        return
      case 'token':
        this.#host.showToken(message.token)
        return
      case 'permissionDenied':
      case 'hello':
      case 'ack':
      case 'rejection':
      case 'authenticate':
        throw new InkwireError('INKWIRE_BAD_MESSAGE', `a client may not send ${message.type}`)
      default:
        message satisfies never
    }
  }

  #takeUpdate(update: Uint8Array, payload: Uint8Array, reoffered: boolean): void {
    if (!this.#storeTakes()) return
    const { mayWrite } = this
    if (this.#room.receive(this, this.#receipts.next(), update, { mayWrite, reoffered })) {
      if (this.extended && this.#receipts.open) this.#deps.slow.watch(this)
      return
    }
    this.#receipts.takeBack()
    this.#held.start(payload)
    this.#transport.pause()
  }

  /** Who writes while the store can't take more is closed, and comes back. */
  #storeTakes(): boolean {
    const refusal = this.#deps.refuseUpdates()
    if (refusal !== null) this.close(Code.storageUnavailable, refusal)
    return refusal === null
  }

  /** It holds history, up to a mark (PROTOCOL X3). */
  #resume(generation: string, mark: number): void {
    if (generation === '') return
    if (generation === this.#room.generation) this.#resumesFrom = mark
    else this.close(Code.generationChanged, 'this is the history of another generation')
  }

  #present(update: Uint8Array): void {
    this.#deps.counters.presenceIn++
    this.#host.sawPresence(entriesIn(update))
    const refusal = this.#room.present(this, update)
    if (refusal !== null) this.#refusals.presence(refusal)
  }

  #signal(data: Uint8Array): void {
    const refusal = this.#refusalOf(data) ?? this.#room.signal(this, data)
    if (refusal !== null) this.#refusals.signal(refusal)
  }

  #refusalOf(data: Uint8Array): Refused | null {
    if (data.length > this.#deps.limits.signalBytes) return { code: Code.tooBig, reason: 'too long' }
    if (this.#signals.tryTake(this.#deps.clock())) return null
    return { code: Code.tooFast, reason: 'too many signals' }
  }
}
