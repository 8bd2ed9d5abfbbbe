import type { IncomingHttpHeaders } from 'node:http'
import { Code } from '../../shared/codes.js'
import type { Emitter, ServerEvents } from '../events.js'
import type { Doorway } from '../limits/doorway.js'
import type { Counters } from '../observe/counters.js'
import type { Log, LogFields } from '../observe/log.js'
import type { Rooms } from '../room/rooms.js'
import { whyUnreadable } from '../room/unreadable.js'
import { Session, type SessionDeps, type Transport } from '../session/session.js'
import { Admission, type AdmissionDeps } from './admission.js'
import type { Guest } from './connections.js'

/** What all visits of a server share. */
export interface VisitDeps {
  readonly rooms: Rooms
  readonly counters: Counters
  readonly log: Log
  readonly events: Emitter<ServerEvents>
  readonly session: SessionDeps
  readonly doorway: Doorway
  readonly admission: AdmissionDeps
}

/** Who visits which document, and with what. */
export interface Visitor {
  /** Unique within the server. */
  readonly id: number
  readonly document: string
  /** Speaks `inkwire.1` (PROTOCOL X1). */
  readonly extended: boolean
  /** What came with the handshake. */
  readonly token: string | null
  readonly address: string
  readonly headers: IncomingHttpHeaders
  /** It said something about the presence of this many ids. */
  presence(entries: number): void
  /** It has left. */
  left?(): void
}

/**
 * One client on one document, from the gate to the room and out again, whatever carries it: its session, its
 * permission, its place among those whom the document and the user may have, and what the log and the app are told.
 */
export class Visit implements Guest {
  readonly session: Session
  readonly #visitor: Visitor
  readonly #deps: VisitDeps
  readonly #admission: Admission
  #leave: (() => void) | null = null
  #over = false

  /** Who made it calls {@link start}, and {@link ended} when the connection or the channel is gone. */
  constructor(transport: Transport, visitor: Visitor, deps: VisitDeps) {
    const { document, extended, token, address, headers } = visitor
    this.#visitor = visitor
    this.#deps = deps
    this.session = new Session(extended, transport, deps.session, {
      token: (shown) => this.#admission.token(shown),
      presence: (entries) => visitor.presence(entries),
    })
    const asked = { document, token, origin: headers.origin ?? null, address, headers }
    this.#admission = new Admission(this.session, asked, () => this.#admitted(), deps.admission)
  }

  visits(): readonly Visit[] {
    return [this]
  }

  get fields(): LogFields {
    const { id, document } = this.#visitor
    return { connection: id, document, user: this.session.user || undefined }
  }

  /** Asks whether it may come in, and lets it. */
  start(): void {
    const { counters, log, events } = this.#deps
    const { id, document, extended } = this.#visitor
    counters.members++
    log.debug({ connection: id, document, extended }, 'connected')
    events.emit('connect', { connection: id, document })
    this.#admission.start()
  }

  receive(payload: Uint8Array): void {
    if (!this.#admission.over) this.session.receive(payload)
  }

  drained(): void {
    this.session.drained()
  }

  stopReading(): void {
    this.session.stopReading()
  }

  close(code: number, reason: string): void {
    this.session.close(code, reason)
  }

  /** Idempotent. */
  ended(code: number): void {
    if (this.#over) return
    this.#over = true
    const { counters, log, events } = this.#deps
    const { id, document } = this.#visitor
    this.session.ended()
    this.#admission.dispose()
    this.#leave?.()
    this.#visitor.left?.()
    counters.members--
    log.debug({ connection: id, document, code }, 'disconnected')
    events.emit('disconnect', { connection: id, document, code })
  }

  #admitted(): void {
    const { doorway, rooms, log } = this.#deps
    const { session } = this
    const { document } = this.#visitor
    const { user } = session
    const refusal = doorway.enterDocument(document, user)
    if (refusal) {
      session.close(refusal.code, refusal.reason)
      return
    }
    this.#leave = () => doorway.leaveDocument(document, user)
    rooms.open(document).then(
      (room) => session.enter(room),
      (error: unknown) => {
        const { code, reason } = whyUnreadable(error)
        // While the server stops nobody can come in, and nothing is wrong.
        if (code !== Code.restart) log.error({ document, err: error }, 'document could not be loaded')
        session.close(code, reason)
      },
    )
  }
}
