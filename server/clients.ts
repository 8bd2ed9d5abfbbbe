import type { IncomingMessage } from 'node:http'
import { Code } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import { Admission, type AdmissionDeps } from './admission.js'
import { tokenOf } from './auth/credentials.js'
import { Revocations, type Revoked } from './auth/revocations.js'
import { Connection } from './connection.js'
import { type Client, Connections } from './connections.js'
import type { Emitter, ServerEvents } from './events.js'
import type { Admitted } from './gate/gate.js'
import { clientAddress, type Proxies } from './limits/address.js'
import type { Doorway, TurnedAway } from './limits/doorway.js'
import { Pace, type PaceDeps } from './limits/pace.js'
import { Sparing } from './limits/sparing.js'
import type { Counters } from './observe/counters.js'
import type { Log, LogFields } from './observe/log.js'
import { describeWithout } from './observe/redact.js'
import { Outflow } from './outflow.js'
import type { Rooms } from './room/rooms.js'
import { Session, type SessionDeps } from './session.js'

/** One reader may have this much waiting to be sent; beyond it, it is brought up later from the room's tail. */
const MAX_BUFFERED_BYTES = 1024 * 1024
/** How long clients get to answer our close frame. */
const CLOSE_GRACE_MS = 1000

/** HTTP's status for what can't be told by a close code. */
const TOO_MANY_REQUESTS = 429

/** What it takes to receive clients. */
export interface ClientsDeps {
  readonly rooms: Rooms
  readonly counters: Counters
  readonly log: Log
  readonly events: Emitter<ServerEvents>
  readonly session: SessionDeps
  readonly doorway: Doorway
  readonly proxies: Proxies
  readonly pace: PaceDeps
  readonly admission: Omit<AdmissionDeps, 'revocations' | 'onFailure'>
  /** The folder that holds the list of revoked users. */
  readonly folder: string
  /** Name of a cookie in which the token may come. */
  readonly cookie: string | undefined
  readonly heartbeatMs: number
  /** Milliseconds, monotonic. */
  readonly clock: () => number
}

/** Takes clients from the gate to their rooms, and knows all who are there. */
export class Clients {
  readonly #deps: ClientsDeps
  readonly #connections: Connections
  readonly #admissionDeps: AdmissionDeps
  readonly #sparing: Sparing<number>
  readonly #outflow = new Outflow(setImmediate)
  #revocations: Promise<Revocations> | null = null
  #lastId = 0
  #toldOfProxy = false

