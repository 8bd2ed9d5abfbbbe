import type { DocumentLog, Snapshot } from '../journal/journal.js'
import type { Counters } from '../observe/counters.js'
import type { Content } from './content.js'
import type { Recall } from './recall.js'

/** Makes one update out of many, off the event loop. */
export type Compact = (input: {
  readonly snapshot: Uint8Array | null
  readonly updates: readonly Uint8Array[]
}) => Promise<{
  readonly update: Uint8Array
  /** What a scan of `update` finds. */
  readonly index?: Uint8Array
}>

/** What compaction is told about its surroundings. */
export interface CompactionDeps {
  readonly compact: Compact
  readonly recall: Recall
  readonly counters: Counters
  readonly onError: (name: string, error: unknown, final: boolean) => void
}

/** What a compaction tells its room. */
export interface CompactionEvents {
  /** The tail is about to lose what the snapshot covers: whatever still needs it takes it now. */
  readonly trimming: () => void
  /** A compaction that was started has ended. */
  readonly ended: () => void
}

/** Below this a tail isn't worth a snapshot, bytes. */
const SMALLEST_TAIL = 256 * 1024
/** The same for a room that nobody is in any more: who comes next starts from a short tail. */
const SMALLEST_LEFT_TAIL = 4 * 1024
/** What part of the snapshot it then is at least: thousands of keystrokes take longer to read than the snapshot. */
const LEFT_SHARE = 1 / 16
/** The same for large documents, bytes, each of whose compactions costs seconds. */
const LARGE = 1024 * 1024
const LEFT_SHARE_OF_LARGE = 1 / 4
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
   * @param left nobody is in the room; or there is another reason to make it small.
   */
  consider(durable: number, left: boolean, events: CompactionEvents): void {
    if (this.#finished) this.#commit(durable, events)
    if (this.#running || !this.#due(left)) return
    this.#running = true
    this.#start(events)
  }

  #start(events: CompactionEvents): void {
    const seq = this.#content.seq
    const job = this.#content.forCompaction()
    if (job === null) {
      const failed = (error: unknown): void => this.#failed(error, events)
      this.#deps.recall.wait(this, { ready: () => this.#start(events), failed })
      return
    }
    this.#deps.compact(job).then(
      ({ update, index }) => {
        this.#finished = index ? { seq, update, index } : { seq, update }
        // By now its updates are durable nearly always; if not, the commit that makes them so comes by here.
        events.ended()
      },
      (error: unknown) => {
        this.#failures++
        this.#failed(error, events)
      },
    )
  }

  #due(left: boolean): boolean {
    if (this.givenUp) return false
    const tail = this.#content.tailBytes
    const snapshot = this.#content.snapshotBytes
    if (tail < this.#notBelow) return false
    const share = snapshot < LARGE ? LEFT_SHARE : LEFT_SHARE_OF_LARGE
    if (left && tail >= SMALLEST_LEFT_TAIL && tail >= snapshot * share) return true
    return tail >= SMALLEST_TAIL && tail >= snapshot
  }

  #commit(durable: number, events: CompactionEvents): void {
    const snapshot = this.#finished
    if (!snapshot || snapshot.seq > durable) return
    this.#finished = null
    this.#log.compact(snapshot).then(
      () => {
        events.trimming()
        this.#content.compacted(snapshot)
        this.#deps.recall.arrived()
        this.#deps.counters.compactions++
        this.#failures = 0
        this.#notBelow = 0
        this.#running = false
        events.ended()
      },
      // The store's fault, not the document's: that counts for nothing.
      (error: unknown) => this.#failed(error, events),
    )
  }

  #failed(error: unknown, events: CompactionEvents): void {
    this.#deps.counters.compactionsFailed++
    this.#notBelow = this.#content.tailBytes * 2
    this.#running = false
    this.#deps.onError(this.#log.document.name, error, this.givenUp)
    events.ended()
  }
}
