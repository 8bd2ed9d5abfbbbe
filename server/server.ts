import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { Code } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import { everybody } from './auth/authorize.js'
import type { Revoked } from './auth/revocations.js'
import { Clients } from './clients.js'
import { parseOptions, type ServerConfig, type ServerOptions } from './config.js'
import { type Control, createControl } from './control/control.js'
import { openDataFolder } from './data-folder.js'
import { Documents } from './documents.js'
import { type Address, Emitter, type ServerEvents } from './events.js'
import { Gate } from './gate/gate.js'
import { createHttpApp } from './http/app.js'
import { createPacedServer } from './http/paced-server.js'
import type { InkwireServer } from './inkwire-server.js'
import type { UnsavedReport } from './journal/journal.js'
import type { LevelJournal } from './journal/level.js'
import type { Finding } from './journal/verify.js'
import { type Proxies, peerKey, proxiesFrom } from './limits/address.js'
import { Doorway } from './limits/doorway.js'
import { InTurns } from './limits/in-turns.js'
import { limitSockets } from './limits/sockets.js'
import { Turnstile } from './limits/turnstile.js'
import { listenAt } from './listening.js'
import { Counters } from './observe/counters.js'
import { createLog, type Log } from './observe/log.js'
import { createMetrics, type Metrics } from './observe/metrics.js'
import { type Readiness, readinessOf } from './readiness.js'
import { Holdings } from './room/holdings.js'
import { lightly } from './room/light-compaction.js'
import { createRoomLoader } from './room/load.js'
import { Rooms } from './room/rooms.js'
import { Turns } from './room/turns.js'
import { createSlowCommits } from './slow-commits.js'
import { Store } from './store.js'
import { warmUp } from './warm-up/warm-up.js'
import { Outflow } from './websocket/outflow.js'
import { createWorkerPool, type WorkerPool } from './worker/pool.js'

/** One reader may have this much waiting to be sent; beyond it, it is brought up later from the room's tail. */
const MAX_BUFFERED_BYTES = 1024 * 1024
/** What HTTP's parser, handshakes, and reading what sockets bring may take of a turn of the event loop, ms. */
const PARSING_MS = 4
const HANDSHAKES_MS = 4
const READING_MS = 8
/** How long a warm-up takes, ms. */
const WARM_UP_MS = 1000
/** How often to look whether the disk has caught up, ms. */
const CLOGGED_MS = 2

const LOST = 'documents that nobody deleted are missing from the store: run `inkwire verify`'

