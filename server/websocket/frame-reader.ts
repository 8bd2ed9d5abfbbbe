import { isUtf8 } from 'node:buffer'
import { Gathered } from './gathered.js'
import { unmask } from './unmask.js'

/** Close codes of RFC 6455 §7.4.1 that a reader fails with. */
const PROTOCOL_ERROR = 1002
const NOT_UTF8 = 1007
const TOO_MANY_PARTS = 1008
const TOO_BIG = 1009
/** A close frame without a code (RFC 6455 §7.1.5). */
export const NO_CODE = 1005

/** Opcodes (RFC 6455 §5.2). */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

const FIN = 0x80
const RESERVED = 0x70
const OPCODE = 0x0f
const MASKED = 0x80
const LENGTH = 0x7f
const MASK_BYTES = 4
/** The longest header that a client can send. */
const MOST_HEADER_BYTES = 14
/** A control frame holds no more (RFC 6455 §5.5). */
const MOST_CONTROL_BYTES = 125
/** A message in more fragments is work without content. */
const MOST_FRAGMENTS = 16_384

/** What a peer sent breaks the WebSocket protocol; `code` is what its connection is closed with. */
export class FrameError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'FrameError'
    this.code = code
  }
}

/** What is in the frames that a reader is given. Bytes are the callee's for as long as it likes. */
export interface FrameEvents {
  /** A whole message, however many fragments it came in. */
  message(payload: Uint8Array, isBinary: boolean): void
  ping(payload: Uint8Array): void
  pong(): void
  /** The last frame. @param code {@link NO_CODE} when there is none in it. */
  close(code: number, reason: Uint8Array): void
}

/** The frame that is being read. */
interface Head {
  readonly opcode: number
  readonly final: boolean
  readonly length: number
  readonly mask: Uint8Array
}

/**
 * Takes apart what a WebSocket client sends (RFC 6455 §5), in whatever pieces it comes.
 *
 * A message that came in one piece is a view of it, unmasked where it lies; one that didn't is put together. Nothing is
 * allocated for what a header claims, only for what has come.
 *
 * @example
 *   const reader = new FrameReader(2 ** 20, events)
 *   socket.on('data', (chunk) => reader.read(chunk))
 */
export class FrameReader {
  readonly #mostBytes: number
  readonly #events: FrameEvents
  /** A header that hasn't come whole. */
  #start: Uint8Array | null = null
  /** A frame whose payload hasn't come whole, and what has come of it. */
  #head: Head | null = null
  #arrived = 0
  #control: Gathered | null = null
  /** A message that hasn't come whole, of what kind, and of how many frames. */
  #message: Gathered | null = null
  #kind: number = Opcode.continuation
  #fragments = 0
  #ended = false

  /** @param mostBytes what a message may have. */
  constructor(mostBytes: number, events: FrameEvents) {
    this.#mostBytes = mostBytes
    this.#events = events
  }

  /**
   * Takes the next piece of the stream, which becomes the reader's. After a close frame or an error it takes nothing.
   *
   * @throws FrameError
   */
  read(chunk: Uint8Array): void {
    let bytes = chunk
    if (this.#start && !this.#head) {
      bytes = new Uint8Array(this.#start.length + chunk.length)
      bytes.set(this.#start)
      bytes.set(chunk, this.#start.length)
      this.#start = null
    }
    let at = 0
    while (!this.#ended && at < bytes.length) {
      const head = this.#head
      if (head) {
        at += this.#proceed(head, bytes.subarray(at, at + head.length - this.#arrived))
        continue
      }
      const size = headerSize(bytes, at)
      if (size > bytes.length - at) {
        // A view of a few bytes would keep all that came with them.
        this.#start = new Uint8Array(bytes.subarray(at))
        return
      }
      at = this.#begin(bytes, at, size)
    }
  }

  /** Reads a header, and the payload if it is there whole; returns the offset behind what was read. */
  #begin(bytes: Uint8Array, at: number, size: number): number {
    const first = bytes[at] as number
    const opcode = first & OPCODE
    const final = (first & FIN) !== 0
    const length = payloadLength(bytes, at)
    this.#check(first, bytes[at + 1] as number, length)
    const from = at + size
    const mask = bytes.subarray(from - MASK_BYTES, from)
    if (bytes.length - from < length) {
      this.#head = { opcode, final, length, mask: new Uint8Array(mask) }
      this.#arrived = 0
      return from
    }
    const payload = bytes.subarray(from, from + length)
    unmask(payload, mask)
    if (opcode >= Opcode.close) this.#controlled(opcode, payload)
    else this.#data(opcode, final, payload)
    return from + length
  }

  /** Takes more of the frame that is being read; returns how much. */
  #proceed(head: Head, payload: Uint8Array): number {
    unmask(payload, head.mask, this.#arrived)
    this.#arrived += payload.length
    const complete = this.#arrived === head.length
    if (complete) this.#head = null
    if (head.opcode < Opcode.close) {
      this.#gather(head, payload, complete)
      return payload.length
    }
    this.#control ??= new Gathered(head.length)
    this.#control.add(payload)
    if (complete) {
      const whole = this.#control.take()
      this.#control = null
      this.#controlled(head.opcode, whole)
    }
    return payload.length
  }

  #gather({ opcode, final, length }: Head, payload: Uint8Array, complete: boolean): void {
    // The frame's first piece says what it is the beginning of.
    if (this.#arrived === payload.length) this.#fragment(opcode)
    this.#message ??= new Gathered(final ? length : this.#mostBytes)
    this.#message.add(payload)
    if (complete && final) this.#finish()
  }

  #data(opcode: number, final: boolean, payload: Uint8Array): void {
    if (final && opcode !== Opcode.continuation) {
      this.#deliver(opcode, payload)
      return
    }
    this.#fragment(opcode)
    this.#message ??= new Gathered(this.#mostBytes)
    this.#message.add(payload)
    if (final) this.#finish()
  }

  #fragment(opcode: number): void {
    if (opcode !== Opcode.continuation) this.#kind = opcode
    if (++this.#fragments > MOST_FRAGMENTS)
      throw this.#failure(TOO_MANY_PARTS, 'a message in too many fragments')
  }

  #finish(): void {
    const payload = this.#message?.take() ?? new Uint8Array(0)
    const kind = this.#kind
    this.#message = null
    this.#kind = Opcode.continuation
    this.#fragments = 0
    this.#deliver(kind, payload)
  }

