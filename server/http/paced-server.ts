import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type HttpTurns, PacedSocket, paceSockets } from './paced-socket.js'
import { endAfterUpgrade, UpgradableRequest } from './upgrades.js'

/** How often Node looks for requests that are late, ms. */
const LOOK_EVERY_MS = 500
/** After how long a plain HTTP socket is cut that neither brings anything nor takes its answer, ms. */
const SILENT_MS = 30_000
/**
 * How long a proxy's socket is kept for another request, ms: longer than the proxy keeps it (nginx: 60 s), or it would
 * now and then send one just when we close it, and tell its client of a bad gateway.
 */
const KEPT_FOR_PROXY_MS = 65_000

/** What a server of our own does with what comes. */
export interface PacedServerOptions {
  readonly turns: HttpTurns
  /** How long a request's head may take, ms. */
  readonly headersTimeoutMs: number
  readonly request: RequestListener
  /** Whether a request's socket is a proxy's: those are kept longer. Others may be many, and only we bound them. */
  readonly byProxy: (request: IncomingMessage) => boolean
  /** Somebody wants a WebSocket; `socket` is the system's, and its own from now on. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** An HTTP server in which whoever sends much waits for its turn, and which upgrades to WebSockets alone. */
export const createPacedServer = ({
  turns,
  headersTimeoutMs,
  request,
  byProxy,
  upgrade,
}: PacedServerOptions): Server => {
  const http = createServer({
    connectionsCheckingInterval: LOOK_EVERY_MS,
    IncomingMessage: UpgradableRequest,
  })
  http.headersTimeout = headersTimeoutMs
  // Of more than 2,000 Node would leave out the last ones, what a proxy adds about whom they come from among them. How
  // many bytes they take is limited anyway.
  http.maxHeadersCount = 0
  http.timeout = SILENT_MS
  paceSockets(http, turns)
  http.on('request', (asked, response) => {
    endAfterUpgrade(asked, response)
    // After Node, which has then set its own keepAliveTimeout, 5 s; with the next request it sets SILENT_MS again.
    if (byProxy(asked)) response.once('finish', () => asked.socket.setTimeout(KEPT_FOR_PROXY_MS))
    const socket: Duplex = asked.socket
    const answer = (): void => request(asked, response)
    if (socket instanceof PacedSocket) socket.request(response, answer)
    else answer()
  })
  http.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    const raw = socket instanceof PacedSocket ? socket.detach() : socket
    if (raw) upgrade(asked, raw, head)
  })
  return http
}
