import { decodeMessage, encodeMessage } from '../shared/codec.js'
import { Code } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import type { Access, Durability, Message } from '../shared/messages.js'
import { Answers, type Asker } from './answers.js'
import { frame } from './frame.js'
import { Bucket } from './limits/bucket.js'
import type { Limits } from './limits/limits.js'
import type { Counters } from './observe/counters.js'
import type { Answer, Receiver } from './room/answer.js'
import type { Member, Refused } from './room/member.js'
import type { Room } from './room/room.js'

/** What a session needs of its connection: it never sees a socket. */
export interface Transport extends Receiver {
  /** More is waiting to be sent than the server wants to hold, or a message goes out in pieces. */
  readonly congested: boolean
  /** Not even a word more should be sent. */
  readonly full: boolean
  /** Ends the connection with a close code. */
  close(code: number, reason: string): void
  /** Stops reading from the client, and starts again: backpressure while the document is being loaded. */
  pause(): void
  resume(): void
  /** Finds out whether the client is still there; it is ended if not. */
  probe(): void
}

/** What a session tells whoever made it. */
export interface SessionEvents {
  /** The client shows a token, first or anew (PROTOCOL X8). */
  token(token: string): void
  /** It said something about presence. */
  presence(): void
}

/** Who is at the other end, and what they may do. */
export interface Permission {
  readonly access: Access
  /** The user's id; '' when nobody asked. */
  readonly user: string
}

/** What all sessions of a server share. */
export interface SessionDeps {
  readonly counters: Counters
  readonly durability: Durability
  readonly maxMessageBytes: number
  /** Says that received updates wait for the disk longer than usual; the session sends a "received" then. */
  readonly slow: SlowCommits
  /** Whether the server can take more updates at all; a reason if not. */
  readonly refuseUpdates: () => string | null
  readonly limits: Pick<
    Limits,
    | 'unauthorizedBytes'
    | 'questionsPerMinute'
    | 'tokensPerMinute'
    | 'signalsPerSecond'
    | 'signalBytes'
    | 'foreignEditsMs'
  >
  /** Milliseconds, monotonic. */
  readonly clock: () => number
}

/** Notices updates that aren't durable soon; see `slow-commits.ts`. */
export interface SlowCommits {
  watch(session: { sendAck(): void }): void
  forget(session: { sendAck(): void }): void
}

type State =
  /** Nobody knows yet whether the client may come in. */
  | { readonly name: 'authorizing'; readonly waiting: Uint8Array[]; bytes: number }
  /** It may; the document is being loaded. */
  | { readonly name: 'opening'; readonly waiting: Uint8Array[]; bytes: number }
  | { readonly name: 'live'; readonly room: Room }
  | { readonly name: 'closed' }

/** What a client may send before its document is loaded; then reading stops anyway, this is what was on its way. */
const LARGEST_WAIT_BYTES = 32 * 1024 * 1024

/**
 * One client on one document: its state, what it may do, its acks. Turns messages into calls of the room and the
 * room's answers into frames.
 */
export class Session implements Member, Asker {
  /** Speaks `inkwire.1` (PROTOCOL X1). */
  readonly extended: boolean
  readonly #transport: Transport
  readonly #deps: SessionDeps
  readonly #events: SessionEvents
  #state: State = { name: 'authorizing', waiting: [], bytes: 0 }
  #permission: Permission = { access: 'read', user: '' }
  /** Update messages taken so far in this connection, durable ones, and what the client was told of both (X4). */
  #received = 0
  #durable = 0
  #told = { received: 0, durable: 0, mark: 0 }
  /** A sync step 1 was answered; and the mark that the next one starts from. */
  #answered = false
  #resumesFrom = 0
  readonly #answers: Answers
  readonly #tokens: Bucket
  readonly #signals: Bucket
  /** An update that waits for somebody else's (PROTOCOL S7, X9), and what came after it. */
  #held: Uint8Array[] | null = null
  #givingUp: NodeJS.Timeout | null = null
  #deaf = false
  /** A client without extensions was told that it may not write; once is enough (PROTOCOL A4). */
  #toldReadOnly = false
  /** What it was told about its presence; each thing once. */
  readonly #toldPresence = new Set<string>()

