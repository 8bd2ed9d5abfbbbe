import type { Duplex } from 'node:stream'
import { controlFrame } from './frame.js'
import { FrameError, FrameReader, NO_CODE, Opcode } from './frame-reader.js'
import { Line, type LineOptions } from './line.js'

/** How long a client may take to answer a close frame, ms; then its socket is cut. */
const CLOSE_TIMEOUT_MS = 3000
/** The connection ended without a close frame (RFC 6455 §7.1.5). */
const NO_CLOSE_FRAME = 1006
/** A close reason has 123 bytes at most (RFC 6455 §5.5). */
const REASON_BYTES = 123
const NOTHING = new Uint8Array(0)

/** What a WebSocket tells whoever has it. */
export interface SocketEvents {
  message(payload: Uint8Array, isBinary: boolean): void
  /** A ping, which is to be answered. */
  pinged(payload: Uint8Array): void
  /** So many bytes have arrived, and all messages that they completed. */
  read(bytes: number): void
  /** The peer broke the WebSocket protocol, for which it is closed with `code`; the end follows. */
  failed(error: Error, code: number): void
  /** All that waited to be sent has gone out. */
  drained(): void
  /** It is gone. @param code what the peer's close frame said; 1005 nothing, 1006 that there was none. */
  ended(code: number): void
}

/** What says when something is worked off. */
export interface Schedule {
  /** Whether it may be now; if so, {@link done} is called after it. */
  begin(): boolean
  done(): void
  /** Otherwise it is in its turn. */
  later(task: () => void): void
}

/** How a {@link ServerSocket} reads. */
export interface SocketOptions {
  /** More in one message closes it with 1009. */
  readonly maxMessageBytes: number
  readonly reading: Schedule
  readonly writing: LineOptions
}

/**
 * A WebSocket whose opening handshake is done, seen from the server (RFC 6455 §5 to 7): reads frames, keeps the order
 * of the close handshake. Messages go out as the frames that a room made for all, written to its {@link line} as they
 * are.
 */
export class ServerSocket {
  /** For frames; takes none when this is no longer {@link open}. */
  readonly line: Line
  readonly #socket: Duplex
  readonly #reader: FrameReader
  #events: SocketEvents | null = null
  readonly #reading: Schedule
  /** Has arrived, and waits for its turn. */
  #waiting: Buffer | null = null
  #paused = false
  #sentClose = false
  /** What the peer's close frame said. */
  #code: number | null = null
  #failed = false
  #cut: NodeJS.Timeout | null = null

