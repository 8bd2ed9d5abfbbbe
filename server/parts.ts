import type { RequestListener } from 'node:http'
import { Code } from '../shared/codes.js'
import { everybody } from './auth/authorize.js'
import { Clients } from './clients/clients.js'
import type { ServerConfig } from './config.js'
import { type Control, createControl } from './control/control.js'
import { openDataFolder } from './data-folder.js'
import { Documents } from './documents/documents.js'
import { Emitter, type ServerEvents } from './events.js'
import { Gate } from './gate/gate.js'
import { createHttpApp } from './http/app.js'
import type { LevelJournal } from './journal/level.js'
import { type Proxies, proxiesFrom } from './limits/address.js'
import { Doorway } from './limits/doorway.js'
import { InTurns } from './limits/in-turns.js'
import { Turnstile } from './limits/turnstile.js'
import { News } from './news.js'
import { Counters } from './observe/counters.js'
import { createLog, type Log } from './observe/log.js'
import { createMetrics, type Metrics } from './observe/metrics.js'
import { type Readiness, readinessOf } from './readiness.js'
import { Holdings } from './room/holdings.js'
import { lightly } from './room/light-compaction.js'
import { createRoomLoader } from './room/load.js'
import { Rooms } from './room/rooms.js'
import { Turns } from './room/turns.js'
import { createSlowCommits } from './session/slow-commits.js'
import { Store } from './store.js'
import { Outflow } from './websocket/outflow.js'
import { createWorkerPool, type WorkerPool } from './worker/pool.js'

/** One reader may have this much waiting to be sent; beyond it, it is brought up later from the room's tail. */
const MAX_BUFFERED_BYTES = 1024 * 1024
/** What handshakes, and reading what sockets bring, may take of a turn of the event loop, ms. */
const HANDSHAKES_MS = 4
const READING_MS = 8
/** How often to look whether the disk has caught up, ms. */
const CLOGGED_MS = 2

/** What nearly all parts are given. */
interface Common {
  readonly config: ServerConfig
  readonly log: Log
  readonly counters: Counters
  readonly metrics: Metrics
  readonly events: Emitter<ServerEvents>
  readonly news: News
  readonly store: Store<LevelJournal>
  readonly pool: WorkerPool
  readonly slowCommits: ReturnType<typeof createSlowCommits>
  readonly proxies: Proxies
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  /** The server is being closed, or has been. */
  readonly closing: () => boolean
}

/** What a server is made of. Nothing is open yet; whoever has it made takes it down. */
export interface ServerParts extends Omit<Common, 'config' | 'news' | 'closing'> {
  readonly rooms: Rooms
  readonly clients: Clients
  readonly documents: Documents
  readonly control: Control
  readonly gate: Gate
  readonly requestHandler: RequestListener
  /** Whether documents can be opened and saved right now. */
  readonly readiness: () => Readiness
}

/** Makes a server's parts and ties them together. Every rule lives in a part. */
export const createParts = (config: ServerConfig, closing: () => boolean): ServerParts => {
  const log = config.logger ?? createLog(config.logLevel)
  const counters = new Counters()
  const events = new Emitter<ServerEvents>()
  const news = new News({ log, events, closing })
  const readiness = (): Readiness => {
    const { state, quarantined, journal } = store
    return readinessOf({ stopping: closing(), state, stalledMs: journal?.stalledMs ?? 0, quarantined })
  }
  const metrics = createMetrics({
    counters,
    ready: () => readiness().ready,
    writingMs: () => store.journal?.writingMs ?? 0,
    witnessed: () => store.journal?.witnessed ?? false,
  })
  const store = new Store({
    open: () =>
      openDataFolder({
        directory: config.data,
        durability: config.durability,
        logger: log,
        onCommit: (commit) => metrics.committed(commit),
      }),
    opened: async (journal) => {
      journal.onState((state) => news.storage(state))
      // Not before there is a store may the operator's tools come.
      await control.listen(config.data)
      // Nothing waits for this.
      void news.lost(() => journal.lost())
    },
  })
  const pool = createWorkerPool({ timeoutMs: config.workerTimeoutMs, memoryMb: config.workerMemoryMb })
  const proxies = proxiesFrom(config.trustedProxies)
  const clock = (): number => performance.now()
  const common: Common = {
    config,
    log,
    counters,
    metrics,
    events,
    news,
    store,
    pool,
    slowCommits: createSlowCommits(),
    proxies,
    clock,
    closing,
  }
  const rooms = createRooms(common)
  const clients = createClients(common, rooms)
  const revoke = (user: string) => clients.revoke(user)
  const documents = new Documents({ journal: () => store.open(), rooms, pool, revoke })
  const control = createControl({
    documents,
    users: clients,
    stored: async (name) => (await store.open()).read(name),
    verify: async function* () {
      yield* (await store.open()).verify()
    },
    lost: async () => (await store.open()).lost(),
    log,
  })
  const gate = createGate(common, clients)
  const requestHandler = createHttpApp({
    readiness,
    metrics: () => metrics.render(),
    tooMany: (request) => clients.tooMany(request),
    demo: config.demo,
    pathPrefix: config.pathPrefix,
    authorization: config.authorize !== everybody,
    log,
  })
  return { ...common, rooms, clients, documents, control, gate, requestHandler, readiness }
}

