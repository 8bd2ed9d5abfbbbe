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
}

/** A close reason has 123 bytes at most (RFC 6455 §5.5). */
const REASON_BYTES = 123

/** What a connection tells whoever made it. */
export interface ConnectionEvents {
  message(payload: Uint8Array): void
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
  #paused = false
  /** Since the last {@link beat}. */
  #heard = true
  #spoke = false
  #pinged = false

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
      this.#heard = true
      if (!this.#open) return
      if (!isBinary) this.close(Code.badMessage, 'text frames are not spoken here')
      else events.message(data as Buffer)
    })
    ws.on('pong', () => {
      this.#heard = true
    })
    // The library closes with the right code by itself (1002, 1007, 1009) and says so here.
    ws.on('error', (error) => {
      this.#open = false
      events.failed(error, CODES_BY_ERROR[(error as NodeJS.ErrnoException).code ?? ''] ?? PROTOCOL_ERROR)
    })
    ws.on('close', (code) => {
      this.#open = false
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
  }

  /** Ends the connection without a word, for one that doesn't answer any more. */
  terminate(): void {
    this.#open = false
    this.#ws.terminate()
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#ws.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#ws.resume()
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
    if (this.#pinged && !this.#heard) {
      this.terminate()
      return
    }
    this.#heard = false
    this.#pinged = true
    if (this.#open) this.#ws.ping()
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
