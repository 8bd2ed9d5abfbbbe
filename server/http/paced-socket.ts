import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/**
 * How much of what has arrived is parsed at once, bytes. The shortest requests take a hundredth of a millisecond each.
 */
const PIECE_BYTES = 2048

/** When sockets that speak HTTP have their turns. */
export interface HttpTurns {
  /** When a piece of what they bring is parsed. */
  readonly parsing: {
    /** Whether it may be now; if so, `done` is called after it. */
    begin(): boolean
    done(): void
    /** Otherwise it is in its turn. */
    later(task: () => void): void
  }
  /** When a request is answered: one in a turn of the event loop, since what an answer takes isn't told at once. */
  readonly answering: { queue(one: { release(): void }): void }
}

/**
 * Has all that the sockets of an HTTP server bring parsed, and answered, in turns: many requests that come in one
 * piece would be parsed in one go, and each of them be answered, whether or not anybody reads the answers.
 */
export const paceSockets = (http: Server, turns: HttpTurns): void => {
  // Node parses straight from a system's socket, 64 KiB at a time and more; from any other stream what it is given.
  for (const accept of http.listeners('connection')) {
    http.off('connection', accept as (socket: Socket) => void)
    http.on('connection', (raw: Socket) => Reflect.apply(accept, http, [new PacedSocket(raw, turns)]))
  }
}

/**
 * A socket as an HTTP server sees it. What arrives is handed on in pieces, each in its turn, and nothing while a
 * request waits for its answer to be read: the rest stays in the system's buffers, but for some 64 KiB of it, and is
 * the sender's.
 */
export class PacedSocket extends Duplex {
  readonly #raw: Socket
  readonly #turns: HttpTurns
  /** Has arrived, and isn't handed on. */
  #rest: Buffer | null = null
  #ended = false
  /** Whoever parses wants more. */
  #wanted = false
  /** Its turn to hand something on is coming. */
  #standing = false
  /** What the request that is being answered gets; others that came in the same piece wait behind it. */
  #answering: ServerResponse | null = null
  #requests: { readonly response: ServerResponse; readonly answer: () => void }[] = []
  #detached = false

  constructor(raw: Socket, turns: HttpTurns) {
    super({ allowHalfOpen: true })
    this.#raw = raw
    this.#turns = turns
    raw.on('data', this.#arrived)
    raw.on('end', this.#over)
    raw.on('timeout', this.#timedOut)
    raw.on('close', this.#gone)
    // An error is followed by the end, which says enough; also of this one, when Node's server doesn't listen any more.
    raw.on('error', ignore)
    this.on('error', ignore)
  }

  /** Calls `answer` when the requests before have been answered, and it is the socket's turn. */
  request(response: ServerResponse, answer: () => void): void {
    this.#requests.push({ response, answer })
    if (!this.#answering) this.#answerNext()
  }

  /**
   * Gives the socket back, with what nobody has taken of what arrived: it doesn't speak HTTP any more. While a request
   * isn't answered it is cut instead, and null: the answer would go out between what comes after it. Who waits for
   * answers doesn't get there.
   */
  detach(): Socket | null {
    const raw = this.#raw
    if (this.#answering) {
      this.destroy()
      return null
    }
    this.#detached = true
    raw.off('data', this.#arrived)
    raw.off('end', this.#over)
    raw.off('timeout', this.#timedOut)
    raw.off('close', this.#gone)
    raw.off('error', ignore)
    if (this.#rest) raw.unshift(this.#rest)
    this.#rest = null
    // As Node's HTTP server does it: it flows as soon as somebody listens, and not before.
    Object.assign(raw, { readableFlowing: null })
    return raw
  }

  get remoteAddress(): string | undefined {
    return this.#raw.remoteAddress
  }

  get remoteFamily(): string | undefined {
    return this.#raw.remoteFamily
  }

  get remotePort(): number | undefined {
    return this.#raw.remotePort
  }

  get localAddress(): string | undefined {
    return this.#raw.localAddress
  }

  get localPort(): number | undefined {
    return this.#raw.localPort
  }

  /** For Node's HTTP server, which says how long it may be silent. */
  setTimeout(ms: number): this {
    if (!this.#detached) this.#raw.setTimeout(ms)
    return this
  }

  /** For Node's HTTP server, which would leave it half open without. */
  destroySoon(): void {
    if (!this.writableEnded) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  override _read(): void {
    this.#wanted = true
    this.#handOn(false)
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#raw.write(chunk, done)
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#raw.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
  }

  override _final(done: () => void): void {
    this.#raw.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#rest = null
    this.#requests = []
    if (!this.#detached) this.#raw.destroy()
    done(error)
  }

  readonly #arrived = (chunk: Buffer): void => {
    this.#rest = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    this.#handOn(true)
    if (this.#rest) this.#raw.pause()
  }

  readonly #over = (): void => {
    this.#ended = true
    this.#handOn(false)
  }

  readonly #timedOut = (): void => {
    this.emit('timeout')
  }

  readonly #gone = (): void => {
    this.destroy()
  }

  /** @param now whether it may be at once, if there is time: whoever reads would not be called from within `_read`. */
  #handOn(now: boolean): void {
    if (!this.#wanted || this.#standing || this.#holds()) return
    if (!this.#rest) {
      if (this.#ended) this.push(null)
      else this.#raw.resume()
      return
    }
    const { parsing } = this.#turns
    if (now && parsing.begin()) {
      try {
        this.#handOnPiece(this.#rest)
      } finally {
        parsing.done()
      }
      return
    }
    this.#standing = true
    parsing.later(() => {
      this.#standing = false
      if (this.#rest && !this.#holds()) this.#handOnPiece(this.#rest)
    })
  }

  /** Whether nothing more is handed on for now. Who answers may want the request's body first. */
  #holds(): boolean {
    return (
      this.#detached || this.destroyed || this.#requests.length > 0 || this.#answering?.req.complete === true
    )
  }

  #handOnPiece(rest: Buffer): void {
    this.#rest = rest.length > PIECE_BYTES ? rest.subarray(PIECE_BYTES) : null
    this.#wanted = false
    this.push(rest.subarray(0, PIECE_BYTES))
  }

  #answerNext(): void {
    const next = this.#requests.shift()
    this.#answering = next?.response ?? null
    if (!next) {
      this.#handOn(false)
      return
    }
    this.#turns.answering.queue({
      release: () => {
        if (this.destroyed || this.#detached) return
        next.response.once('close', () => this.#answerNext())
        next.answer()
      },
    })
  }
}

const ignore = (): void => {}
