import { SUBPROTOCOL } from '../../shared/messages.js'
import type { WebSocketClass, WebSocketLike } from '../options.js'

const CONNECTING = 0
const OPEN = 1
const CLOSED = 3

/** What carries it. */
export interface Carrier {
  /** It wants to be opened, or given {@link VirtualSocket.goAlone}. Throws what the WebSocket class throws. */
  add(socket: VirtualSocket): void
  /** It was closed on this side. */
  remove(socket: VirtualSocket, code: number, reason: string): void
  send(channel: number, data: Uint8Array): void
  /** Not every WebSocket class tells. */
  readonly bufferedAmount: number | undefined
}

/**
 * A WebSocket to a document, as far as a provider can tell: a channel of a connection that it shares with others, or,
 * where there is no such connection to be had, a socket of its own.
 */
export class VirtualSocket implements WebSocketLike {
  binaryType = 'arraybuffer'
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => unknown) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  /** Number of its channel; 0 without one. */
  channel = 0
  /** What its listener made of the last message: more than 1 as long as a message may take longer than others. */
  patience: unknown
  readonly url: string
  readonly #protocols: string[]
  readonly #carrier: Carrier
  #state = CONNECTING
  #own: WebSocketLike | null = null
  #settled = (_opened: boolean): void => {}

  /** Throws what the WebSocket class throws for a bad URL. */
  constructor(carrier: Carrier, url: string, protocols: string[]) {
    this.url = url
    this.#protocols = protocols
    this.#carrier = carrier
    carrier.add(this)
  }

  get readyState(): number {
    return this.#own?.readyState ?? this.#state
  }

  get protocol(): string {
    return this.#own?.protocol ?? (this.extended ? SUBPROTOCOL : '')
  }

  get bufferedAmount(): number {
    return (this.#own ?? this.#carrier).bufferedAmount ?? 0
  }

  /** Whether it speaks `inkwire.1` on its channel (PROTOCOL X12). */
  get extended(): boolean {
    return this.#protocols.includes(SUBPROTOCOL)
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.#own) this.#own.send(data)
    else if (this.#state === OPEN) this.#carrier.send(this.channel, data)
  }

  close(code?: number, reason?: string): void {
    if (this.#own) {
      this.#own.close(code, reason)
      this.#settled(false)
      return
    }
    if (this.#state === CLOSED) return
    this.#state = CLOSED
    this.#carrier.remove(this, code ?? 1000, reason ?? '')
    // A WebSocket tells it later, too.
    queueMicrotask(() => this.end(code ?? 1005, reason ?? ''))
  }

  // What the carrier calls.

  /** It is a channel now. */
  open(channel: number): void {
    this.channel = channel
    this.#state = OPEN
    this.onopen?.({ type: 'open' } as never)
  }

  hear(bytes: Uint8Array): void {
    this.patience = this.onmessage?.({ type: 'message', data: bytes.buffer } as never)
  }

  fail(event: Event): void {
    this.onerror?.(event as never)
  }

  /** It is over. */
  end(code: number, reason: string): void {
    this.#state = CLOSED
    this.onclose?.({ type: 'close', code, reason, wasClean: code !== 1006 } as never)
  }

  /**
   * It gets a socket of its own.
   *
   * @param settled told whether it opened; only the first word counts.
   */
  goAlone(WebSocket: WebSocketClass, settled?: (opened: boolean) => void): void {
    if (settled) this.#settled = settled
    const own = new WebSocket(this.url, this.#protocols)
    own.binaryType = this.binaryType
    own.onopen = (event) => {
      this.#settled(true)
      this.onopen?.(event)
    }
    own.onmessage = (event) => this.onmessage?.(event)
    own.onerror = (event) => this.onerror?.(event)
    own.onclose = (event) => {
      this.#settled(false)
      this.onclose?.(event)
    }
    this.#own = own
  }
}
