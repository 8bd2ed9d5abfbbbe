import { InkwireError } from '../../shared/errors.js'
import type { DocumentLog } from '../journal/journal.js'
import type { Counters } from '../observe/counters.js'
import type { Content } from './content.js'

/** Somebody who needs the snapshot. Exactly one of the two is called, unless it leaves before. */
export interface Waiter {
  /** It is here, for the rest of this turn at least. */
  ready(): void
  /** It couldn't be read. */
  failed(error: unknown): void
}

/** What reading again is told about its surroundings. */
export interface RecallDeps {
  readonly counters: Counters
  readonly onError: (document: string, error: unknown) => void
}

/** Has a snapshot that was let go of read again: once for all who need it. */
export class Recall {
  readonly #log: Pick<DocumentLog, 'document' | 'snapshot'>
  readonly #content: Content
  readonly #deps: RecallDeps
  readonly #waiting = new Map<object, Waiter>()
  #reading = false

  constructor(log: Pick<DocumentLog, 'document' | 'snapshot'>, content: Content, deps: RecallDeps) {
    this.#log = log
    this.#content = content
    this.#deps = deps
  }

  /** `who` needs the snapshot, which isn't here. It waits once, however often it asks. */
  wait(who: object, waiter: Waiter): void {
    this.#waiting.set(who, waiter)
    if (!this.#reading) void this.#read()
  }

  /** `who` doesn't need it any more. */
  leave(who: object): void {
    this.#waiting.delete(who)
  }

  /** The snapshot has come by another way: a compaction has made a new one. */
  arrived(): void {
    if (this.#waiting.size > 0 && this.#content.complete) this.#tell((waiter) => waiter.ready())
  }

  async #read(): Promise<void> {
    this.#reading = true
    while (this.#waiting.size > 0) {
      const outcome = await this.#once().then(
        () => null,
        (error: unknown) => ({ error }),
      )
      if (outcome === null) {
        this.arrived()
      } else {
        this.#deps.counters.recallsFailed++
        this.#deps.onError(this.#log.document.name, outcome.error)
        this.#tell((waiter) => waiter.failed(outcome.error))
      }
    }
    this.#reading = false
  }

  /** @throws what reading throws. Afterwards it is here, or another snapshot has taken its place meanwhile. */
  async #once(): Promise<void> {
    const { baseSeq } = this.#content
    const snapshot = await this.#log.snapshot()
    this.#deps.counters.recalls++
    if (snapshot && this.#content.restore(snapshot)) return
    // A compaction that the store has taken already: its room is about to hear of it.
    if (this.#content.baseSeq > baseSeq || (snapshot && snapshot.seq > baseSeq)) return
    throw new InkwireError('INKWIRE_STORE_FAILED', `the snapshot of ${baseSeq} updates is not to be had`)
  }

  /** Whoever leaves because of what another is told is told nothing. */
  #tell(what: (waiter: Waiter) => void): void {
    for (const [who, waiter] of [...this.#waiting]) {
      if (this.#waiting.get(who) !== waiter) continue
      this.#waiting.delete(who)
      what(waiter)
    }
  }
}
