import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { Code } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import type { Revoked } from './auth/revocations.js'
import { parseOptions, type ServerConfig, type ServerOptions } from './config.js'
import type { Documents } from './documents/documents.js'
import type { Address, ServerEvents } from './events.js'
import { createPacedServer } from './http/paced-server.js'
import type { InkwireServer } from './inkwire-server.js'
import type { UnsavedReport } from './journal/journal.js'
import { peerKey } from './limits/address.js'
import { InTurns } from './limits/in-turns.js'
import { limitSockets } from './limits/sockets.js'
import { Turnstile } from './limits/turnstile.js'
import { listenAt } from './listening.js'
import { createParts, type ServerParts } from './parts.js'
import type { Readiness } from './readiness.js'
import { warmUp } from './warm-up/warm-up.js'

/** What HTTP's parser may take of a turn of the event loop, ms. */
const PARSING_MS = 4
/** How long a warm-up takes, ms: each half a second more leaves less to compile later, and everybody waits for it. */
const WARM_UP_MS = 1500

export type { InkwireServer } from './inkwire-server.js'

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

/** A server's life: it opens and closes what `parts.ts` has put together, in an order in which nothing gets lost. */
class ComposedServer implements InkwireServer {
  readonly requestHandler: RequestListener
  readonly documents: Documents
  readonly #config: ServerConfig
  readonly #parts: ServerParts
  #http: Server | null = null
  /** Whether a client could ever have come. */
  #served = false
  #closing: Promise<UnsavedReport> | null = null
  readonly #closed = new AbortController()
  #warming: Promise<void> | null = null

  constructor(config: ServerConfig) {
    this.#config = config
    this.#parts = createParts(config, () => this.#closing !== null)
    this.requestHandler = this.#parts.requestHandler
    this.documents = this.#parts.documents
  }

  on<Name extends keyof ServerEvents>(name: Name, listener: (event: ServerEvents[Name]) => void): () => void {
    return this.#parts.events.on(name, listener)
  }

  async listen(): Promise<Address> {
    const { store, log, events } = this.#parts
    this.#refuseIfClosed()
    await store.open()
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
    this.#http = this.#createHttp()
    const { data, durability, host, port } = this.#config
    const address = await listenAt(this.#http, host, port).catch(async (error: unknown) => {
      // Nobody can connect: give the data folder back.
      await this.close()
      throw error
    })
    this.#served = true
    log.info({ url: address.url, data, durability }, 'listening')
    events.emit('listening', address)
    return address
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#served = true
    this.#parts.gate.handleUpgrade(request, socket, head)
  }

  revoke(user: string): Promise<{ readonly closed: number }> {
    return this.#parts.clients.revoke(user)
  }

  unrevoke(user: string): Promise<boolean> {
    return this.#parts.clients.unrevoke(user)
  }

  revoked(): Promise<readonly Revoked[]> {
    return this.#parts.clients.revoked()
  }

  readiness(): Readiness {
    return this.#parts.readiness()
  }

  close(): Promise<UnsavedReport> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #refuseIfClosed(): void {
    if (this.#closing) throw new InkwireError('INKWIRE_DESTROYED', 'this server has been closed')
  }

  #createHttp(): Server {
    const { clients, clock, proxies } = this.#parts
    const { limits } = this.#config
    const http = createPacedServer({
      turns: {
        parsing: new InTurns({ soon: setImmediate, clock, ms: PARSING_MS }),
        answering: new Turnstile({ soon: setImmediate, later: setImmediate, clogged: () => false }),
      },
      headersTimeoutMs: limits.handshakeTimeoutMs,
      request: this.requestHandler,
      // Or of this machine: there a proxy need not be named.
      byProxy: ({ socket }) => peerKey(socket.remoteAddress ?? '', proxies) === null,
      upgrade: (request, socket, head) => this.handleUpgrade(request, socket, head),
    })
    limitSockets(http, limits, proxies, () => clients.refused(Code.tooFast, 'too many sockets'))
    return http
  }

  async #warmUp(): Promise<void> {
    const { clock, log } = this.#parts
    await warmUp({ createServer, clock, ms: WARM_UP_MS, signal: this.#closed.signal }).catch((err: unknown) =>
      log.warn({ err }, 'the warm-up failed; the first seconds will be slower'),
    )
  }

  async #close(): Promise<UnsavedReport> {
    const { clients, rooms, store, control, slowCommits, pool, metrics } = this.#parts
    this.#closed.abort()
    await this.#warming
    // Who closes a server that could not start has an error to show for it; nothing stops that ever ran.
    const log = this.#served ? this.#parts.log : null
    log?.info({ connections: clients.size, rooms: rooms.size }, 'stopping')
    const http = this.#http
    const httpClosed = http && new Promise<void>((resolve) => http.close(() => resolve()))
    http?.closeIdleConnections()
    // From here on nothing new is taken, so that what is reported as saved is all there is.
    clients.stopReading()
    for (const room of rooms) room.stop()
    await store.settled()
    await control.close()
    // Acks of the last commits go out before the close frames.
    const report = await store.close(this.#config.shutdownTimeoutMs)
    await clients.close()
    rooms.disposeAll()
    slowCommits.dispose()
    await pool.destroy()
    http?.closeAllConnections()
    await httpClosed
    metrics.close()
    for (const { name, updates } of report.unsaved) {
      this.#parts.log.error({ document: name, updates }, 'not saved')
    }
    log?.info({ unsaved: report.unsaved.length }, 'stopped')
    return report
  }
}