  constructor(deps: ClientsDeps) {
    this.#deps = deps
    this.#sparing = new Sparing(deps.clock)
    this.#connections = new Connections(deps.heartbeatMs, deps.clock)
    this.#admissionDeps = {
      ...deps.admission,
      revocations: () => this.#revoked(),
      onFailure: (error, { token, headers }) => {
        const err = describeWithout(error, [token, headers.authorization, headers.cookie])
        // All clients come back again and again while the service is down.
        this.#sparing.say(Code.tryLater, (unsaid) =>
          deps.log.error(
            { err, ...(unsaid > 0 ? { unsaid } : {}) },
            'authorization failed; clients are told to try again later',
          ),
        )
      },
    }
  }

  get size(): number {
    return this.#connections.size
  }

  /** Whom a request comes from, behind proxies of ours. */
  addressOf(request: IncomingMessage): string {
    const forwarded = request.headers['x-forwarded-for']
    const hops = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
    return clientAddress(request.socket.remoteAddress ?? '', hops, this.#deps.proxies)
  }

  /** Counts a connection in that is about to be received; why not, if there are too many. */
  admit(request: IncomingMessage): TurnedAway | null {
    const address = this.addressOf(request)
    if (request.headers['x-forwarded-for'] !== undefined) this.#checkProxy(request, address)
    return this.#deps.doorway.enter(address)
  }

  /** Whether a plain HTTP request is one too many of its address. */
  tooMany(request: IncomingMessage): boolean {
    if (this.#deps.doorway.request(this.addressOf(request))) return false
    this.refused(TOO_MANY_REQUESTS, 'too many requests from this address in a minute')
    return true
  }

  /** Somebody was turned away. */
  refused(code: number, reason: string): void {
    this.#deps.counters.reject(code)
    this.#warn(code, { reason }, 'connection refused')
  }

  /** Somebody came through the gate, and was {@link admit}ted. */
  receive({ ws, socket, request, name: document, extended }: Admitted): void {
    const { counters, log, events, doorway } = this.#deps
    const address = this.addressOf(request)
    const id = ++this.#lastId
    const connection: Connection = new Connection(
      ws,
      socket,
      {
        message: (payload) => pace.message(payload),
        pinged: () => pace.control(),
        read: (bytes) => pace.read(bytes),
        drained: () => session.drained(),
        failed: (err, code) => {
          counters.reject(code)
          const fields = { connection: id, document, user: session.user || undefined, reason: err.message }
          this.#warn(code, fields, 'connection failed')
        },
        closing: (code, reason) => {
          if (code === Code.restart) return
          counters.reject(code)
          const fields = { connection: id, document, user: session.user || undefined, reason }
          this.#warn(code, fields, 'connection closed by us')
        },
        ended: (code) => {
          pace.end()
          session.ended()
          admission.dispose()
          left?.()
          doorway.leave(address)
          this.#connections.delete(client)
          counters.connections--
          log.debug({ connection: id, document, code }, 'disconnected')
          events.emit('disconnect', { connection: id, document, code })
        },
      },
      { counters, maxBufferedBytes: MAX_BUFFERED_BYTES, outflow: this.#outflow },
    )
    const pace: Pace = new Pace(
      {
        handle: (payload) => {
          if (!admission.over) session.receive(payload)
        },
        hold: () => connection.hold(),
        release: () => connection.release(),
      },
      this.#deps.pace,
    )
    const session: Session = new Session(extended, connection, this.#deps.session, {
      token: (token) => admission.token(token),
      presence: () => pace.presence(),
    })
    const asked = {
      document,
      token: tokenOf(request, this.#deps.cookie),
      origin: request.headers.origin ?? null,
      address,
      headers: request.headers,
    }
    let left: (() => void) | null = null
    const admission: Admission = new Admission(
      session,
      asked,
      () => {
        const { user } = session
        const refusal = doorway.enterDocument(document, user)
        if (refusal) {
          session.close(refusal.code, refusal.reason)
          return
        }
        left = () => doorway.leaveDocument(document, user)
        this.#enter(session, document)
      },
      this.#admissionDeps,
    )
    const client: Client = { id, document, connection, session }
    this.#connections.add(client)
    counters.connections++
    counters.connectionsTotal++
    log.debug({ connection: id, document, extended }, 'connected')
    events.emit('connect', { connection: id, document })
    admission.start()
  }

  /**
   * Closes a user's connections and refuses what credentials it has; resolves when that is on disk.
   *
   * @returns how many were closed.
   * @throws InkwireError INKWIRE_BAD_OPTION for '', which is everybody whom nobody asked; INKWIRE_NOT_SAVED when it
   *   holds until the server stops only.
   */
  async revoke(user: string): Promise<{ readonly closed: number }> {
    const saved = (await this.#revoked()).revoke(user, this.#deps.admission.now())
    let closed = 0
    for (const { session } of [...this.#connections]) {
      if (session.user !== user || user === '') continue
      session.close(Code.forbidden, 'access was revoked')
      closed++
    }
    await saved.catch((cause: Error) => {
      if (cause instanceof InkwireError) throw cause
      const what = `"${user}" is out, but may be back when the server restarts: ${cause.message}`
      throw new InkwireError('INKWIRE_NOT_SAVED', what, { cause })
    })
    return { closed }
  }

  /** Takes a revocation back; whether there was one. */
  async unrevoke(user: string): Promise<boolean> {
    return (await this.#revoked()).restore(user)
  }

  /** Who is revoked, the latest last. */
  async revoked(): Promise<Revoked[]> {
    return (await this.#revoked()).list()
  }

  /** Takes nothing from anybody any more; acks still go out. */
  stopReading(): void {
    for (const { session } of this.#connections) session.stopReading()
  }

  /** Tells all to come back later; resolves when everybody is gone. */
  close(): Promise<void> {
    return this.#connections.closeAll(Code.restart, 'the server restarts', CLOSE_GRACE_MS)
  }

  /** Said once: a proxy of which nobody told the server makes all its clients one, or exempts them from limits. */
  #checkProxy({ socket: { remoteAddress: peer = '' } }: IncomingMessage, address: string): void {
    if (this.#toldOfProxy || clientAddress(peer, undefined, this.#deps.proxies) !== address) return
    this.#toldOfProxy = true
    this.#deps.log.warn(
      { peer },
      'X-Forwarded-For is not believed: limits per address need --trusted-proxy (trustedProxies) with the proxy’s address',
    )
  }

  /** A flood of bad connections must not become one of log lines. */
  #warn(code: number, fields: LogFields, message: string): void {
    this.#sparing.say(code, (unsaid) => {
      this.#deps.log.warn({ ...fields, code, ...(unsaid > 0 ? { unsaid } : {}) }, message)
    })
  }

  #enter(session: Session, document: string): void {
    this.#deps.rooms.open(document).then(
      (room) => session.enter(room),
      (error: unknown) => {
        this.#deps.log.error({ document, err: error }, 'document could not be loaded')
        const { code, reason } = whyNot(error)
        session.close(code, reason)
      },
    )
  }

  /** The list of revoked users, read when it is first needed; a failure is tried again by the next. */
  #revoked(): Promise<Revocations> {
    this.#revocations ??= Revocations.load(this.#deps.folder).catch((error: unknown) => {
      this.#revocations = null
      throw error
    })
    return this.#revocations
  }
}

/** What a client is told when its document could not be loaded. */
const whyNot = (error: unknown): { code: number; reason: string } => {
  switch (error instanceof InkwireError ? error.code : '') {
    case 'INKWIRE_DOCUMENT_DAMAGED':
    case 'INKWIRE_STORE_FORMAT':
      return { code: Code.documentDamaged, reason: (error as InkwireError).message }
    case 'INKWIRE_STORE_CLOSED':
      return { code: Code.restart, reason: 'the server restarts' }
    default:
      return { code: Code.storageUnavailable, reason: 'the document could not be read' }
  }
}