  #deliver(kind: number, payload: Uint8Array): void {
    if (kind === Opcode.text && !isUtf8(payload)) throw this.#failure(NOT_UTF8, 'a text that is not UTF-8')
    this.#events.message(payload, kind === Opcode.binary)
  }

  #controlled(opcode: number, payload: Uint8Array): void {
    if (opcode === Opcode.ping) this.#events.ping(payload)
    else if (opcode === Opcode.pong) this.#events.pong()
    else this.#close(payload)
  }

  /** RFC 6455 §5.5.1. */
  #close(payload: Uint8Array): void {
    const [high, low] = payload
    if (high === undefined || low === undefined) {
      if (high !== undefined) throw this.#failure(PROTOCOL_ERROR, 'half a close code')
      this.#ended = true
      this.#events.close(NO_CODE, payload)
      return
    }
    const code = high * 256 + low
    const reason = payload.subarray(2)
    if (!maySend(code)) throw this.#failure(PROTOCOL_ERROR, `close code ${code} may not be sent`)
    if (!isUtf8(reason)) throw this.#failure(NOT_UTF8, 'a close reason that is not UTF-8')
    this.#ended = true
    this.#events.close(code, reason)
  }

  /** What a header may not say (RFC 6455 §5.1, 5.2, 5.4, 5.5). */
  #check(first: number, second: number, length: number): void {
    const opcode = first & OPCODE
    if ((first & RESERVED) !== 0) throw this.#failure(PROTOCOL_ERROR, 'a reserved bit is set')
    if ((second & MASKED) === 0) throw this.#failure(PROTOCOL_ERROR, 'a frame that is not masked')
    if (opcode >= Opcode.close) {
      if (opcode > Opcode.pong) throw this.#failure(PROTOCOL_ERROR, `unknown opcode ${opcode}`)
      if ((first & FIN) === 0) throw this.#failure(PROTOCOL_ERROR, 'a control frame in fragments')
      // Not `length`: a short one may be claimed in a long form too.
      if ((second & LENGTH) > MOST_CONTROL_BYTES)
        throw this.#failure(PROTOCOL_ERROR, 'a control frame that is too long')
      return
    }
    if (opcode > Opcode.binary) throw this.#failure(PROTOCOL_ERROR, `unknown opcode ${opcode}`)
    const continues = this.#kind !== Opcode.continuation
    if (continues !== (opcode === Opcode.continuation)) {
      throw this.#failure(
        PROTOCOL_ERROR,
        continues ? 'a message within a message' : 'a continuation of nothing',
      )
    }
    if ((this.#message?.length ?? 0) + length > this.#mostBytes)
      throw this.#failure(TOO_BIG, 'a message that is too long')
  }

  #failure(code: number, message: string): FrameError {
    this.#ended = true
    this.#message = this.#control = null
    return new FrameError(code, message)
  }
}

/** Bytes that a client's header takes; more than there are if that can't be told yet. */
const headerSize = (bytes: Uint8Array, at: number): number => {
  if (bytes.length - at < 2) return MOST_HEADER_BYTES
  const short = (bytes[at + 1] as number) & LENGTH
  const mask = ((bytes[at + 1] as number) & MASKED) === 0 ? 0 : MASK_BYTES
  return 2 + (short < 126 ? 0 : short === 126 ? 2 : 8) + mask
}

const payloadLength = (bytes: Uint8Array, at: number): number => {
  const short = (bytes[at + 1] as number) & LENGTH
  if (short < 126) return short
  let length = 0
  const end = at + (short === 126 ? 4 : 10)
  // Past 2^53 it isn't exact any more, and far too long.
  for (let i = at + 2; i < end; i++) length = length * 256 + (bytes[i] as number)
  return length
}

/** RFC 6455 §7.4: codes that may be in a frame. */
const maySend = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== NO_CODE && code !== 1006) ||
  (code >= 3000 && code <= 4999)