  constructor(extended: boolean, transport: Transport, deps: SessionDeps, events: SessionEvents) {
    this.extended = extended
    this.#transport = transport
    this.#deps = deps
    this.#events = events
    const { questionsPerMinute, tokensPerMinute, signalsPerSecond } = deps.limits
    this.#answers = new Answers(this, questionsPerMinute, deps.clock)
    this.#tokens = new Bucket(tokensPerMinute / 60, tokensPerMinute, deps.clock())
    this.#signals = new Bucket(signalsPerSecond, signalsPerSecond * 2, deps.clock())
  }

  get user(): string {
    return this.#permission.user
  }

  get mayWrite(): boolean {
    return this.#permission.access !== 'read'
  }

  get congested(): boolean {
    return this.#transport.congested
  }

  get closed(): boolean {
    return this.#state.name === 'closed'
  }

  /** Asks a client that speaks `inkwire.1` for a token (PROTOCOL X7). */
  askForToken(): void {
    this.#transport.write([frame(encodeMessage({ type: 'authenticate' }))])
  }

  /** The client may do this from now on; the first time, that lets it in. */
  permit(permission: Permission): void {
    const changed = permission.access !== this.#permission.access
    this.#permission = permission
    const state = this.#state
    if (state.name === 'authorizing') this.#state = { ...state, name: 'opening' }
    if (state.name === 'live' && this.extended && changed) {
      this.#transport.write([frame(encodeMessage(this.#hello(state.room)))])
    }
  }

