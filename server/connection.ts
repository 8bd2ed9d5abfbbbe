import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { encodeMessage } from '../shared/codec.js'
import { Code } from '../shared/codes.js'
import { frame } from './frame.js'
import type { Counters } from './observe/counters.js'
import type { Transport } from './session.js'

/** PROTOCOL W6: an awareness update about nobody. */
const SIGN_OF_LIFE: readonly Uint8Array[] = [
  frame(encodeMessage({ type: 'awareness', update: Uint8Array.of(0) })),
]

/** RFC 6455 §7.4.1, for everything in {@link CODES_BY_ERROR} not named. */
const PROTOCOL_ERROR = 1002
/** The close code that goes with an error of the library. */
const CODES_BY_ERROR: { readonly [error: string]: number | undefined } = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: Code.tooBig,
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
}

/** A close reason has 123 bytes at most (RFC 6455 §5.5). */
const REASON_BYTES = 123

/** How long a peer has to answer when somebody wants to know whether it is still there. */
const PROBE_MS = 3000

/** What a connection tells whoever made it. */
export interface ConnectionEvents {
  message(payload: Uint8Array): void
  /** A ping has arrived. */
  pinged(): void
  /** So many bytes have arrived, and all messages that they completed. */
  read(bytes: number): void
  drained(): void
  /** The peer broke the WebSocket protocol, for which it is closed with `code`, or the socket failed; the end follows. */
  failed(error: Error, code: number): void
  /** We close it. */
  closing(code: number, reason: string): void
  ended(code: number): void
}

/**
 * One WebSocket: frames in and out, heartbeat, backpressure. The only code that touches the WebSocket library.
 *
 * Frames that a room made for all its members are written to the raw socket as they are; the library writes only
 * its own control frames, synchronously too as compression is off, so both keep their order.
 */
export class Connection implements Transport {
  readonly #ws: WebSocket
  readonly #socket: Duplex
  readonly #events: ConnectionEvents
  readonly #counters: Counters
  readonly #maxBufferedBytes: number
  #open = true
  /** Why nothing is read: the session asked for it, or the pace did. */
  #paused = false
  #held = false
  /** Since the last {@link beat}. */
  #heard = true
  #spoke = false
  #pinged = false
  /** Since the last {@link probe}. */
  #answered = true
  #probe: NodeJS.Timeout | null = null

  constructor(
    ws: WebSocket,
    socket: Duplex,
    events: ConnectionEvents,
    options: { readonly counters: Counters; readonly maxBufferedBytes: number },
  ) {
    this.#ws = ws
    this.#socket = socket
    this.#events = events
    this.#counters = options.counters
    this.#maxBufferedBytes = options.maxBufferedBytes
    ws.on('message', (data, isBinary) => {
      if (!this.#open) return
      if (!isBinary) this.close(Code.badMessage, 'text frames are not spoken here')
      else events.message(data as Buffer)
    })
    ws.on('ping', (data) => {
      if (!this.#open) return
      events.pinged()
      // One that doesn't read its answers gets no more of them.
      if (!this.congested) ws.pong(data)
    })
    // After the library's own listener: what the bytes completed has been worked off.
    socket.on('data', (bytes: Buffer) => {
      this.#heard = true
      this.#answered = true
      if (this.#open) events.read(bytes.length)
    })
    // The library closes with the right code by itself (1002, 1007, 1009) and says so here.
    ws.on('error', (error) => {
      this.#open = false
      events.failed(error, CODES_BY_ERROR[(error as NodeJS.ErrnoException).code ?? ''] ?? PROTOCOL_ERROR)
    })
    ws.on('close', (code) => {
      this.#open = false
      if (this.#probe) clearTimeout(this.#probe)
      events.ended(code)
    })
    socket.on('drain', () => {
      if (this.#open) events.drained()
    })
  }

  get congested(): boolean {
    return this.#socket.writableLength > this.#maxBufferedBytes
  }

  write(frames: readonly Uint8Array[]): void {
    if (!this.#open) return
    this.#spoke = true
    const only = frames.length === 1 ? frames[0] : undefined
    if (only) {
      this.#counters.bytesOut += only.length
      this.#socket.write(only)
      return
    }
    this.#socket.cork()
    for (const each of frames) {
      this.#counters.bytesOut += each.length
      this.#socket.write(each)
    }
    this.#socket.uncork()
  }

  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#events.closing(code, reason)
    this.#ws.close(code, shortened(reason))
    // The answer to our close frame must be readable.
    this.resume()
    this.release()
  }

  /** Ends the connection without a word, for one that doesn't answer any more. */
  terminate(): void {
    this.#open = false
    this.#ws.terminate()
  }

  pause(): void {
    this.#paused = true
    this.#ws.pause()
  }

  resume(): void {
    this.#paused = false
    this.#readOn()
  }

  /** Stops reading too, for another reason: both must be gone. */
  hold(): void {
    this.#held = true
    this.#ws.pause()
  }

  release(): void {
    this.#held = false
    this.#readOn()
  }

  /** Asks whether the other end is still there, and cuts it off if nothing comes in time. */
  probe(): void {
    if (this.#probe || !this.#open) return
    this.#answered = false
    this.#ws.ping()
    this.#probe = setTimeout(() => {
      this.#probe = null
      if (!this.#answered && !this.#ws.isPaused) this.terminate()
    }, PROBE_MS)
  }

  /**
   * The heartbeat, called for all connections at an interval: ends those that said nothing since the last ping,
   * pings the others, and says something to a client that heard nothing (PROTOCOL W6).
   *
   * @param ping whether this beat is one that pings.
   */
  beat(ping: boolean): void {
    if (this.#open && !this.#spoke) this.write(SIGN_OF_LIFE)
    this.#spoke = false
    if (!ping) return
    // Whom we don't read we can't hear.
    if (this.#pinged && !this.#heard && !this.#ws.isPaused) {
      this.terminate()
      return
    }
    this.#heard = false
    this.#pinged = true
    if (this.#open) this.#ws.ping()
  }

  #readOn(): void {
    if (this.#ws.isPaused && !this.#paused && !this.#held) this.#ws.resume()
  }
}

const shortened = (reason: string): string => {
  const bytes = Buffer.from(reason)
  if (bytes.length <= REASON_BYTES) return reason
  // Cut between characters: an incomplete one would make the close frame invalid.
  let end = REASON_BYTES
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end).toString()
}
