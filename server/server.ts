import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { Code } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import { everybody } from './auth/authorize.js'
import type { Revoked } from './auth/revocations.js'
import { Clients } from './clients.js'
import { parseOptions, type ServerConfig, type ServerOptions } from './config.js'
import { type Control, createControl } from './control/control.js'
import { Documents } from './documents.js'
import { type Address, Emitter, type ServerEvents } from './events.js'
import { Gate } from './gate/gate.js'
import { createHttpApp } from './http/app.js'
import type { Journal, UnsavedReport } from './journal/journal.js'
import { type LevelJournal, openLevelJournal } from './journal/level.js'
import type { Finding } from './journal/verify.js'
import { type Proxies, proxiesFrom } from './limits/address.js'
import { Doorway } from './limits/doorway.js'
import { limitSockets } from './limits/sockets.js'
import { Turnstile } from './limits/turnstile.js'
import { Counters } from './observe/counters.js'
import { createLog, type Log } from './observe/log.js'
import { createMetrics, type Metrics } from './observe/metrics.js'
import { createRoomLoader } from './room/load.js'
import { Rooms } from './room/rooms.js'
import { Turns } from './room/turns.js'
import { createSlowCommits } from './slow-commits.js'
import { createWorkerPool, type WorkerPool } from './worker/pool.js'

/** Updates that wait for the disk while the store fails, bytes; past it authors are told to hold (4503). */
const MAX_UNSAVED_BYTES = 64 * 1024 * 1024
/**
 * With so much waiting for the disk, bytes, those who send a lot are read no further until it has caught up: commits
 * stay small enough for those who type between them.
 */
const CLOGGED_BYTES = 512 * 1024
/** How often to look whether it has, ms. */
const CLOGGED_MS = 2

/**
 * A collaborative editing server for Yjs. Several can live in one process; they share nothing.
 *
 * @example
 *   const server = createServer({ port: 0, data: './documents' })
 *   const { url } = await server.listen()
 *   …
 *   const { unsaved } = await server.close()
 */
export interface InkwireServer {
  /**
   * Opens the store and listens.
   *
   * @throws InkwireError INKWIRE_STORE_LOCKED when another process has the data folder open,
   *   INKWIRE_STORE_FAILED when it can't be read or written; INKWIRE_STORE_FORMAT when it, or the list of revoked
   *   users, can't be understood; Node's own error when the address can't be bound.
   */
  listen(): Promise<Address>
  /**
   * Takes an upgrade request of an HTTP server of yours, instead of {@link listen}.
   *
   * @example
   *   http.createServer(app).on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head))
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Health, metrics and the demo, to be called from an HTTP server of yours. */
  readonly requestHandler: RequestListener
  /** Calls `listener` at each such event until the returned function is called. */
  on<Name extends keyof ServerEvents>(name: Name, listener: (event: ServerEvents[Name]) => void): () => void
  /** Whether documents can be opened and saved right now, and why not: what `/readyz` says. */
  readiness(): Readiness
  /** The documents, for the app around the server. */
  readonly documents: Documents
  /**
   * Closes a user's connections with 4403 and refuses the credentials that were issued to them so far; kept over
   * restarts. `inkwire revoke` and the control socket do the same from outside.
   *
   * @returns how many connections were closed, once it is on disk.
   * @throws InkwireError INKWIRE_BAD_OPTION for an empty name; INKWIRE_NOT_SAVED when it holds only until the server
   *   stops.
   * @example
   *   await server.revoke('eve')
   */
  revoke(user: string): Promise<{ readonly closed: number }>
  /** Takes a revocation back: older credentials count again. Returns whether there was one. */
  unrevoke(user: string): Promise<boolean>
  /** Who is revoked, and since when; the latest last. */
  revoked(): Promise<readonly Revoked[]>
  /**
   * Stops: takes nothing new, commits what it has (for at most `shutdownTimeoutMs`), tells clients to come back
   * later (1012) and closes the store. Idempotent.
   *
   * @returns what could not be saved, by document; empty when all went well.
   */
  close(): Promise<UnsavedReport>
}

/** What `/readyz` says. */
export interface Readiness {
  readonly ready: boolean
  /** Why not, in plain words. */
  readonly reasons: readonly string[]
  /** Documents that were found damaged and are refused with 4410; all others are served. */
  readonly damaged: readonly { readonly document: string; readonly reason: string }[]
}

/**
 * Makes a server; nothing is opened before {@link InkwireServer.listen} or the first upgrade.
 *
 * @throws InkwireError INKWIRE_BAD_OPTION
 * @example
 *   const server = createServer({ port: 1234, data: './data' })
 *   const { url } = await server.listen()
 */
export const createServer = (options: ServerOptions = {}): InkwireServer =>
  new ComposedServer(parseOptions(options))

