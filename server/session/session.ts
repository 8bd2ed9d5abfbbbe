import { decodeMessage } from '../../shared/codec.js'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import { Bucket } from '../limits/bucket.js'
import type { Room } from '../room/room.js'
import { Backlog } from './backlog.js'
import type { Host, Permission, SessionDeps, SessionEvents, Transport } from './contract.js'
import { Participant } from './participant.js'
import { deny } from './refusals.js'
import { say } from './say.js'

export type { Permission, SessionDeps, SessionEvents, SlowCommits, Transport } from './contract.js'

type State =
  /** Nobody knows yet whether the client may come in. */
  | { readonly name: 'authorizing'; readonly waiting: Backlog }
  /** It may; the document is being loaded. */
  | { readonly name: 'opening'; readonly waiting: Backlog }
  | { readonly name: 'live'; readonly participant: Participant }
  /** It is out of its room; what its connection ends with isn't known yet. */
  | { readonly name: 'dismissed' }
  | { readonly name: 'closed' }

/**
 * What a client may have sent before its document is loaded, bytes. Reading stops meanwhile; this was on its way
 * already.
 */
const LARGEST_WAIT_BYTES = 32 * 1024 * 1024

/** One client on one document, from its first byte to its last: whether it is let in, what it may do, and its end. */
export class Session implements Host {
  /** Speaks `inkwire.1` (PROTOCOL X1). */
  readonly extended: boolean
  readonly #transport: Transport
  readonly #deps: SessionDeps
  readonly #events: SessionEvents
  #state: State = { name: 'authorizing', waiting: new Backlog() }
  #permission: Permission = { access: 'read', user: '' }
  readonly #tokens: Bucket
  #deaf = false

  constructor(extended: boolean, transport: Transport, deps: SessionDeps, events: SessionEvents) {
    this.extended = extended
    this.#transport = transport
    this.#deps = deps
    this.#events = events
    const { tokensPerMinute } = deps.limits
    this.#tokens = new Bucket(tokensPerMinute / 60, tokensPerMinute, deps.clock())
  }

  /** The user's id; '' when nobody asked. */
  get user(): string {
    return this.#permission.user
  }

  get permission(): Permission {
    return this.#permission
  }

  get closed(): boolean {
    return this.#state.name === 'closed' || this.#state.name === 'dismissed'
  }

  /** Asks a client that speaks `inkwire.1` for a token (PROTOCOL X7). */
  askForToken(): void {
    say(this.#transport, { type: 'authenticate' })
  }

  /** The client may do this from now on; the first time, that lets it in. */
  permit(permission: Permission): void {
    const changed = permission.access !== this.#permission.access
    this.#permission = permission
    const state = this.#state
    if (state.name === 'authorizing') this.#state = { ...state, name: 'opening' }
    if (state.name === 'live' && changed) state.participant.permitted()
  }

  /** The document is loaded: lets the client in and works off what it has said meanwhile. */
  enter(room: Room): void {
    if (this.#state.name !== 'opening') return
    const { waiting } = this.#state
    const participant = new Participant(this, room, this.#transport, this.#deps)
    this.#state = { name: 'live', participant }
    participant.join()
    for (const payload of waiting.messages) {
      if (this.closed) return
      this.receive(payload)
    }
    if (!participant.waits) this.#transport.resume()
  }

  /**
   * One message has arrived. If something is wrong with it, the connection is closed (PROTOCOL W7). If anything is
   * thrown, it is a fault of ours.
   */
  receive(payload: Uint8Array): void {
    if (this.#deaf) return
    const state = this.#state
    switch (state.name) {
      case 'authorizing':
        this.orClose(() => this.#keepOrShow(state.waiting, payload))
        return
      case 'opening':
        this.#keep(state.waiting, payload)
        return
      case 'live':
        this.orClose(() => state.participant.receive(payload))
        return
      case 'dismissed':
      case 'closed':
        return
      default:
        state satisfies never
    }
  }

  /** The socket's buffer has been emptied. */
  drained(): void {
    if (this.#state.name === 'live') this.#state.participant.drained()
  }

  /** Tells the client a mark, if there is a new one (PROTOCOL X4). */
  sendMark(): void {
    if (this.#state.name === 'live') this.#state.participant.sendMark()
  }

  /** Nothing the client sends is taken any more; what was taken is still acknowledged. */
  stopReading(): void {
    this.#deaf = true
  }

  /** Ends the session from our side. */
  close(code: number, reason: string): void {
    if (this.#state.name === 'closed') return
    const denied = code === Code.forbidden || code === Code.unauthenticated
    if (denied && !this.extended) deny(this.#transport, reason)
    this.#transport.close(code, reason)
    this.ended()
  }

  /** The connection is gone, from whichever side. Idempotent. */
  ended(): void {
    const state = this.#state
    this.#state = { name: 'closed' }
    if (state.name === 'live') state.participant.leave()
  }

  // What its participant calls (Host).

  sawPresence(entries: number): void {
    this.#events.presence(entries)
  }

  /** The client shows a token, first or anew (PROTOCOL X8). */
  showToken(token: string): void {
    // To check one takes work in proportion to its length.
    const tooLong = token.length > this.#deps.limits.unauthorizedBytes
    if (tooLong) this.close(Code.unauthenticated, 'the token is too long')
    else if (this.#tokens.tryTake(this.#deps.clock())) this.#events.token(token)
    else this.close(Code.tooFast, 'too many tokens')
  }

  /** Out of the room, with the connection still open. What the client sends now it offers again when it comes back. */
  dismiss(): void {
    const state = this.#state
    if (state.name !== 'live') return
    this.#state = { name: 'dismissed' }
    state.participant.leave()
  }

  /** What is wrong with a message ends the connection; anything else is a fault of ours and goes on. */
  orClose(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (!(error instanceof InkwireError)) throw error
      if (error.code === 'INKWIRE_STORE_CLOSED') this.close(Code.restart, 'the server restarts')
      else this.close(Code.badMessage, error.message)
    }
  }

  /** Before it is let in, a client may only show a token; all else waits, and there can't be much of it. */
  #keepOrShow(waiting: Backlog, payload: Uint8Array): void {
    if (!waiting.count(payload, this.#deps.limits.unauthorizedBytes)) {
      this.close(Code.unauthenticated, 'too much sent before being let in')
      return
    }
    const message = decodeMessage(payload)
    if (message.type === 'token') this.showToken(message.token)
    else waiting.keep(payload)
  }

  #keep(waiting: Backlog, payload: Uint8Array): void {
    this.#transport.pause()
    if (waiting.count(payload, LARGEST_WAIT_BYTES)) waiting.keep(payload)
    else this.close(Code.tryLater, 'too much sent before the document was open')
  }
}