  /** @param head what came together with the handshake. */
  constructor(socket: Duplex, head: Uint8Array, { maxMessageBytes, reading, writing }: SocketOptions) {
    this.#socket = socket
    this.line = new Line(socket, writing, () => this.#events?.drained())
    this.#reading = reading
    if (head.length > 0) socket.unshift(head)
    this.#reader = new FrameReader(maxMessageBytes, {
      message: (payload, isBinary) => this.#events?.message(payload, isBinary),
      ping: (payload) => this.#events?.pinged(payload),
      pong: ignore,
      close: (code, reason) => this.#closed(code, reason),
    })
  }

  /** Begins to read; what has arrived comes after this turn's work. */
  start(events: SocketEvents): void {
    this.#events = events
    const socket = this.#socket
    socket.on('data', this.#arrived)
    takeDirectly(socket, this.#arrived)
    socket.on('drain', this.#drained)
    socket.on('end', this.#ended)
    // An error destroys the socket; its end says enough.
    socket.on('error', ignore)
    socket.once('close', () => this.#inTurn(() => this.#gone()))
  }

  /** Whether neither side has begun to close it, with or without a close frame. */
  get open(): boolean {
    return !this.#sentClose && !this.#deaf && this.#socket.writable
  }

  /** Whether nothing is read for now: somebody wants it so, or something waits for its turn. */
  get paused(): boolean {
    return this.#paused || this.#waiting !== null
  }

  ping(): void {
    if (this.open) this.line.control(controlFrame(Opcode.ping, NOTHING))
  }

  pong(payload: Uint8Array): void {
    if (this.open) this.line.control(controlFrame(Opcode.pong, payload))
  }

  /** Begins the close handshake (RFC 6455 §7.1.2). A reason that is too long is cut. */
  close(code: number, reason: string): void {
    this.#sendClose(code, shortened(reason))
  }

  /** Ends it without a word. */
  terminate(): void {
    this.line.close()
    this.#socket.destroy()
  }

  /** Nothing more is read, but what has arrived already. */
  pause(): void {
    this.#paused = true
    if (!this.#deaf) this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (!this.#waiting) this.#flow()
  }

  /** Whether what still comes is thrown away (RFC 6455 §5.5.1, 7.1.7). */
  get #deaf(): boolean {
    return this.#code !== null || this.#failed
  }

  readonly #arrived = (chunk: Buffer): void => {
    if (this.#deaf) return
    if (!this.#reading.begin()) {
      this.#waiting = chunk
      this.#socket.pause()
      this.#reading.later(() => this.#readOn())
      return
    }
    try {
      this.#read(chunk)
    } finally {
      this.#reading.done()
    }
  }

  /** Now, or in its turn: many leave at once, too. */
  #inTurn(task: () => void): void {
    if (!this.#reading.begin()) {
      this.#reading.later(task)
      return
    }
    try {
      task()
    } finally {
      this.#reading.done()
    }
  }

  /** Reads what has waited for its turn. */
  #readOn(): void {
    const chunk = this.#waiting
    if (!chunk) return
    this.#waiting = null
    this.#read(chunk)
    if (!this.#paused) this.#flow()
  }

  /** From one that has failed it would throw away what is left, which {@link #gone} reads. */
  #flow(): void {
    if (!this.#socket.destroyed) this.#socket.resume()
  }

  #read(chunk: Buffer): void {
    if (this.#deaf) return
    try {
      this.#reader.read(chunk)
    } catch (error) {
      if (error instanceof FrameError) this.#fail(error)
      else this.#abandon(error)
    }
    this.#events?.read(chunk.length)
  }

  #fail(error: FrameError): void {
    this.#failed = true
    this.#events?.failed(error, error.code)
    this.#sendClose(error.code, NOTHING)
    this.#finish()
  }

  /**
   * Whoever was told of a message has thrown: the rest of the piece is lost, and nothing behind it would make sense.
   */
  #abandon(error: unknown): never {
    this.#failed = true
    this.#socket.destroy()
    throw error
  }

  #closed(code: number, reason: Uint8Array): void {
    this.#code = code
    this.#sendClose(code, reason)
    this.#finish()
  }

  #sendClose(code: number, reason: Uint8Array): void {
    if (this.#sentClose || !this.#socket.writable) return
    this.#sentClose = true
    this.#cutLater()
    // In the middle of a message it might even complete that: then the end is told without.
    if (!this.line.midway)
      this.line.control(controlFrame(Opcode.close, code === NO_CODE ? NOTHING : closing(code, reason)))
    this.line.close()
  }

  /** All is said. What still comes is thrown away; the server is the first to close (RFC 6455 §7.1.1). */
  #finish(): void {
    this.#paused = false
    this.#flow()
    this.#socket.end()
  }

  readonly #drained = (): void => this.line.goOn()

  /** The peer has closed its side; it gets what is on its way, if it takes that. */
  readonly #ended = (): void => {
    this.#cutLater()
    this.#inTurn(() => {
      this.line.close()
      this.#socket.end()
    })
  }

  #cutLater(): void {
    this.#cut ??= setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS)
  }

  #gone(): void {
    const socket = this.#socket
    this.line.close()
    // Before what is left is read, or it would come twice.
    socket.off('data', this.#arrived).off('drain', this.#drained).off('end', this.#ended)
    try {
      this.#readOn()
      // What came before it was cut off while nothing was read of it. All of it: by itself `read` gives one piece.
      const left = socket.readableLength > 0 ? (socket.read(socket.readableLength) as Buffer | null) : null
      if (left) this.#read(left)
    } finally {
      if (this.#cut) clearTimeout(this.#cut)
      const events = this.#events
      this.#events = null
      events?.ended(this.#code ?? NO_CLOSE_FRAME)
    }
  }
}

/**
 * Hands what arrives to `take` without the detour through the stream, if that would hand it on at once: of a short
 * message, the stream's own work is a good part. Whatever enters a readable stream enters it by `push`.
 */
const takeDirectly = (socket: Duplex, take: (chunk: Buffer) => void): void => {
  const { push } = socket
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (!(chunk instanceof Buffer) || !socket.readableFlowing || socket.readableLength > 0)
      return push.call(socket, chunk, encoding)
    take(chunk)
    return true
  }
}

const closing = (code: number, reason: Uint8Array): Uint8Array => {
  const payload = new Uint8Array(2 + reason.length)
  payload[0] = code >> 8
  payload[1] = code
  payload.set(reason, 2)
  return payload
}

const shortened = (reason: string): Uint8Array => {
  const bytes = Buffer.from(reason)
  if (bytes.length <= REASON_BYTES) return bytes
  // Cut between characters: an incomplete one would make the close frame invalid.
  let end = REASON_BYTES
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

const ignore = (): void => {}