  /** The document is loaded: greets the client and works off what it has said meanwhile. */
  enter(room: Room): void {
    if (this.#state.name !== 'opening') return
    const { waiting } = this.#state
    this.#state = { name: 'live', room }
    room.join(this)
    const greeting: Message[] = []
    if (this.extended) greeting.push(this.#hello(room))
    greeting.push({ type: 'syncStep1', stateVector: room.stateVector() })
    const frames = greeting.map((message) => frame(encodeMessage(message)))
    const present = room.everyone()
    if (present) frames.push(present)
    this.#transport.write(frames)
    for (const payload of waiting) {
      if (this.closed) return
      this.receive(payload)
    }
    if (!this.#held) this.#transport.resume()
  }

  /** One message has arrived. Never throws: what is wrong with it closes the connection (PROTOCOL W7). */
  receive(payload: Uint8Array): void {
    if (this.#deaf) return
    const state = this.#state
    switch (state.name) {
      case 'authorizing':
        this.#orClose(() => this.#holdOrToken(state, payload))
        return
      case 'opening':
        this.#hold(state, payload)
        return
      case 'live':
        if (this.#held) this.#held.push(payload)
        else this.#orClose(() => this.#handle(state.room, decodeMessage(payload), payload))
        return
      case 'closed':
        return
      default:
        state satisfies never
    }
  }

  /** The socket's buffer has been emptied. */
  drained(): void {
    if (this.#state.name !== 'live') return
    const { room } = this.#state
    this.#orClose(() => this.#answers.give())
    if (this.closed) return
    room.drained(this)
    this.sendAck()
    this.sendMark()
  }

  /** Nothing the client sends is taken any more; what was taken is still acknowledged. */
  stopReading(): void {
    this.#deaf = true
  }

  /** Ends the session from our side. */
  close(code: number, reason: string): void {
    if (this.closed) return
    const denied = code === Code.forbidden || code === Code.unauthenticated
    if (denied && !this.extended) this.#deny(reason)
    this.#transport.close(code, reason)
    this.ended()
  }

  /** The connection is gone, from whichever side. Idempotent. */
  ended(): void {
    const state = this.#state
    if (state.name === 'closed') return
    this.#state = { name: 'closed' }
    this.#deps.slow.forget(this)
    this.#answers.dispose()
    if (this.#givingUp) clearTimeout(this.#givingUp)
    if (state.name === 'live') state.room.leave(this)
  }

  // What is asked for answers (Asker).

  content(stateVector: Uint8Array): Answer | null {
    return this.#state.name === 'live' ? this.#state.room.answer(this, stateVector, this.#resumesFrom) : null
  }

  answered(): void {
    this.#resumesFrom = 0
    this.#answered = true
    this.sendMark()
  }

  present(): Uint8Array | null {
    return this.#state.name === 'live' ? this.#state.room.everyone() : null
  }

  later(task: () => void): void {
    this.#orClose(task)
  }

  // What a room calls (Member).

  write(frames: readonly Uint8Array[]): void {
    this.#transport.write(frames)
  }

  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    this.#transport.stream(pieces)
  }

  acknowledge(message: number): void {
    this.#durable = message
    this.sendAck()
  }

  refuse(message: number, { code, reason }: Refused): void {
    if (this.#transport.full) {
      // It would have to be told more than it reads.
      this.close(code, reason)
      return
    }
    this.#deps.counters.reject(code)
    if (this.extended) {
      this.#reject(message, code, reason)
    } else if (code !== Code.forbidden) {
      this.#deny(reason)
      this.close(code, reason)
    } else if (!this.#toldReadOnly) {
      this.#toldReadOnly = true
      this.#deny(reason)
    }
  }

  goOn(): void {
    const held = this.#held ?? []
    this.#held = null
    if (this.#givingUp) clearTimeout(this.#givingUp)
    this.#givingUp = null
    for (const payload of held) this.receive(payload)
    this.#orClose(() => this.#answers.give())
    if (!this.#held && !this.closed) this.#transport.resume()
  }

  probe(): void {
    this.#transport.probe()
  }

  requestMissing(stateVector: Uint8Array): void {
    this.#transport.write([frame(encodeMessage({ type: 'syncStep1', stateVector }))])
  }

  /** Tells the client how far its messages have come, if it doesn't know (PROTOCOL X4). */
  sendAck(): void {
    if (!this.extended || this.#state.name !== 'live' || this.congested) return
    const [received, durable] = [this.#received, this.#durable]
    if (received === this.#told.received && durable === this.#told.durable) return
    this.#ack()
  }

  /** Tells the client a mark, if there is a new one: so that it can resume from there (PROTOCOL X3, X4). */
  sendMark(): void {
    if (!this.extended || this.congested) return
    const mark = this.#mark()
    if (mark > this.#told.mark) this.#ack()
  }

  #ack(): void {
    const [received, durable, mark] = [this.#received, this.#durable, this.#mark()]
    this.#told = { received, durable, mark: Math.max(mark, this.#told.mark) }
    this.#transport.write([frame(encodeMessage({ type: 'ack', received, durable, mark }))])
  }

  #mark(): number {
    // What may be lost after all mustn't be a mark: the numbers would be given out again.
    if (this.#deps.durability !== 'fsync') return 0
    return this.#state.name === 'live' && this.#answered ? this.#state.room.mark(this) : 0
  }

  #hello(room: Room): Message {
    return {
      type: 'hello',
      generation: room.generation,
      seq: room.durable,
      access: this.#permission.access,
      durability: this.#deps.durability,
      maxMessageBytes: this.#deps.maxMessageBytes,
    }
  }

  #deny(reason: string): void {
    this.#transport.write([frame(encodeMessage({ type: 'permissionDenied', reason }))])
  }

  /** What is wrong with a message ends the connection; anything else is a fault of ours and goes on. */
  #orClose(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (!(error instanceof InkwireError)) throw error
      if (error.code === 'INKWIRE_STORE_CLOSED') this.close(Code.restart, 'the server restarts')
      else this.close(Code.badMessage, error.message)
    }
  }

  /** Before it is let in, a client may only show a token; all else waits, and there can't be much of it. */
  #holdOrToken(state: State & { name: 'authorizing' }, payload: Uint8Array): void {
    state.bytes += payload.length
    if (state.bytes > this.#deps.limits.unauthorizedBytes) {
      this.close(Code.unauthenticated, 'too much sent before being let in')
      return
    }
    const message = decodeMessage(payload)
    if (message.type === 'token') this.#showToken(message.token)
    else state.waiting.push(payload)
  }

  #hold(state: State & { name: 'opening' }, payload: Uint8Array): void {
    this.#transport.pause()
    state.bytes += payload.length
    if (state.bytes > LARGEST_WAIT_BYTES) {
      this.close(Code.tryLater, 'too much sent before the document was open')
      return
    }
    state.waiting.push(payload)
  }

  #handle(room: Room, message: Message, payload: Uint8Array): void {
    switch (message.type) {
      case 'syncStep1':
        this.#answers.askedForContent(message.stateVector)
        return
      case 'syncStep2':
      case 'update':
        this.#takeUpdate(room, message.update, payload, message.type === 'syncStep2')
        return
      case 'awareness':
        this.#present(room, message.update)
        return
      case 'queryAwareness':
        this.#answers.askedForPresence()
        return
      case 'join':
        if (message.generation !== '' && message.generation !== room.generation) {
          this.close(Code.generationChanged, 'this is the history of another generation')
        } else if (message.generation !== '') this.#resumesFrom = message.seq
        return
      case 'initialContent':
        this.#seed(room, message.update)
        return
      case 'signal':
        this.#signal(room, message.data)
        return
      case 'token':
        this.#showToken(message.token)
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

  #takeUpdate(room: Room, update: Uint8Array, payload: Uint8Array, reoffered: boolean): void {
    const refusal = this.#deps.refuseUpdates()
    if (refusal !== null) {
      this.close(Code.storageUnavailable, refusal)
      return
    }
    this.#received++
    const { mayWrite } = this
    if (room.receive(this, this.#received, update, { mayWrite, reoffered })) {
      if (this.extended && this.#durable < this.#received) this.#deps.slow.watch(this)
      return
    }
    this.#received--
    this.#held = [payload]
    this.#transport.pause()
    this.#givingUp = setTimeout(() => {
      this.close(Code.tryLater, 'what this waited for did not come in time')
    }, this.#deps.limits.foreignEditsMs)
  }

  #seed(room: Room, update: Uint8Array): void {
    const refusal = this.#deps.refuseUpdates()
    if (refusal !== null) this.close(Code.storageUnavailable, refusal)
    else if (this.mayWrite) room.seed(this, update)
  }

  #present(room: Room, update: Uint8Array): void {
    this.#deps.counters.presenceIn++
    this.#events.presence()
    const refusal = room.present(this, update)
    if (refusal === null) return
    const { code, reason } = refusal
    this.#deps.counters.reject(code)
    if (!this.extended || this.#toldPresence.has(reason)) return
    this.#toldPresence.add(reason)
    this.#reject(0, code, reason)
  }

  #signal(room: Room, data: Uint8Array): void {
    const refusal = this.#refusalOf(data) ?? room.signal(this, data)
    if (refusal === null) return
    this.#deps.counters.reject(refusal.code)
    // Who is told more than it reads is told nothing: nobody waits for this.
    if (this.extended && !this.congested) this.#reject(0, refusal.code, refusal.reason)
  }

  #refusalOf(data: Uint8Array): Refused | null {
    if (data.length > this.#deps.limits.signalBytes) return { code: Code.tooBig, reason: 'too long' }
    if (this.#signals.tryTake(this.#deps.clock())) return null
    return { code: Code.tooFast, reason: 'too many signals' }
  }

  #showToken(token: string): void {
    // To check one takes work in proportion to its length.
    const tooLong = token.length > this.#deps.limits.unauthorizedBytes
    if (tooLong) this.close(Code.unauthenticated, 'the token is too long')
    else if (this.#tokens.tryTake(this.#deps.clock())) this.#events.token(token)
    else this.close(Code.tooFast, 'too many tokens')
  }

  #reject(message: number, code: number, reason: string): void {
    this.#transport.write([frame(encodeMessage({ type: 'rejection', message, code, reason }))])
  }
}
