import type { WebSocketClass, WebSocketLike } from './options.js'

/** PROTOCOL W6: a server lets no more than 15 s pass without a sign of life, so twice that means a dead link. */
const SILENCE_MS = 30_000
const CHECK_EVERY_MS = 3_000
const OPEN = 1

/** What happens on a socket. `lost` comes last and once. */
export interface SocketHandlers {
  /** @param protocol the selected subprotocol, undefined if this WebSocket class doesn't tell. */
  opened(protocol: string | undefined): void
  message(bytes: Uint8Array): void
  failed(event: Event): void
  /** @param event null when nothing was heard for too long. */
  lost(event: CloseEvent | null): void
}

/** One WebSocket and the timer that watches it. After {@link Socket.close} no handler is called any more. */
export class Socket {
  readonly raw: WebSocketLike
  readonly #handlers: SocketHandlers
  readonly #timer: ReturnType<typeof setInterval>
  #heard = Date.now()

  /** Opens a connection. Throws what the WebSocket class throws for a bad URL or subprotocol. */
  constructor(WebSocket: WebSocketClass, url: string, protocols: string[], handlers: SocketHandlers) {
    const raw = new WebSocket(url, protocols)
    raw.binaryType = 'arraybuffer'
    raw.onopen = () => {
      this.#heard = Date.now()
      handlers.opened(raw.protocol)
    }
    raw.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      this.#heard = Date.now()
      handlers.message(new Uint8Array(event.data))
    }
    raw.onerror = (event: Event) => handlers.failed(event)
    raw.onclose = (event: CloseEvent) => handlers.lost(event)
    this.raw = raw
    this.#handlers = handlers
    this.#timer = setInterval(() => this.check(), CHECK_EVERY_MS)
  }

  /** Reports the link as lost if nothing was heard for too long. Timers may have slept; call it on waking. */
  check(): void {
    if (Date.now() - this.#heard > SILENCE_MS) this.#handlers.lost(null)
  }

  /** Sends one message; does nothing unless the socket is open. */
  send(bytes: Uint8Array): void {
    // lib0 encodes into plain memory, its types just don't say so.
    if (this.raw.readyState === OPEN) this.raw.send(bytes as Uint8Array<ArrayBuffer>)
  }

  close(code?: number): void {
    clearInterval(this.#timer)
    this.raw.onopen = this.raw.onmessage = this.raw.onclose = null
    // Closing a socket that is still connecting is an error event, and in Node one without listener is fatal.
    this.raw.onerror = () => {}
    this.raw.close(code)
  }
}
