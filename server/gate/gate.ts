import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import { SHARED_SUBPROTOCOL, SUBPROTOCOL } from '../../shared/messages.js'
import { isFromHere, originAllowed } from '../auth/origin.js'
import { opening, readHandshake, refusal } from '../websocket/handshake.js'
import type { LineOptions } from '../websocket/line.js'
import { type Schedule, ServerSocket } from '../websocket/server-socket.js'
import { documentName, isServerAddress } from './name.js'

/** How long a refused client may take to read the answer, ms. */
const HANG_UP_MS = 3000
/**
 * How many handshakes may wait, since each takes memory; more are done at once, which slows down whoever sends them.
 */
const MOST_WAITING = 1000
/**
 * How many refused clients may be on their way out; more don't even get a handshake, so that a flood holds no memory.
 */
const MOST_LEAVING = 1000

/** Somebody who was let in. */
export interface Admitted {
  readonly wire: ServerSocket
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
  /** When handshakes are done: each takes a few tenths of a millisecond, and after a restart all come at once. */
  readonly handshakes: Pick<Schedule, 'later'>
  /** When what sockets bring is read. Apart from handshakes, or who types would wait behind all who come. */
  readonly reading: Schedule
  readonly writing: LineOptions
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
  /** Handshakes whose turn hasn't come. */
  #waiting = 0
  /** Turned away, and not gone yet. */
  #leaving = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Takes an upgrade request of an HTTP server. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until the connection listens, an error of the socket has no other listener and would end the process.
    socket.on('error', ignore)
    if (this.#leaving >= MOST_LEAVING) {
      hangUp(socket, 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      this.#options.refused(Code.tryLater, 'too many are being turned away')
      return
    }
    if (this.#waiting >= MOST_WAITING) {
      this.#shakeHands(request, socket, head)
      return
    }
    this.#waiting++
    this.#options.handshakes.later(() => {
      this.#waiting--
      this.#shakeHands(request, socket, head)
    })
  }

  #shakeHands(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathPrefix, maxMessageBytes, reading, writing, refused } = this.#options
    const { url = '/' } = request
    const handshake = readHandshake(request)
    if ('status' in handshake) {
      refused(handshake.status, handshake.reason)
      hangUp(socket, refusal(handshake))
      return
    }
    // It may have waited for its turn longer than its client did.
    if (!socket.readable || !socket.writable) {
      socket.destroy()
      return
    }
    const protocol = selectProtocol(handshake.protocols, isServerAddress(url, pathPrefix))
    if (isPlain(socket)) socket.setTimeout(0).setNoDelay(true)
    socket.write(opening(handshake.key, protocol))
    this.#open(new ServerSocket(socket, head, { maxMessageBytes, reading, writing }), protocol, request)
    socket.off('error', ignore)
  }

  #open(wire: ServerSocket, protocol: string | null, request: IncomingMessage): void {
    const { origin, host } = request.headers
    const doubtful = this.#options.open && isFromHere(request.socket.remoteAddress, request.headers)
    if (!originAllowed(origin, { host, doubtful }, this.#options.allowedOrigins)) {
      this.#turnAway(wire, Code.forbidden, 'pages of this origin may not connect')
      return
    }
    let wanted: Admitted['wanted'] = null
    try {
      if (protocol !== SHARED_SUBPROTOCOL) {
        const document = documentName(request.url ?? '/', this.#options.pathPrefix)
        wanted = { document, extended: protocol === SUBPROTOCOL }
      }
    } catch (error) {
      if (!(error instanceof InkwireError)) throw error
      this.#turnAway(wire, Code.noSuchDocument, error.message)
      return
    }
    const refusal = this.#options.refuse(request)
    if (refusal) this.#turnAway(wire, refusal.code, refusal.reason)
    else this.#options.admitted({ wire, request, wanted })
  }

  #turnAway(wire: ServerSocket, code: number, reason: string): void {
    this.#leaving++
    wire.start({ ...deaf, ended: () => this.#leaving-- })
    wire.close(code, reason)
    this.#options.refused(code, reason)
  }
}

/**
 * Ours if it is offered (PROTOCOL X1; on the server's own address X11), else the first: a `ws` client that offers some
 * and gets none back gives up.
 */
const selectProtocol = (offered: ReadonlySet<string>, ofServer: boolean): string | null => {
  if (ofServer && offered.has(SHARED_SUBPROTOCOL)) return SHARED_SUBPROTOCOL
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL
  for (const first of offered) if (first !== SHARED_SUBPROTOCOL) return first
  return null
}

/** Says something in HTTP, and that is all, also to one that doesn't read it. */
const hangUp = (socket: Duplex, answer: string): void => {
  const late = setTimeout(() => socket.destroy(), HANG_UP_MS)
  socket.once('close', () => clearTimeout(late))
  socket.once('finish', () => socket.destroy())
  socket.end(answer)
}

/** Whether it is a socket of the system's, which has settings. */
const isPlain = (socket: Duplex): socket is Socket => 'setNoDelay' in socket

const ignore = (): void => {}

/** Hears nothing. */
const deaf = { message: ignore, pinged: ignore, read: ignore, failed: ignore, drained: ignore }
