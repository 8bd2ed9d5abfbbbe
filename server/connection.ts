import type { Duplex } from 'node:stream'
import { encodeMessage } from '../shared/codec.js'
import { Code } from '../shared/codes.js'
import type { Counters } from './observe/counters.js'
import type { Flowing, Outflow } from './outflow.js'
import type { Transport } from './session.js'
import { frame } from './websocket/frame.js'
import type { ServerSocket, SocketEvents } from './websocket/server-socket.js'

/** PROTOCOL W6: an awareness update about nobody. */
const SIGN_OF_LIFE: readonly Uint8Array[] = [
  frame(encodeMessage({ type: 'awareness', update: Uint8Array.of(0) })),
]

/** Words to one that reads nothing which may wait behind a message that goes out in pieces. */
const MOST_STREAMS = 256

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

/** What a connection is told about its surroundings. */
export interface ConnectionOptions {
  readonly counters: Counters
  /** More than that waiting to be sent is congestion. */
  readonly maxBufferedBytes: number
  readonly outflow: Outflow
  /**
   * Hands to the system in one go whatever is written until the event loop goes on: for one that is written to by many
   * (PROTOCOL X11), whose rooms flush together.
   */
  readonly gather: boolean
}

/**
 * One client's connection: heartbeat, backpressure, what goes out in pieces.
 *
 * Frames that a room made for all its members are written to the socket as they are.
 */
export class Connection implements Transport, Flowing {
  readonly #wire: ServerSocket
  readonly #socket: Duplex
  readonly #events: ConnectionEvents
  readonly #counters: Counters
  readonly #maxBufferedBytes: number
  readonly #outflow: Outflow
  readonly #gather: boolean
  #gathering = false
  /** What goes out in pieces, and what was written after it. */
  #streams: Iterator<readonly Uint8Array[]>[] = []
  #open = true
  /** Why nothing is read: the session asked for it, or the pace did. */
  #paused = false
  #held = false
  /** Since the last {@link beat}. */
  #heard = true
  #spoke = false
  #pinged = false
  /** Since the last beat with a ping: some of a message that goes out in pieces. */
  #flowed = false
  /** Since the last {@link probe}. */
  #answered = true
  #probe: NodeJS.Timeout | null = null

  constructor(wire: ServerSocket, events: ConnectionEvents, options: ConnectionOptions) {
    this.#wire = wire
    this.#socket = wire.socket
    this.#events = events
    this.#counters = options.counters
    this.#maxBufferedBytes = options.maxBufferedBytes
    this.#outflow = options.outflow
    this.#gather = options.gather
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
        if (!this.congested) wire.pong(payload)
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
        if (this.#streams.length > 0) this.#outflow.add(this)
        else if (this.#open) events.drained()
      },
      ended: (code) => {
        this.#open = false
        if (this.#probe) clearTimeout(this.#probe)
        this.#outflow.delete(this)
        events.ended(code)
      },
    })
  }

  get congested(): boolean {
    return this.#streams.length > 0 || this.#socket.writableLength > this.#maxBufferedBytes
  }

  get full(): boolean {
    return this.#streams.length > MOST_STREAMS || this.#socket.writableLength > this.#maxBufferedBytes
  }

  write(frames: readonly Uint8Array[]): void {
    if (!this.#open || !this.#wire.open) return
    this.#spoke = true
    if (this.#streams.length > 0) {
      this.#streams.push([frames][Symbol.iterator]())
      return
    }
    this.#write(frames)
  }

  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    if (!this.#open) return
    this.#streams.push(pieces[Symbol.iterator]())
    this.#flowed = true
    this.#outflow.add(this)
  }

  /** Writes what goes out in pieces until `bytes` are written, or the socket is backed up. */
  flow(bytes: number): { readonly written: number; readonly more: boolean } {
    let written = 0
    // A close frame was answered.
    if (!this.#wire.open) this.#streams = []
    // Not at what waits: of little that waits the socket doesn't say when it is gone.
    while (written < bytes && !this.#socket.writableNeedDrain) {
      const [stream] = this.#streams
      if (!stream) break
      const { value: piece, done } = stream.next()
      if (done) {
        this.#streams.shift()
        continue
      }
      this.#spoke = this.#flowed = true
      this.#write(piece)
      for (const { length } of piece) written += length
    }
    // Otherwise the socket says when it goes on.
    const ready = !this.#socket.writableNeedDrain
    if (ready && this.#open && this.#streams.length === 0) this.#events.drained()
    return { written, more: ready && this.#streams.length > 0 }
  }

  #write(frames: readonly Uint8Array[]): void {
    if (this.#gather && !this.#gathering) {
      this.#gathering = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#gathering = false
        this.#socket.uncork()
      })
    }
    const whole = inOne(frames)
    if (whole) {
      this.#counters.bytesOut += whole.length
      this.#socket.write(whole)
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
    if (this.#streams.length > 0) {
      // A close frame can't come in the middle of another. It comes back and is told then.
      this.#streams = []
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
    // In the middle of a message it can't be asked; the heartbeat looks at whether it takes it.
    if (this.#probe || !this.#open || this.#streams.length > 0) return
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
    if (this.#open && !this.#spoke && !this.congested) this.write(SIGN_OF_LIFE)
    this.#spoke = false
    if (!ping) return
    if (this.#streams.length > 0) {
      // In the middle of a message it can't be asked: that it takes it is its sign of life.
      if (this.#flowed || this.#heard) this.#flowed = this.#heard = this.#pinged = false
      else this.terminate()
      return
    }
    // Whom we don't read we can't hear.
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

/** A short copy costs less than a second buffer to write. */
const SHORT_BYTES = 2048

/** Frames as one buffer, if that is to be had cheaply. */
const inOne = (frames: readonly Uint8Array[]): Uint8Array | null => {
  const [first] = frames
  if (first && frames.length === 1) return first
  let bytes = 0
  for (const { length } of frames) bytes += length
  return bytes < SHORT_BYTES ? Buffer.concat(frames, bytes) : null
}
