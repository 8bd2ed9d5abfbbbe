import { encodeMessage } from '../../shared/codec.js'
import { Code } from '../../shared/codes.js'
import type { Transport } from '../session/session.js'
import { frame } from '../websocket/frame.js'
import type { Line } from '../websocket/line.js'
import type { ServerSocket, SocketEvents } from '../websocket/server-socket.js'

/** PROTOCOL W6: an awareness update about nobody. */
const SIGN_OF_LIFE: readonly Uint8Array[] = [
  frame(encodeMessage({ type: 'awareness', update: Uint8Array.of(0) })),
]

/** How long a peer has to answer when somebody wants to know whether it is still there. */
const PROBE_MS = 3000

/** What a connection tells whoever made it. */
export interface ConnectionEvents extends Pick<SocketEvents, 'read' | 'drained' | 'failed' | 'ended'> {
  message(payload: Uint8Array): void
  /** A ping has arrived. */
  pinged(): void
  /** We close it. */
  closing(code: number, reason: string): void
}

/**
 * One client's connection: heartbeat, its end, and two reasons not to read. What is written goes to the {@link outlet}.
 */
export class Connection implements Transport {
  readonly outlet: Line
  readonly #wire: ServerSocket
  readonly #events: ConnectionEvents
  #open = true
  /** Why nothing is read: the session asked for it, or the pace did. */
  #paused = false
  #held = false
  /** Since the last {@link beat}. */
  #heard = true
  #pinged = false
  /** Since the last {@link probe}. */
  #answered = true
  #probe: NodeJS.Timeout | null = null

  constructor(wire: ServerSocket, events: ConnectionEvents) {
    this.outlet = wire.line
    this.#wire = wire
    this.#events = events
    wire.start({
      message: (payload, isBinary) => {
        if (!this.#open) return
        if (!isBinary) this.close(Code.badMessage, 'text frames are not spoken here')
        else events.message(payload)
      },
      pinged: (payload) => {
        if (!this.#open) return
        events.pinged()
        // One that doesn't read its answers gets no more of them.
        if (!wire.line.congested) wire.pong(payload)
      },
      read: (bytes) => {
        this.#heard = true
        this.#answered = true
        if (this.#open) events.read(bytes)
      },
      failed: (error, code) => {
        this.#open = false
        events.failed(error, code)
      },
      drained: () => {
        if (this.#open) events.drained()
      },
      ended: (code) => {
        this.#open = false
        if (this.#probe) clearTimeout(this.#probe)
        events.ended(code)
      },
    })
  }

  get full(): boolean {
    return this.outlet.full
  }

  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#events.closing(code, reason)
    if (this.outlet.midway) {
      // A close frame can't come in the middle of another. It comes back and is told then.
      this.#wire.terminate()
      return
    }
    this.#wire.close(code, reason)
    // The answer to our close frame must be readable.
    this.resume()
    this.release()
  }

  /** Ends the connection without a word, for one that doesn't answer any more. */
  terminate(): void {
    this.#open = false
    this.#wire.terminate()
  }

  pause(): void {
    this.#paused = true
    this.#wire.pause()
  }

  resume(): void {
    this.#paused = false
    this.#readOn()
  }

  /** Stops reading too, for another reason: both must be gone. */
  hold(): void {
    this.#held = true
    this.#wire.pause()
  }

  release(): void {
    this.#held = false
    this.#readOn()
  }

  /** Asks whether the other end is still there, and cuts it off if nothing comes in time. */
  probe(): void {
    // No ping fits into the middle of a message; the heartbeat looks whether the client takes that message.
    if (this.#probe || !this.#open || this.outlet.streaming) return
    this.#answered = false
    this.#wire.ping()
    this.#probe = setTimeout(() => {
      this.#probe = null
      if (!this.#answered && !this.#wire.paused) this.terminate()
    }, PROBE_MS)
  }

  /**
   * The heartbeat, called for all connections at an interval: ends those that said nothing since the last ping,
   * pings the others, and says something to a client that heard nothing (PROTOCOL W6).
   *
   * @param ping whether this beat is one that pings.
   */
  beat(ping: boolean): void {
    const { outlet } = this
    if (!outlet.spoke() && this.#open && !outlet.congested) {
      outlet.write(SIGN_OF_LIFE)
      outlet.spoke()
    }
    if (!ping) return
    if (outlet.streaming) {
      // No ping fits into the middle of a message: that the client takes it is its sign of life.
      if (outlet.flowed() || this.#heard) this.#heard = this.#pinged = false
      else this.terminate()
      return
    }
    // While we don't read from it, we can't hear its answer.
    if (this.#pinged && !this.#heard && !this.#wire.paused) {
      this.terminate()
      return
    }
    this.#heard = false
    this.#pinged = true
    if (this.#open) this.#wire.ping()
  }

  #readOn(): void {
    if (this.#wire.paused && !this.#paused && !this.#held) this.#wire.resume()
  }
}
