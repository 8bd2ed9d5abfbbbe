import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import { SHARED_SUBPROTOCOL, SUBPROTOCOL } from '../../shared/messages.js'
import { isFromHere, originAllowed } from '../auth/origin.js'
import { documentName, isServerAddress } from './name.js'

/** How long a client may take to answer a close frame, ms; then its socket is cut. */
const CLOSE_TIMEOUT_MS = 3000
/** So many may be on their way out; more don't even get a handshake, so that a flood of them holds no memory. */
const MOST_LEAVING = 1000

/** Somebody who was let in. */
export interface Admitted {
  readonly ws: WebSocket
  readonly socket: Duplex
  readonly request: IncomingMessage
  /** The document it wants; null for a connection that several may share (PROTOCOL X11). */
  readonly wanted: { readonly document: string; readonly extended: boolean } | null
}

/** How the gate is set up. */
export interface GateOptions {
  readonly pathPrefix: string
  readonly maxMessageBytes: number
  /** Origins whose pages may connect, beside the server's own; localhost's if it is empty. */
  readonly allowedOrigins: readonly string[]
  /** Whether nobody is asked who they are. Then a page must not get in by a name that points here (DNS rebinding). */
  readonly open: boolean
  /** Whether this connection is taken; a code and a reason if not. Asked last. */
  readonly refuse: (request: IncomingMessage) => { readonly code: number; readonly reason: string } | null
  readonly admitted: (who: Admitted) => void
  /** Handshakes are done in turns: each takes a few tenths of a millisecond, and after a restart all come at once. */
  readonly handshakes: { add(task: () => void): void }
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
  /** Turned away, and not gone yet. */
  #leaving = 0

  constructor(options: GateOptions) {
    this.#options = options
    const settings = {
      noServer: true,
      clientTracking: false,
      // Compression costs memory per connection and forbids writing shared frames.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: (offered: Set<string>, { url }: IncomingMessage) =>
        selectProtocol(offered, isServerAddress(url ?? '/', options.pathPrefix)),
      // Connections answer pings themselves: the library would queue pongs without bound.
      autoPong: false,
      closeTimeout: CLOSE_TIMEOUT_MS,
    }
    this.#wss = new WebSocketServer(settings)
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
    if (this.#leaving >= MOST_LEAVING) {
      socket.once('finish', () => socket.destroy())
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      this.#options.refused(Code.tryLater, 'too many are being turned away')
      return
    }
    this.#options.handshakes.add(() => {
      this.#wss.handleUpgrade(request, socket, head, (ws) => {
        socket.off('error', ignore)
        this.#open(ws, socket, request)
      })
    })
  }

  #open(ws: WebSocket, socket: Duplex, request: IncomingMessage): void {
    const { origin, host } = request.headers
    const doubtful = this.#options.open && isFromHere(request.socket.remoteAddress, request.headers)
    if (!originAllowed(origin, { host, doubtful }, this.#options.allowedOrigins)) {
      this.#turnAway(ws, Code.forbidden, 'pages of this origin may not connect')
      return
    }
    let wanted: Admitted['wanted'] = null
    try {
      if (ws.protocol !== SHARED_SUBPROTOCOL) {
        const document = documentName(request.url ?? '/', this.#options.pathPrefix)
        wanted = { document, extended: ws.protocol === SUBPROTOCOL }
      }
    } catch (error) {
      if (!(error instanceof InkwireError)) throw error
      this.#turnAway(ws, Code.noSuchDocument, error.message)
      return
    }
    const refusal = this.#options.refuse(request)
    if (refusal) this.#turnAway(ws, refusal.code, refusal.reason)
    else this.#options.admitted({ ws, socket, request, wanted })
  }

  #turnAway(ws: WebSocket, code: number, reason: string): void {
    this.#leaving++
    ws.on('close', () => this.#leaving--)
    ws.on('error', ignore)
    ws.close(code, reason)
    this.#options.refused(code, reason)
  }
}

/**
 * Ours if it is offered (PROTOCOL X1; on the server's own address X11), else the first: a `ws` client that offers some
 * and gets none back gives up.
 */
const selectProtocol = (offered: Set<string>, ofServer: boolean): string | false => {
  if (ofServer && offered.has(SHARED_SUBPROTOCOL)) return SHARED_SUBPROTOCOL
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL
  for (const first of offered) if (first !== SHARED_SUBPROTOCOL) return first
  return false
}

/** The answer to a handshake that isn't one (RFC 6455 §4.2.1): whoever sent it reads HTTP. */
const badRequest = (reason: string): string =>
  'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n' +
  `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`

const ignore = (): void => {}
