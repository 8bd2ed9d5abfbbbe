import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type HttpTurns, PacedSocket, paceSockets } from './paced-socket.js'
import { endAfterUpgrade, UpgradableRequest } from './upgrades.js'

/** How often Node looks for requests that are late, ms. */
const LOOK_EVERY_MS = 500
/** A socket that speaks plain HTTP, and neither brings anything nor takes its answer for so long, is cut, ms. */
const SILENT_MS = 30_000

/** What a server of our own does with what comes. */
export interface PacedServerOptions {
  readonly turns: HttpTurns
  /** How long a request's head may take, ms. */
  readonly headersTimeoutMs: number
  readonly request: RequestListener
  /** Somebody wants a WebSocket; `socket` is the system's, and its own from now on. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** An HTTP server in which whoever sends much waits for its turn, and which upgrades to WebSockets alone. */
export const createPacedServer = ({
  turns,
  headersTimeoutMs,
  request,
  upgrade,
}: PacedServerOptions): Server => {
  const http = createServer({
    connectionsCheckingInterval: LOOK_EVERY_MS,
    IncomingMessage: UpgradableRequest,
  })
  http.headersTimeout = headersTimeoutMs
  http.timeout = SILENT_MS
  paceSockets(http, turns)
  http.on('request', (asked, response) => {
    endAfterUpgrade(asked, response)
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
