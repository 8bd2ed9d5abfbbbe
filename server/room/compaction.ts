import type { DocumentLog, Snapshot } from '../journal/journal.js'
import type { Counters } from '../observe/counters.js'
import type { Content } from './content.js'

/** Makes one update out of many, off the event loop. */
export type Compact = (input: {
  readonly snapshot: Uint8Array | null
  readonly updates: readonly Uint8Array[]
}) => Promise<{ readonly update: Uint8Array }>

/** What compaction is told about its surroundings. */
export interface CompactionDeps {
  readonly compact: Compact
  readonly counters: Counters
  readonly onError: (name: string, error: unknown, final: boolean) => void
}

/** Below this a tail isn't worth a snapshot, bytes. */
const SMALLEST_TAIL = 256 * 1024
/** The same for a room that nobody is in any more: who comes next starts from a short tail. */
const SMALLEST_LEFT_TAIL = 4 * 1024
/** After so many failures in a row the document is left alone and served from its tail. */
const TRIES = 3

/**
 * When a room's tail is made into a snapshot. A compaction costs about what snapshot and tail hold together; doing
 * it when the tail has outgrown the snapshot makes the total cost proportional to what was written, however long
 * the document lives.
 */
export class Compaction {
  readonly #log: DocumentLog
  readonly #content: Content
  readonly #deps: CompactionDeps
  #running = false
  #failures = 0
  /** A finished snapshot whose updates aren't durable yet. */
  #finished: Snapshot | null = null
  /** After a failure the tail must have grown to this. */
  #notBelow = 0

  constructor(log: DocumentLog, content: Content, deps: CompactionDeps) {
    this.#log = log
    this.#content = content
    this.#deps = deps
  }

  get running(): boolean {
    return this.#running
  }

  /** Whether it was given up: the document stays readable and writable, on its tail. */
  get givenUp(): boolean {
    return this.#failures >= TRIES
  }

  /**
   * Looks whether it is time, and starts.
   *
   * @param durable the last durable `seq`.
   * @param left nobody is in the room.
   * @param done called when a compaction that was started has ended.
   */
  consider(durable: number, left: boolean, done: () => void): void {
    if (this.#finished) this.#commit(durable, done)
    if (this.#running || !this.#due(left)) return
    this.#running = true
    const seq = this.#content.seq
    this.#deps.compact(this.#content.forCompaction()).then(
      ({ update }) => {
        this.#finished = { seq, update }
        // By now its updates are durable nearly always; if not, the commit that makes them so comes by here.
        done()
      },
      (error: unknown) => this.#failed(error, done),
    )
  }

  #due(left: boolean): boolean {
    if (this.givenUp) return false
    const tail = this.#content.tail.byteLength
    const snapshot = this.#content.snapshotBytes
    if (tail < this.#notBelow) return false
    if (left && tail >= SMALLEST_LEFT_TAIL && tail * 4 >= snapshot) return true
    return tail >= SMALLEST_TAIL && tail >= snapshot
  }

  #commit(durable: number, done: () => void): void {
    const snapshot = this.#finished
    if (!snapshot || snapshot.seq > durable) return
    this.#finished = null
    this.#log.compact(snapshot).then(
      () => {
        this.#content.compacted(snapshot)
        this.#deps.counters.compactions++
        this.#failures = 0
        this.#notBelow = 0
        this.#running = false
        done()
      },
      (error: unknown) => this.#failed(error, done),
    )
  }

  #failed(error: unknown, done: () => void): void {
    this.#failures++
    this.#deps.counters.compactionsFailed++
    this.#notBelow = this.#content.tail.byteLength * 2
    this.#running = false
    this.#deps.onError(this.#log.document.name, error, this.givenUp)
    done()
  }
}