const createRooms = ({ config, counters, metrics, news, store, pool, clock }: Common): Rooms => {
  const { limits } = config
  const load = createRoomLoader({
    journal: () => store.open(),
    compact: lightly({
      thoroughly: (job) => pool.compact(job),
      nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    }),
    keeper: new Holdings(config.memoryBudgetMb * 2 ** 20, setImmediate, counters),
    shared: {
      turns: new Turns(),
      clock,
      now: Date.now,
      counters,
      onFlush: (updates, ms) => {
        metrics.flushSize.observe(updates)
        metrics.flushCost.observe(ms / 1000)
      },
      presence: {
        idsPerMember: limits.presenceIds,
        stateBytes: limits.presenceStateBytes,
        memberBytes: limits.presenceBytes,
        roomBytes: limits.presenceDocumentBytes,
      },
      maxDocumentBytes: limits.maxDocumentBytes,
    },
    onCompactionError: (document, error, final) => news.compactionFailed(document, error, final),
    onRecallError: (document, error) => news.recallFailed(document, error),
  })
  return new Rooms({
    load,
    lingerMs: config.roomLingerMs,
    counters,
    opened: ({ name, generation }) => news.opened(name, generation),
    left: (document) => news.left(document),
    late: (document, error) => news.changedLate(document, error),
  })
}

const createClients = (common: Common, rooms: Rooms): Clients => {
  const { config, log, counters, events, store, slowCommits, proxies, clock } = common
  const { limits } = config
  return new Clients({
    rooms,
    counters,
    log,
    events,
    session: {
      counters,
      durability: config.durability,
      maxMessageBytes: config.maxMessageBytes,
      slow: slowCommits,
      refuseUpdates: () => store.refusal,
      limits,
      clock,
    },
    doorway: new Doorway(limits, clock),
    proxies,
    pace: {
      limits,
      turnstile: new Turnstile({
        soon: setImmediate,
        later: (task) => setTimeout(task, CLOGGED_MS),
        clogged: () => store.clogged,
      }),
      clock,
      onSlowed: () => {
        counters.slowed++
      },
    },
    admission: { authorize: config.authorize, timeoutMs: config.authTimeoutMs, now: Date.now },
    folder: config.data,
    cookie: config.authCookie,
    heartbeatMs: config.heartbeatMs,
    clock,
  })
}

const createGate = ({ config, counters, clock, closing }: Common, clients: Clients): Gate =>
  new Gate({
    pathPrefix: config.pathPrefix,
    maxMessageBytes: config.maxMessageBytes,
    allowedOrigins: config.allowedOrigins,
    open: config.authorize === everybody,
    refuse: (request) =>
      closing() ? { code: Code.restart, reason: 'the server restarts' } : clients.admit(request),
    admitted: (who) => clients.receive(who),
    handshakes: new InTurns({ soon: setImmediate, clock, ms: HANDSHAKES_MS }),
    reading: new InTurns({ soon: setImmediate, clock, ms: READING_MS }),
    writing: { counters, maxBufferedBytes: MAX_BUFFERED_BYTES, outflow: new Outflow(setImmediate) },
    refused: (code, reason) => clients.refused(code, reason),
  })
