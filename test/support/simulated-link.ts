import type { WebSocketLike } from '../../client/options.js'
import type { Guest } from '../../server/clients/connections.js'
import type { Transport } from '../../server/session/session.js'
import { payloadsIn } from './frames.js'

const [CONNECTING, OPEN, CLOSED] = [0, 1, 3]
/** How long the server waits for a sign of life that it asked for. */
const PROBE_MS = 3000

/** Who is at the server's end: one document's session, or several documents'. */
export type Peer = Pick<Guest, 'receive' | 'drained' | 'stopReading' | 'close' | 'ended'>

type Item =
  | { readonly kind: 'open'; readonly protocol: string }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }

/** The client's end of a link: a WebSocket, as far as providers know. */
export class SimulatedSocket implements WebSocketLike {
  readonly OPEN = OPEN
  binaryType = 'arraybuffer'
  readyState = CONNECTING
  protocol = ''
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
    link.client = this
  }

  send(data: Uint8Array): void {
    if (this.readyState === OPEN) this.#link.toServer.push({ kind: 'data', bytes: data.slice() })
  }

  close(): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.#link.toServer.push({ kind: 'close', code: 1005, reason: '' })
  }
}

/**
 * One connection of a simulated network: two queues, of which messages are taken only when somebody says so. What
 * is sent on a broken link goes nowhere.
 */
export class Link implements Transport {
  readonly outlet = this
  readonly toServer: Item[] = []
  readonly toClient: Item[] = []
  /** The client's end. */
  client: SimulatedSocket | null = null
  readonly offered: readonly string[]
  readonly #congestedAtBytes: number
  #peer: Peer | null = null
  #bytes = 0
  #needsDrain = false
  #paused = false
  #serverClosed = false
  #broken = false

  /** @param congestedAtBytes the server sees the socket as backed up from here on. */
  constructor(offered: readonly string[], congestedAtBytes: number) {
    this.offered = offered
    this.#congestedAtBytes = congestedAtBytes
  }

  /** Whether nothing can happen on it any more. */
  get over(): boolean {
    return this.#broken && this.toServer.length + this.toClient.length === 0
  }

  /** Whether the client thinks so. */
  get isOpen(): boolean {
    return this.client?.readyState === OPEN
  }

  get canReachServer(): boolean {
    return this.toServer.length > 0 && !this.#paused
  }

  /** The server takes the connection. */
  accept(peer: Peer, protocol: string): void {
    this.#peer = peer
    this.toClient.push({ kind: 'open', protocol })
  }

  /** There is no server: the client will hear of it. */
  refuse(): void {
    this.#broken = true
    this.toClient.push({ kind: 'close', code: 1006, reason: '' })
  }

  /**
   * The network fails, or the server dies: what was under way is gone, and both ends notice later.
   *
   * @param keep so many messages on their way to the client still arrive.
   */
  break(keep = 0): void {
    if (this.#broken) return
    this.#broken = true
    this.toServer.length = 0
    this.toClient.length = Math.min(keep, this.toClient.length)
    for (const queue of [this.toServer, this.toClient]) queue.push({ kind: 'close', code: 1006, reason: '' })
  }

  /** The server's end is no more, and can't be told anything. */
  forgetServer(): void {
    this.#peer = null
  }

  deliverToServer(): void {
    const item = this.toServer.shift()
    switch (item?.kind) {
      case 'data':
        if (!this.#serverClosed) this.#peer?.receive(item.bytes)
        return
      case 'close':
        this.#peer?.ended(1005)
        this.#peer = null
        this.#broken = true
        return
      default:
        return
    }
  }

  deliverToClient(): void {
    const item = this.toClient.shift()
    const socket = this.client
    if (!socket) return
    switch (item?.kind) {
      case 'open':
        if (socket.readyState !== CONNECTING) return
        socket.readyState = OPEN
        socket.protocol = item.protocol
        socket.onopen?.({} as never)
        return
      case 'data':
        this.#bytes -= item.bytes.length
        if (socket.readyState === OPEN) socket.onmessage?.({ data: item.bytes.slice().buffer } as never)
        if (this.#bytes === 0 && this.#needsDrain && !this.#broken) {
          this.#needsDrain = false
          this.#peer?.drained()
        }
        return
      case 'close':
        if (socket.readyState === CLOSED) return
        socket.close()
        socket.onclose?.({ code: item.code, reason: item.reason } as never)
        return
      default:
        return
    }
  }

  // The server's end (Transport).

  get congested(): boolean {
    return this.#bytes > this.#congestedAtBytes
  }

  write(frames: readonly Uint8Array[]): void {
    if (this.#broken || this.#serverClosed) return
    for (const bytes of payloadsIn(frames)) {
      this.toClient.push({ kind: 'data', bytes })
      this.#bytes += bytes.length
    }
    this.#needsDrain = true
  }

  get full(): boolean {
    return this.congested
  }

  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    this.write([...pieces].flat())
  }

  close(code: number, reason: string): void {
    if (this.#broken || this.#serverClosed) return
    this.#serverClosed = true
    this.toClient.push({ kind: 'close', code, reason })
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  probe(): void {
    // An answer takes no time here; of a broken link, the server learns when it gives up waiting.
    setTimeout(() => {
      while (this.#broken && this.toServer.length > 0) this.deliverToServer()
    }, PROBE_MS)
  }
}
