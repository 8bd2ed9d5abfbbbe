/** What a {@link LineWriter} needs of the process. */
export interface LineWriterParts {
  /** As `fs.writeSync`: returns how many bytes went out, which may be fewer; throws when none can. Never waits. */
  readonly write: (bytes: Uint8Array) => number
  /** Calls `task` once, after a while. It doesn't keep the process alive. */
  readonly later: (task: () => void, ms: number) => void
  /** The line that says how many lines are missing in its place. */
  readonly lost: (lines: number) => string
  /** How much may wait, bytes. */
  readonly maxBytes?: number
}

const MAX_BYTES = 2 ** 20
/** How long until what can't be written is tried again, ms: at first, and at most. */
const FIRST_RETRY_MS = 10
const LAST_RETRY_MS = 1000

/**
 * Writes lines at once, while that is possible; never waits, never throws. Lines that can't be written (a pipe that
 * nobody reads, a full disk) wait, up to a bound; beyond it they are lost, and counted. Whatever happens to the
 * destination, lines come whole and in order, and where some are missing one line says how many.
 *
 * @example
 *   lines.write('{"msg":"listening"}\n')
 */
export class LineWriter {
  readonly #parts: LineWriterParts
  readonly #maxBytes: number
  /** What couldn't be written yet. Of the first one, a part may have been: it must be finished before any other. */
  readonly #waiting: Uint8Array[] = []
  #bytes = 0
  #lost = 0
  /** How many of the lost ones no line has told of. */
  #untold = 0
  #failure: unknown
  #retryMs = FIRST_RETRY_MS
  #retrying = false

  constructor(parts: LineWriterParts) {
    this.#parts = parts
    this.#maxBytes = parts.maxBytes ?? MAX_BYTES
  }

  /** How many lines were lost, ever. */
  get lost(): number {
    return this.#lost
  }

  /** Says one line, with its line break. */
  write(line: string | Uint8Array): void {
    const bytes = Buffer.from(line)
    // Once lines are missing, the next one waits until that can be said: so there is one gap, not one after every other
    // line.
    const full = this.#bytes > 0 && this.#bytes + bytes.length > this.#maxBytes
    if (full || this.#untold > 0) {
      this.#lost++
      this.#untold++
      return
    }
    const first = this.#bytes === 0
    this.#keep(bytes)
    // What fails is not tried again with every line: each try may take its time (a broken disk), and lines may be many.
    if (first) this.#drain()
  }

  /**
   * Tries at once what waits.
   *
   * @returns whether something still waits that may well be written in a moment: a reader is likely to read on, a full
   *   disk is not likely to get room.
   */
  retry(): boolean {
    this.#drain()
    return this.#bytes > 0 && isFullPipe(this.#failure)
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
  }

  #drain(): void {
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        const written = this.#parts.write(next)
        if (written === 0) throw new Error('nothing was written')
        this.#bytes -= written
        this.#retryMs = FIRST_RETRY_MS
        if (written < next.length) this.#waiting[0] = next.subarray(written)
        else this.#waiting.shift()
      }
    } catch (error) {
      this.#failure = error
      this.#retryLater()
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#waiting.length === 0 && this.#untold > 0) {
      this.#keep(Buffer.from(this.#parts.lost(this.#untold)))
      this.#untold = 0
    }
    return this.#waiting[0]
  }

  #retryLater(): void {
    if (this.#retrying) return
    this.#retrying = true
    this.#parts.later(() => {
      this.#retrying = false
      this.#drain()
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }
}

const isFullPipe = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN'