/** Puts the house together and takes it down; every rule lives in the parts. */
class ComposedServer implements InkwireServer {
  readonly requestHandler: RequestListener
  readonly documents: Documents
  readonly #config: ServerConfig
  readonly #log: Log
  readonly #counters = new Counters()
  readonly #metrics: Metrics
  readonly #events = new Emitter<ServerEvents>()
  readonly #pool: WorkerPool
  readonly #rooms: Rooms
  readonly #clients: Clients
  readonly #slowCommits = createSlowCommits()
  readonly #gate: Gate
  readonly #proxies: Proxies
  readonly #control: Control
  #journal: Journal | null = null
  #opening: Promise<LevelJournal> | null = null
  #http: Server | null = null
  #closing: Promise<UnsavedReport> | null = null

  constructor(config: ServerConfig) {
    this.#config = config
    this.#proxies = proxiesFrom(config.trustedProxies)
    this.#log = config.logger ?? createLog(config.logLevel)
    this.#metrics = createMetrics({ counters: this.#counters, ready: () => this.readiness().ready })
    this.#pool = createWorkerPool({ timeoutMs: config.workerTimeoutMs, memoryMb: config.workerMemoryMb })
    const clock = () => performance.now()
    const { limits } = config
    this.#rooms = new Rooms({
      load: createRoomLoader({
        journal: () => this.#open(),
        compact: (job) => this.#pool.compact(job),
        shared: {
          turns: new Turns(),
          clock,
          now: Date.now,
          counters: this.#counters,
          onFlush: (updates, ms) => {
            this.#metrics.flushSize.observe(updates)
            this.#metrics.flushCost.observe(ms / 1000)
          },
          presence: {
            idsPerMember: limits.presenceIds,
            stateBytes: limits.presenceStateBytes,
            memberBytes: limits.presenceBytes,
            roomBytes: limits.presenceDocumentBytes,
          },
          maxDocumentBytes: limits.maxDocumentBytes,
        },
        onCompactionError: (document, err, final) => this.#compactionFailed(document, err, final),
      }),
      lingerMs: config.roomLingerMs,
      counters: this.#counters,
      opened: ({ name, generation }) => this.#events.emit('open', { document: name, generation }),
      left: (document) => this.#events.emit('unload', { document }),
    })
    this.documents = new Documents({
      journal: () => this.#open(),
      rooms: this.#rooms,
      pool: this.#pool,
      revoke: (user) => this.revoke(user),
    })
    this.#control = createControl({
      documents: this.documents,
      users: this,
      stored: async (name) => (await this.#open()).read(name),
      verify: () => this.#verify(),
      log: this.#log,
    })
    this.#clients = new Clients({
      rooms: this.#rooms,
      counters: this.#counters,
      log: this.#log,
      events: this.#events,
      session: {
        counters: this.#counters,
        durability: config.durability,
        maxMessageBytes: config.maxMessageBytes,
        slow: this.#slowCommits,
        refuseUpdates: () => this.#tooMuchUnsaved(),
        limits,
        clock,
      },
      doorway: new Doorway(limits, clock),
      proxies: this.#proxies,
      pace: {
        limits,
        turnstile: new Turnstile({
          soon: setImmediate,
          later: (task) => setTimeout(task, CLOGGED_MS),
          clogged: () => this.#clogged(),
        }),
        clock,
        onSlowed: () => {
          this.#counters.slowed++
        },
      },
      admission: { authorize: config.authorize, timeoutMs: config.authTimeoutMs, now: Date.now },
      folder: config.data,
      cookie: config.authCookie,
      heartbeatMs: config.heartbeatMs,
      clock,
    })
    this.#gate = new Gate({
      pathPrefix: config.pathPrefix,
      maxMessageBytes: config.maxMessageBytes,
      allowedOrigins: config.allowedOrigins,
      open: config.authorize === everybody,
      refuse: (request) =>
        this.#closing ? { code: Code.restart, reason: 'the server restarts' } : this.#clients.admit(request),
      admitted: (who) => this.#clients.receive(who),
      refused: (code, reason) => this.#clients.refused(code, reason),
    })
    this.requestHandler = createHttpApp({
      readiness: () => this.readiness(),
      metrics: () => this.#metrics.render(),
      tooMany: (request) => this.#clients.tooMany(request),
      demo: config.demo,
      pathPrefix: config.pathPrefix,
      authorization: config.authorize !== everybody,
      log: this.#log,
    })
  }

  on<Name extends keyof ServerEvents>(name: Name, listener: (event: ServerEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  async listen(): Promise<Address> {
    if (this.#closing) throw new InkwireError('INKWIRE_DESTROYED', 'this server has been closed')
    await this.#open()
    // One that can't tell who is revoked must not even start.
    await this.revoked().catch(async (error: unknown) => {
      await this.close()
      throw error
    })
    const http = createHttpServer({ connectionsCheckingInterval: 500 }, this.requestHandler)
    const { limits } = this.#config
    http.headersTimeout = limits.handshakeTimeoutMs
    limitSockets(http, limits, this.#proxies, () => this.#clients.refused(Code.tooFast, 'too many sockets'))
    http.on('upgrade', (request, socket, head) => this.handleUpgrade(request, socket, head))
    this.#http = http
    try {
      await new Promise<void>((resolve, reject) => {
        http.once('error', reject)
        http.listen(this.#config.port, this.#config.host, () => resolve())
      })
    } catch (error) {
      // Nobody can connect: give the data folder back.
      await this.close()
      throw error
    }
    const { address, family, port } = http.address() as AddressInfo
    const host = this.#config.host
    const url = `http://${family === 'IPv6' && !host.includes('.') && host.includes(':') ? `[${address}]` : host}:${port}`
    this.#log.info({ url, data: this.#config.data, durability: this.#config.durability }, 'listening')
    this.#events.emit('listening', { host, port, url })
    return { host, port, url }
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#gate.handleUpgrade(request, socket, head)
  }

  revoke(user: string): Promise<{ readonly closed: number }> {
    return this.#clients.revoke(user)
  }

  unrevoke(user: string): Promise<boolean> {
    return this.#clients.unrevoke(user)
  }

  revoked(): Promise<readonly Revoked[]> {
    return this.#clients.revoked()
  }

  readiness(): Readiness {
    const reasons: string[] = []
    if (this.#closing) reasons.push('the server is stopping')
    const state = this.#journal?.state
    if (!state) reasons.push('the store is not open yet')
    else if (state.status === 'failing') reasons.push(`the store does not take writes: ${state.reason}`)
    else if (state.status === 'closed' && !this.#closing) reasons.push('the store is closed')
    const damaged = [...(this.#journal?.quarantined ?? [])].map(([document, reason]) => ({
      document,
      reason,
    }))
    return { ready: reasons.length === 0, reasons, damaged }
  }

  close(): Promise<UnsavedReport> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async *#verify(): AsyncGenerator<Finding, void, void> {
    yield* (await this.#open()).verify()
  }

  /** The store, opened by whoever needs it first. A failure is forgotten, so that the next one tries again. */
  #open(): Promise<LevelJournal> {
    this.#opening ??= openLevelJournal({
      directory: this.#config.data,
      durability: this.#config.durability,
      logger: this.#log,
      onCommit: (commit) => this.#metrics.committed(commit),
    }).then(
      async (journal) => {
        this.#journal = journal
        journal.onState((state) => {
          if (state.status === 'failing')
            this.#log.error({ reason: state.reason }, 'the store does not take writes')
          if (state.status === 'ok') this.#log.info({}, 'the store takes writes again')
          this.#events.emit('storage', state)
        })
        await this.#control.listen(this.#config.data)
        return journal
      },
      (error: unknown) => {
        this.#opening = null
        throw error
      },
    )
    return this.#opening
  }

  /** More comes in than the disk takes. While the store fails, authors aren't kept waiting but told. */
  #clogged(): boolean {
    const journal = this.#journal
    return journal !== null && journal.queuedBytes > CLOGGED_BYTES && journal.state.status === 'ok'
  }

  /** While the store fails, updates wait in memory: up to a limit, then authors have to hold theirs. */
  #tooMuchUnsaved(): string | null {
    const queued = this.#journal?.queuedBytes ?? 0
    return queued > MAX_UNSAVED_BYTES ? 'too much is waiting for the disk; hold your edits' : null
  }

  #compactionFailed(document: string, err: unknown, final: boolean): void {
    if (this.#closing) return
    if (final)
      this.#log.error({ document, err }, 'compaction failed too often; the document is served from its tail')
    else this.#log.warn({ document, err }, 'compaction failed; it will be tried again')
  }

  async #close(): Promise<UnsavedReport> {
    this.#log.info({ connections: this.#clients.size, rooms: this.#rooms.size }, 'stopping')
    const http = this.#http
    const httpClosed = http && new Promise<void>((resolve) => http.close(() => resolve()))
    http?.closeIdleConnections()
    // From here on nothing new is taken, so that what is reported as saved is all there is.
    this.#clients.stopReading()
    for (const room of this.#rooms) room.flush()
    const journal = (await this.#opening?.catch(() => null)) ?? null
    await this.#control.close()
    // Acks of the last commits go out before the close frames.
    const report = (await journal?.close(this.#config.shutdownTimeoutMs)) ?? { unsaved: [] }
    await this.#clients.close()
    this.#rooms.disposeAll()
    this.#slowCommits.dispose()
    await this.#pool.destroy()
    http?.closeAllConnections()
    await httpClosed
    this.#metrics.close()
    for (const { name, updates } of report.unsaved) this.#log.error({ document: name, updates }, 'not saved')
    this.#log.info({ unsaved: report.unsaved.length }, 'stopped')
    return report
  }
}
