import { decodeTrunkMessage, encodeAwareness, encodeTrunkMessage } from '../../shared/codec.js'
import { SHARED_SUBPROTOCOL, type TrunkMessage } from '../../shared/messages.js'
import type { WebSocketClass } from '../options.js'
import { openSocket, type Socket } from '../socket.js'
import type { VirtualSocket } from './virtual-socket.js'

/** How often channels are told that the connection is alive, ms. */
const PULSE_MS = 5_000
/** PROTOCOL W6, for a document: nobody, as a sign of life. */
const NOBODY = encodeAwareness(Uint8Array.of(0))
/** How a connection ends that was broken (RFC 6455 §7.1.5). */
export const ABNORMAL = 1006

/** What happens to a line. */
export interface LineHandlers {
  /** The server has shared connections, and takes channels from now on. */
  greeted(): void
  /** The server has none. */
  foreign(): void
  failed(event: Event): void
  /** A channel has ended. */
  left(): void
  /** The connection is gone. */
  lost(code: number, reason: string): void
}

/** One WebSocket with channels on it (PROTOCOL X11–X14), from its handshake to its end. */
export class Line {
  readonly #url: string
  readonly #handlers: LineHandlers
  readonly #socket: Socket
  readonly #channels = new Map<number, VirtualSocket>()
  /** How many channels may be open; 0 as long as the server hasn't said that there may be any. */
  #limit = 0
  #last = 0
  /** Whose messages go out and come in. */
  #to = 0
  #from = 0
  /** Since the last pulse; or it takes long to hear. */
  #heard = false
  #pulse: ReturnType<typeof setInterval> | undefined

  /**
   * Throws what the WebSocket class throws for a bad URL.
   *
   * @param url the server's own, with a slash at its end.
   */
  constructor(WebSocket: WebSocketClass, url: string, handlers: LineHandlers) {
    this.#url = url
    this.#handlers = handlers
    this.#socket = openSocket(WebSocket, url, [SHARED_SUBPROTOCOL], {
      opened: (protocol) => {
        // One that says nothing isn't waited for.
        if ((protocol ?? SHARED_SUBPROTOCOL) === SHARED_SUBPROTOCOL) this.check()
        else handlers.foreign()
      },
      message: (bytes) => {
        this.#received(bytes)
        return this.#loading
      },
      failed: handlers.failed,
      probe: () => this.#say({ type: 'shared', channels: 0 }),
      lost: (event) => handlers.lost(event?.code ?? ABNORMAL, event?.reason ?? ''),
    })
  }

  get isGreeted(): boolean {
    return this.#limit > 0
  }

  get isFull(): boolean {
    return this.#channels.size >= this.#limit
  }

  get isEmpty(): boolean {
    return this.#channels.size === 0
  }

  get bufferedAmount(): number | undefined {
    return this.#socket.raw.bufferedAmount
  }

  /** Opens a channel (PROTOCOL X12). */
  open(one: VirtualSocket): void {
    const channel = ++this.#last
    this.#channels.set(channel, one)
    // What its own request would be for, after the slash.
    const target = one.url.slice(this.#url.length)
    this.#say({ type: 'open', channel, extended: one.extended, target })
    this.#to = channel
    one.open(channel)
  }

  /** Ends a channel, if it is one (PROTOCOL X14). */
  end({ channel }: VirtualSocket, code: number, reason: string): void {
    if (this.#channels.delete(channel)) this.#say({ type: 'end', channel, code, reason })
  }

  send(channel: number, data: Uint8Array): void {
    if (this.#to !== channel) this.#say({ type: 'channel', channel })
    this.#to = channel
    this.#socket.send(data)
  }

  /** Finds out within seconds whether the connection still works, and reports it as lost if not. */
  check(): void {
    this.#socket.check()
  }

  /** Ends the connection; no handler is called any more. Returns who was on it. */
  close(): VirtualSocket[] {
    clearInterval(this.#pulse)
    this.#socket.close()
    const all = [...this.#channels.values()]
    this.#channels.clear()
    return all
  }

  /** Whether a document is being loaded, which all wait for: nothing is heard before a message is complete. */
  get #loading(): boolean {
    return [...this.#channels.values()].some(({ patience }) => (patience as number) > 1)
  }

  #received(bytes: Uint8Array): void {
    this.#heard = true
    let message: TrunkMessage | null
    try {
      message = decodeTrunkMessage(bytes)
    } catch {
      this.#handlers.lost(ABNORMAL, '')
      return
    }
    if (this.isGreeted) this.#act(message, bytes)
    else if (message?.type === 'shared' && message.channels > 0) {
      this.#limit = message.channels
      this.#pulse = setInterval(() => this.#tellAlive(), PULSE_MS)
      this.#handlers.greeted()
    } else this.#handlers.foreign()
  }

  #act(message: TrunkMessage | null, bytes: Uint8Array): void {
    switch (message?.type) {
      case undefined:
        this.#channels.get(this.#from)?.hear(bytes)
        return
      case 'channel':
        this.#from = message.channel
        return
      case 'end': {
        const one = this.#channels.get(message.channel)
        this.#channels.delete(message.channel)
        one?.end(message.code, message.reason)
        this.#handlers.left()
        return
      }
      case 'shared':
      case 'open':
        // An answer to `probe`; the other only clients send.
        return
      default:
        message satisfies never
    }
  }

  /** The server speaks up when it has said nothing for a while to the connection; each document waits to hear of it. */
  #tellAlive(): void {
    if (!this.#heard) return
    this.#heard = this.#loading
    for (const one of [...this.#channels.values()]) one.hear(NOBODY)
  }

  #say(message: TrunkMessage): void {
    this.#socket.send(encodeTrunkMessage(message))
  }
}