export type { InkwireServer } from './inkwire-server.js'
export type { Readiness } from './readiness.js'

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
  readonly #store: Store<LevelJournal>
  #http: Server | null = null
  /** Whether a client could ever have come. */
  #served = false
  #closing: Promise<UnsavedReport> | null = null
  readonly #closed = new AbortController()
  #warming: Promise<void> | null = null

  constructor(config: ServerConfig) {
    this.#config = config
    this.#proxies = proxiesFrom(config.trustedProxies)
    this.#log = config.logger ?? createLog(config.logLevel)
    this.#metrics = createMetrics({
      counters: this.#counters,
      ready: () => this.readiness().ready,
      writingMs: () => this.#store.journal?.writingMs ?? 0,
      witnessed: () => this.#store.journal?.witnessed ?? false,
    })
    this.#store = new Store({
      open: () =>
        openDataFolder({
          directory: config.data,
          durability: config.durability,
          logger: this.#log,
          onCommit: (commit) => this.#metrics.committed(commit),
        }),
      opened: (journal) => this.#opened(journal),
    })
    this.#pool = createWorkerPool({ timeoutMs: config.workerTimeoutMs, memoryMb: config.workerMemoryMb })
    const clock = () => performance.now()
    const { limits } = config
    this.#rooms = new Rooms({
      load: createRoomLoader({
        journal: () => this.#store.open(),
        compact: lightly({
          thoroughly: (job) => this.#pool.compact(job),
          nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
        }),
        keeper: new Holdings(config.memoryBudgetMb * 2 ** 20, setImmediate, this.#counters),
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
        onRecallError: (document, err) => {
          if (!this.#closing) this.#log.error({ document, err }, 'a snapshot could not be read again')
        },
      }),
      lingerMs: config.roomLingerMs,
      counters: this.#counters,
      opened: ({ name, generation }) => this.#events.emit('open', { document: name, generation }),
      left: (document) => this.#events.emit('unload', { document }),
      late: (document, err) => this.#changedLate(document, err),
    })
    this.documents = new Documents({
      journal: () => this.#store.open(),
      rooms: this.#rooms,
      pool: this.#pool,
      revoke: (user) => this.revoke(user),
    })
    this.#control = createControl({
      documents: this.documents,
      users: this,
      stored: async (name) => (await this.#store.open()).read(name),
      verify: () => this.#verify(),
      lost: async () => (await this.#store.open()).lost(),
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
        refuseUpdates: () => this.#store.refusal,
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
          clogged: () => this.#store.clogged,
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
      handshakes: new InTurns({ soon: setImmediate, clock, ms: HANDSHAKES_MS }),
      reading: new InTurns({ soon: setImmediate, clock, ms: READING_MS }),
      writing: {
        counters: this.#counters,
        maxBufferedBytes: MAX_BUFFERED_BYTES,
        outflow: new Outflow(setImmediate),
      },
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
    this.#refuseIfClosed()
    await this.#store.open()
    // One that can't tell who is revoked must not even start.
    await this.revoked().catch(async (error: unknown) => {
      await this.close()
      throw error
    })
    if (this.#config.warmUp && !this.#closing) {
      this.#warming = this.#warmUp()
      await this.#warming
    }
    // Closed meanwhile, it must not begin to listen: nobody would close it again.
    this.#refuseIfClosed()
    const { limits } = this.#config
    const http = createPacedServer({
      turns: {
        parsing: new InTurns({ soon: setImmediate, clock: () => performance.now(), ms: PARSING_MS }),
        answering: new Turnstile({ soon: setImmediate, later: setImmediate, clogged: () => false }),
      },
      headersTimeoutMs: limits.handshakeTimeoutMs,
      request: this.requestHandler,
      // Or of this machine: there a proxy need not be named.
      byProxy: ({ socket }) => peerKey(socket.remoteAddress ?? '', this.#proxies) === null,
      upgrade: (request, socket, head) => this.handleUpgrade(request, socket, head),
    })
    limitSockets(http, limits, this.#proxies, () => this.#clients.refused(Code.tooFast, 'too many sockets'))
    this.#http = http
    const { data, durability, host, port } = this.#config
    const address = await listenAt(http, host, port).catch(async (error: unknown) => {
      // Nobody can connect: give the data folder back.
      await this.close()
      throw error
    })
    this.#served = true
    this.#log.info({ url: address.url, data, durability }, 'listening')
    this.#events.emit('listening', address)
    return address
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#served = true
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
    const { state, quarantined } = this.#store
    return readinessOf({
      stopping: this.#closing !== null,
      state,
      stalledMs: this.#store.journal?.stalledMs ?? 0,
      quarantined,
    })
  }

  close(): Promise<UnsavedReport> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #refuseIfClosed(): void {
    if (this.#closing) throw new InkwireError('INKWIRE_DESTROYED', 'this server has been closed')
  }

  async *#verify(): AsyncGenerator<Finding, void, void> {
    yield* (await this.#store.open()).verify()
  }

  async #warmUp(): Promise<void> {
    const { signal } = this.#closed
    await warmUp({ createServer, clock: () => performance.now(), ms: WARM_UP_MS, signal }).catch(
      (err: unknown) => this.#log.warn({ err }, 'the warm-up failed; the first seconds will be slower'),
    )
  }

  /** Not before there is a store may the operator's tools come. */
  async #opened(journal: LevelJournal): Promise<void> {
    journal.onState((state) => {
      if (state.status === 'failing') {
        this.#log.error({ reason: state.reason }, 'the store does not take writes')
      }
      if (state.status === 'ok') this.#log.info({}, 'the store takes writes again')
      this.#events.emit('storage', state)
    })
    await this.#control.listen(this.#config.data)
    void this.#tellLost(journal)
  }

  /** Nobody may ever ask for a document that is lost, so nobody would hear of it. Nothing waits for this. */
  async #tellLost(journal: LevelJournal): Promise<void> {
    try {
      const documents = await journal.lost()
      if (documents > 0) this.#log.error({ documents }, LOST)
    } catch (err) {
      if (!this.#closing) this.#log.warn({ err }, 'whether documents are lost could not be told')
    }
  }

  #changedLate(document: string, err: unknown): void {
    if (err === null) this.#log.warn({ document }, 'what had begun while the store failed is done')
    else this.#log.warn({ document, err }, 'what had begun while the store failed was not done')
  }

  #compactionFailed(document: string, err: unknown, final: boolean): void {
    if (this.#closing) return
    if (final)
      this.#log.error({ document, err }, 'compaction failed too often; the document is served from its tail')
    else this.#log.warn({ document, err }, 'compaction failed; it will be tried again')
  }

  async #close(): Promise<UnsavedReport> {
    this.#closed.abort()
    await this.#warming
    // Who closes a server that could not start has an error to show for it; nothing stops that ever ran.
    const log = this.#served ? this.#log : null
    log?.info({ connections: this.#clients.size, rooms: this.#rooms.size }, 'stopping')
    const http = this.#http
    const httpClosed = http && new Promise<void>((resolve) => http.close(() => resolve()))
    http?.closeIdleConnections()
    // From here on nothing new is taken, so that what is reported as saved is all there is.
    this.#clients.stopReading()
    for (const room of this.#rooms) room.stop()
    await this.#store.settled()
    await this.#control.close()
    // Acks of the last commits go out before the close frames.
    const report = await this.#store.close(this.#config.shutdownTimeoutMs)
    await this.#clients.close()
    this.#rooms.disposeAll()
    this.#slowCommits.dispose()
    await this.#pool.destroy()
    http?.closeAllConnections()
    await httpClosed
    this.#metrics.close()
    for (const { name, updates } of report.unsaved) this.#log.error({ document: name, updates }, 'not saved')
    log?.info({ unsaved: report.unsaved.length }, 'stopped')
    return report
  }
}
