import type { Duplex } from 'node:stream'
import { descriptorOf, NO_DESCRIPTOR, writeNow } from './descriptor.js'
import type { Flowing, Outflow } from './outflow.js'

/** Words to one that reads nothing which may wait behind a message that goes out in pieces. */
const MOST_STREAMS = 256
/** A short copy costs less than a second buffer to write. */
const SHORT_BYTES = 2048

/** What counts what goes out. */
interface Counters {
  bytesOut: number
}

/** What a line is told about its surroundings. */
export interface LineOptions {
  readonly counters: Counters
  /** More than that waiting to be sent is congestion. */
  readonly maxBufferedBytes: number
  readonly outflow: Outflow
}

/**
 * All that goes out over a socket: frames as a room made them, in one go, and messages in pieces. Nobody else writes to
 * the socket.
 *
 * While nothing waits in the stream, frames are handed to the system past it ({@link writeNow}). In a flush to a
 * thousand members the stream would cost as much again as half of the system call: not by what it does, but since a
 * dozen of its objects for each member have to come into the processor's caches. For the same reason all that a flush
 * needs of a line lies in it, side by side.
 */
export class Line implements Flowing {
  readonly #fd: number
  /** Nothing waits, and what is written goes past the stream. */
  #straight = false
  #spoke = false
  readonly #counters: Counters
  readonly #socket: Duplex
  #open = true
  /** What goes out in pieces, and what was written after it. */
  #streams: Iterator<readonly Uint8Array[]>[] = []
  /** Of the first of these a part is written, so what else were written now would be taken for the next. */
  #midway = false
  #gathers = false
  #gathering = false
  #flowed = false
  readonly #maxBufferedBytes: number
  readonly #outflow: Outflow
  readonly #drained: () => void

  /** @param drained what waited has gone out, and there is nothing more that goes out in pieces. */
  constructor(socket: Duplex, { counters, maxBufferedBytes, outflow }: LineOptions, drained: () => void) {
    this.#socket = socket
    this.#fd = descriptorOf(socket, () => this.close())
    this.#counters = counters
    this.#maxBufferedBytes = maxBufferedBytes
    this.#outflow = outflow
    this.#drained = drained
  }

  /** More is waiting to be sent than the server wants to hold, or a message goes out in pieces. */
  get congested(): boolean {
    if (this.#straight) return false
    return this.#streams.length > 0 || this.#socket.writableLength > this.#maxBufferedBytes
  }

  /** Not even a word more should be sent. */
  get full(): boolean {
    return this.#streams.length > MOST_STREAMS || this.#socket.writableLength > this.#maxBufferedBytes
  }

  /** Whether a message is going out in pieces. */
  get streaming(): boolean {
    return this.#streams.length > 0
  }

  /** Whether the end of a message may be missing of what has been written. */
  get midway(): boolean {
    return this.#midway
  }

  /**
   * From now on hands to the system in one go whatever is written until the event loop goes on: for one that is written
   * to by many (PROTOCOL X11), whose rooms flush together.
   */
  gather(): void {
    this.#gathers = true
    this.#straight = false
  }

  /** Writes ready-made frames in order, in one go. */
  write(frames: readonly Uint8Array[]): void {
    if (this.#straight) {
      this.#spoke = true
      this.#put(frames)
      return
    }
    // Of the end of one that has no descriptor here, or that Node ends by itself, only the stream knows at first.
    if (!this.#open || !this.#socket.writable) return
    this.#spoke = true
    if (this.#streams.length > 0) this.#streams.push([frames][Symbol.iterator]())
    else this.#put(frames)
  }

  /** Writes a message piece by piece; whatever is written after it comes after it. */
  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    if (!this.#open) return
    this.#streams.push(pieces[Symbol.iterator]())
    this.#straight = false
    this.#flowed = true
    this.#outflow.add(this)
  }

  /** A control frame (RFC 6455 §5.5). Not {@link midway}: it would be taken for a part of the message. */
  control(frame: Uint8Array): void {
    if (this.#open) this.#put([frame])
  }

  /** Writes what goes out in pieces until `bytes` are written, or the socket is backed up. */
  flow(bytes: number): { readonly written: number; readonly more: boolean } {
    let written = 0
    if (!this.#socket.writable) this.#streams = []
    // Not at what waits: of little that waits the socket doesn't say when it is gone.
    while (written < bytes && !this.#socket.writableNeedDrain) {
      const [stream] = this.#streams
      if (!stream) break
      const { value: piece, done } = stream.next()
      this.#midway = !done
      if (done) {
        this.#streams.shift()
        continue
      }
      this.#spoke = this.#flowed = true
      this.#put(piece)
      for (const { length } of piece) written += length
    }
    // Otherwise the socket says when it goes on.
    const ready = !this.#socket.writableNeedDrain
    if (ready && this.#open && this.#streams.length === 0) this.#drained()
    return { written, more: ready && this.#streams.length > 0 }
  }

  /** The socket says that what waited in it has gone out. */
  goOn(): void {
    if (this.#streams.length > 0) this.#outflow.add(this)
    else if (this.#open) this.#drained()
  }

  /** Nothing is written any more, nor anything of what was to go out in pieces. Idempotent. */
  close(): void {
    this.#open = false
    this.#straight = false
    this.#streams = []
    this.#outflow.delete(this)
  }

  /** Whether anything was written since it was asked the last time. */
  spoke(): boolean {
    const spoke = this.#spoke
    this.#spoke = false
    return spoke
  }

  /** Whether anything of a message in pieces was written since it was asked the last time. */
  flowed(): boolean {
    const flowed = this.#flowed
    this.#flowed = false
    return flowed
  }

  #put(frames: readonly Uint8Array[]): void {
    if (!this.#straight) this.#straighten()
    const whole = inOne(frames)
    if (!whole) {
      this.#cork(frames)
      return
    }
    this.#counters.bytesOut += whole.length
    let rest = whole
    if (this.#straight) {
      const taken = writeNow(this.#fd, whole)
      if (taken === whole.length) return
      this.#straight = false
      rest = whole.subarray(taken)
    }
    if (this.#gathers) this.#gather()
    this.#socket.write(rest)
  }

  /** Several large ones in one system call. */
  #cork(frames: readonly Uint8Array[]): void {
    this.#straight = false
    if (this.#gathers) this.#gather()
    this.#socket.cork()
    for (const each of frames) {
      this.#counters.bytesOut += each.length
      this.#socket.write(each)
    }
    this.#socket.uncork()
  }

  #straighten(): void {
    this.#straight =
      this.#fd !== NO_DESCRIPTOR &&
      this.#open &&
      !this.#gathers &&
      this.#streams.length === 0 &&
      this.#socket.writableLength === 0
  }

  #gather(): void {
    if (this.#gathering) return
    this.#gathering = true
    this.#socket.cork()
    process.nextTick(() => {
      this.#gathering = false
      this.#socket.uncork()
    })
  }
}

/** Frames as one buffer, if that is to be had cheaply. */
const inOne = (frames: readonly Uint8Array[]): Uint8Array | null => {
  const [first] = frames
  if (first && frames.length === 1) return first
  let bytes = 0
  for (const { length } of frames) bytes += length
  return bytes < SHORT_BYTES ? Buffer.concat(frames, bytes) : null
}
