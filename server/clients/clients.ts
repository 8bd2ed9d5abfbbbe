import type { IncomingMessage } from 'node:http'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import { tokenOf } from '../auth/credentials.js'
import { Revocations, type Revoked } from '../auth/revocations.js'
import type { Admitted } from '../gate/gate.js'
import { documentName } from '../gate/name.js'
import { clientAddress, type Proxies } from '../limits/address.js'
import type { TurnedAway } from '../limits/doorway.js'
import { Pace, type PaceDeps } from '../limits/pace.js'
import { Sparing } from '../limits/sparing.js'
import type { LogFields } from '../observe/log.js'
import { describeWithout } from '../observe/redact.js'
import type { Transport } from '../session/session.js'
import type { AdmissionDeps } from './admission.js'
import { Connection } from './connection.js'
import { type Client, Connections, type Guest } from './connections.js'
import { Trunk } from './trunk.js'
import { Visit, type VisitDeps, type Visitor } from './visit.js'

/** How long clients get to answer our close frame. */
const CLOSE_GRACE_MS = 1000

/** How many other messages the opening of a channel counts for: it takes a tenth of a millisecond. */
const OPENING_WEIGHS = 25

/** HTTP's status for what can't be told by a close code. */
const TOO_MANY_REQUESTS = 429

/** What it takes to receive clients. */
export interface ClientsDeps extends Omit<VisitDeps, 'admission'> {
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

/** Where a client comes from: what goes for all documents of its connection. */
interface Origin extends Pick<Visitor, 'address' | 'headers' | 'presence'> {
  /** The target of its request, where a token may be. */
  readonly url: string
  /** The message that it sent takes as much work as this many. */
  weighs(messages: number): void
}

/** Takes clients from the gate to their rooms, and knows all who are there. */
export class Clients {
  readonly #deps: ClientsDeps
  readonly #connections: Connections
  readonly #visits: VisitDeps
  readonly #sparing: Sparing<number>
  #revocations: Promise<Revocations> | null = null
  #lastId = 0
  #toldOfProxy = false

  constructor(deps: ClientsDeps) {
    this.#deps = deps
    this.#sparing = new Sparing(deps.clock)
    this.#connections = new Connections(deps.heartbeatMs, deps.clock)
    const admission: AdmissionDeps = {
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
    this.#visits = { ...deps, admission }
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

  /**
   * Counts in a connection that is about to be received. Returns why not, if there are too many; null if it is counted
   * in.
   */
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

  /** Somebody was turned away. Who comes while the server stops is no news: all come back then. */
  refused(code: number, reason: string): void {
    if (code === Code.restart) return
    this.#deps.counters.reject(code)
    this.#warn(code, { reason }, 'connection refused')
  }

  /** Somebody came through the gate, and was {@link admit}ted. */
  receive({ wire, request, wanted }: Admitted): void {
    const { counters, doorway } = this.#deps
    const address = this.addressOf(request)
    const connection: Connection = new Connection(wire, {
      message: (payload) => pace.message(payload),
      pinged: () => pace.control(),
      read: (bytes) => pace.read(bytes),
      drained: () => guest.drained(),
      failed: (err, code) => {
        counters.reject(code)
        this.#warn(code, { ...guest.fields, reason: err.message }, 'connection failed')
      },
      closing: (code, reason) => this.#closing({ code, reason }, guest.fields),
      ended: (code) => {
        pace.end()
        guest.ended(code)
        doorway.leave(address)
        this.#connections.delete(client)
        counters.connections--
      },
    })
    const pace: Pace = new Pace(
      {
        handle: (payload) => guest.receive(payload),
        hold: () => connection.hold(),
        release: () => connection.release(),
      },
      this.#deps.pace,
    )
    // Several documents write to this socket, and their rooms flush together: that becomes one write.
    if (wanted === null) wire.line.gather()
    const { headers, url = '/' } = request
    const origin = {
      address,
      headers,
      url,
      presence: (entries: number) => pace.presence(entries),
      weighs: (messages: number) => pace.weighs(messages),
    }
    const guest: Guest = wanted
      ? this.#visit(connection, { ...origin, ...wanted })
      : this.#trunk(connection, origin)
    const client: Client = { connection, guest }
    this.#connections.add(client)
    counters.connections++
    counters.connectionsTotal++
    guest.start()
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
    for (const { session } of [...this.#connections].flatMap(({ guest }) => [...guest.visits()])) {
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
    for (const { guest } of this.#connections) guest.stopReading()
  }

  /** Tells all to come back later; resolves when everybody is gone. */
  close(): Promise<void> {
    return this.#connections.closeAll(Code.restart, 'the server restarts', CLOSE_GRACE_MS)
  }

  /**
   * Warns once of a proxy that isn't in the settings: all its clients count as one address, or as none that is limited.
   */
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

  #closing({ code, reason }: TurnedAway, fields: LogFields): void {
    if (code === Code.restart) return
    this.#deps.counters.reject(code)
    this.#warn(code, { ...fields, reason }, 'connection closed by us')
  }

  #visit(transport: Transport, { url, ...who }: Origin & Omit<Visitor, 'id' | 'token'>): Visit {
    const token = tokenOf({ url, headers: who.headers }, this.#deps.cookie)
    return new Visit(transport, { ...who, id: ++this.#lastId, token }, this.#visits)
  }

  #trunk(connection: Transport, origin: Origin): Trunk {
    const { doorway, pace } = this.#deps
    const { address } = origin
    return new Trunk(connection, {
      maxChannels: pace.limits.maxChannelsPerConnection,
      receive: (target, extended, channel) => {
        // As if the request had been one for this document.
        const url = `/${target}`
        const document = orTurnedAway(() => documentName(url, '/'))
        if (typeof document !== 'string') return document
        const left = (): void => doorway.leaveChannel(address)
        return (
          doorway.enterChannel(address) ?? this.#visit(channel, { ...origin, url, document, extended, left })
        )
      },
      opening: () => origin.weighs(OPENING_WEIGHS),
      ending: (why, guest) => this.#closing(why, guest?.fields ?? {}),
    })
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

/** PROTOCOL W2. */
const orTurnedAway = (name: () => string): string | TurnedAway => {
  try {
    return name()
  } catch (error) {
    if (!(error instanceof InkwireError)) throw error
    return { code: Code.noSuchDocument, reason: error.message }
  }
}
