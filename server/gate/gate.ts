import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { originAllowed } from '../auth/origin.js'
import { documentName } from './name.js'

/** Somebody who was let in. */
export interface Admitted {
  readonly ws: WebSocket
  readonly socket: Duplex
  readonly request: IncomingMessage
  readonly name: string
  readonly extended: boolean
}

/** How the gate is set up. */
export interface GateOptions {
  readonly pathPrefix: string
  readonly maxMessageBytes: number
  /** Origins whose pages may connect, beside the server's own and localhost. */
  readonly allowedOrigins: readonly string[]
  /** Whether new connections are taken; a code and a reason if not. */
  readonly refuse: () => { readonly code: number; readonly reason: string } | null
  readonly admitted: (who: Admitted) => void
  /** Somebody was turned away with this code. */
  readonly refused: (code: number, reason: string) => void
}

/**
 * Where connections come in: WebSocket handshake, subprotocol, document name. Whoever can't come in is let through
 * the handshake and then closed with a code, for a refused upgrade looks like a network fault to a browser, which
 * would try for ever.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #wss: WebSocketServer

  constructor(options: GateOptions) {
    this.#options = options
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compression costs memory per connection and forbids writing shared frames.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: selectProtocol,
    })
    this.#wss.on('wsClientError', (error, socket) => {
      options.refused(400, error.message)
      socket.once('finish', () => socket.destroy())
      socket.end(badRequest(error.message))
    })
  }

  /** Takes an upgrade request of an HTTP server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until the library listens, an error of the socket has no other listener and would end the process.
    socket.on('error', ignore)
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      socket.off('error', ignore)
      this.#open(ws, socket, request)
    })
  }

  #open(ws: WebSocket, socket: Duplex, request: IncomingMessage): void {
    const refusal = this.#options.refuse()
    if (refusal) {
      this.#turnAway(ws, refusal.code, refusal.reason)
      return
    }
    const { origin, host } = request.headers
    if (!originAllowed(origin, host, this.#options.allowedOrigins)) {
      this.#turnAway(ws, Code.forbidden, 'pages of this origin may not connect')
      return
    }
    let name: string
    try {
      name = documentName(request.url ?? '/', this.#options.pathPrefix)
    } catch (error) {
      if (!(error instanceof InkwireError)) throw error
      this.#turnAway(ws, Code.noSuchDocument, error.message)
      return
    }
    this.#options.admitted({ ws, socket, request, name, extended: ws.protocol === SUBPROTOCOL })
  }

  #turnAway(ws: WebSocket, code: number, reason: string): void {
    ws.on('error', ignore)
    ws.close(code, reason)
    this.#options.refused(code, reason)
  }
}

/**
 * Ours if it is offered (PROTOCOL X1), else the first: a `ws` client that offers some and gets none back gives up.
 */
const selectProtocol = (offered: Set<string>): string | false => {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL
  for (const first of offered) return first
  return false
}

/** The answer to a handshake that isn't one (RFC 6455 §4.2.1): whoever sent it reads HTTP. */
const badRequest = (reason: string): string =>
  'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n' +
  `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`

const ignore = (): void => {}
