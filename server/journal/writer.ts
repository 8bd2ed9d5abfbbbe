import { isCorruption, reasonOf, storeClosed, storeFailed } from './errors.js'
import { Gathering } from './gathering.js'
import type { JournalState } from './journal.js'
import type { JournalLogger } from './logger.js'
import type { Store, Write } from './store.js'
import { WriteWatch } from './write-watch.js'

/** Updates of one document in one batch. */
export interface Chunk {
  readonly log: Appender
  readonly writes: readonly Write[]
  /** The `seq`s it holds. */
  readonly first: number
  readonly last: number
  readonly updateBytes: number
  readonly recordBytes: number
}

/** A document's log, as the writer sees it. */
export interface Appender {
  readonly name: string
  readonly hasPending: boolean
  /** Packs pending updates of at most `limitBytes` (at least one) into a record. */
  take(limitBytes: number): Chunk
  /** What `take` gave is durable. */
  committed(chunk: Chunk): void
}

/** A write that is not an append: it succeeds or fails as a whole, and is not tried a second time. */
export interface Operation {
  /** Names its crash points: `<step>.before` and `<step>.after`. */
  readonly step: 'compact' | 'delete' | 'replace' | 'purge' | 'purged'
  readonly writes: readonly Write[]
  /** After a failure, when the store was reopened: is it there all the same? */
  readonly landed: () => Promise<boolean>
}

/** What one group commit was. */
export interface CommitInfo {
  readonly durationMs: number
  readonly documents: number
  readonly updates: number
  /** Bytes of the updates, without what the records add. */
  readonly bytes: number
}

/** What the writer is made of. */
export interface WriterDeps {
  readonly store: Store
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds from any start, for durations. */
  readonly elapsed: () => number
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** Runs `task` after `ms`; returns how to call it off. */
  readonly later: (ms: number, task: () => void) => () => void
  readonly logger: JournalLogger
  readonly onState: (state: JournalState) => void
  readonly onCommit: (info: CommitInfo) => void
  /** Called before the store is reopened after `error`: makes room for it. False: it would not help now. */
  readonly prepareReopen: (error: unknown) => Promise<boolean>
  /** Called at named steps, so that tests can end the process there. */
  readonly crashpoint: (name: string) => void
}

/** A batch holds at most about this much, so that a flood in one document doesn't hold up all others. */
const BATCH_BYTES = 8 * 1024 * 1024
/** This many updates that are only held are written all the same, if the last commit began at least `HELD_MS` ago. */
const MANY_HELD = 32
const HELD_MS = 12
const FIRST_BACKOFF_MS = 50
const LONGEST_BACKOFF_MS = 5000

/**
 * Group commit: whatever was queued while one batch was written and fsynced goes into the next one. One write is in
 * flight at a time, so after a failure it is known what is uncertain: that one write.
 *
 * After a failed write LevelDB can report success for writes that are gone after a restart. So nothing more is
 * written, and nothing acknowledged, until the store was closed, opened and given the same batch again. That is
 * idempotent, since a `seq` always has the same key.
 */
export class Writer {
  readonly #deps: WriterDeps
  /** Logs with updates to write; a Set keeps the order in which they came. */
  readonly #dirty = new Set<Appender>()
  readonly #operations: Queued[] = []
  readonly #giveUp = new AbortController()
  /** Somebody waits for what is in `#dirty`; what is only held there goes along, or waits. */
  #wanted = false
  #working: Promise<void> | null = null
  /** When the last commit began. */
  #begun = Number.NEGATIVE_INFINITY
  #queuedBytes = 0
  #queuedUpdates = 0
  readonly #gathering: Gathering
  readonly #watch: WriteWatch
  #state: JournalState = { status: 'ok' }
  #closing = false

  constructor(deps: WriterDeps) {
    this.#deps = deps
    this.#gathering = new Gathering({
      ...deps,
      queued: () => ({ updates: this.#queuedUpdates, bytes: this.#queuedBytes }),
    })
    this.#watch = new WriteWatch(deps)
  }

  get state(): JournalState {
    return this.#state
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** How long the write that is under way has taken so far. */
  get watch(): Pick<WriteWatch, 'ms' | 'stalledMs'> {
    return this.#watch
  }

  /** No more is taken; what was taken is still written. */
  get closing(): boolean {
    return this.#closing
  }

  /**
   * The log has one more update to write, of `bytes`, with the next batch.
   *
   * @throws InkwireError INKWIRE_STORE_CLOSED
   */
  enqueue(log: Appender, bytes: number): void {
    if (this.#closing) throw storeClosed()
    this.#queuedBytes += bytes
    this.#queuedUpdates++
    this.#dirty.add(log)
    this.#gathering.more()
    if (!this.#wanted && this.#queuedUpdates >= MANY_HELD && this.#deps.elapsed() - this.#begun >= HELD_MS) {
      this.commit()
    }
  }

  /** What was enqueued is written soon. */
  commit(): void {
    this.#wanted = true
    this.#start()
  }

  /** @throws InkwireError INKWIRE_STORE_FAILED (nothing was changed), INKWIRE_STORE_CLOSED */
  perform(operation: Operation): Promise<void> {
    if (this.#closing) return Promise.reject(storeClosed())
    if (this.#state.status === 'failing') return Promise.reject(storeFailed(this.#state.reason))
    return new Promise((resolve, reject) => {
      this.#operations.push({ operation, resolve, reject })
      this.#start()
    })
  }

  /**
   * Takes no more, and writes what is queued. Resolves when that is done, or at `deadline` with what could not be
   * done still queued. A write that hangs is not waited for beyond it.
   */
  async close(deadline: Promise<void>): Promise<void> {
    this.#closing = true
    if (this.#dirty.size > 0) this.commit()
    this.#gathering.end()
    await Promise.race([this.#working, deadline])
    this.#giveUp.abort()
    this.#watch.stop()
    for (const { reject } of this.#operations.splice(0)) reject(storeClosed())
    this.#setState({ status: 'closed' })
  }

  /** Whether nothing is being written. */
  get idle(): boolean {
    return this.#working === null
  }

  #start(): void {
    if (this.#working) return
    // Not at once: all that arrives in this turn of the event loop goes in the first batch.
    this.#working = new Promise((resolve) => setImmediate(resolve)).then(() => this.#work())
  }

  async #work(): Promise<void> {
    try {
      while (!this.#giveUp.signal.aborted) {
        if (this.#wanted) {
          if (!this.#closing) await this.#gathering.wait()
          await this.#commit()
        }
        const next = this.#operations.shift()
        if (next) await this.#perform(next)
        else if (!this.#wanted) break
      }
    } catch (error) {
      // Only a mistake in this program gets here. What was taken stays unacknowledged, and nothing is written after
      // it, or there would be a hole.
      this.#giveUp.abort()
      this.#deps.logger.error({ err: error }, 'the journal stopped writing')
      this.#fail(error)
    } finally {
      // In the same turn as the last look at the queues: who comes later starts anew.
      this.#working = null
    }
  }

  async #commit(): Promise<void> {
    const chunks = this.#takeChunks()
    const writes = chunks.flatMap((chunk) => chunk.writes)
    const started = this.#deps.elapsed()
    this.#begun = started
    this.#deps.crashpoint('append.before')
    try {
      await this.#write(writes)
    } catch (error) {
      if (!(await this.#recover(error, () => this.#write(writes)))) return
    }
    this.#deps.crashpoint('append.after')
    this.#acknowledge(chunks, this.#deps.elapsed() - started)
  }

  #takeChunks(): Chunk[] {
    const chunks: Chunk[] = []
    let room = BATCH_BYTES
    for (const log of this.#dirty) {
      if (room <= 0) break
      const chunk = log.take(room)
      room -= chunk.recordBytes
      chunks.push(chunk)
      // Who has more goes to the end of the line.
      this.#dirty.delete(log)
      if (log.hasPending) this.#dirty.add(log)
    }
    this.#wanted = this.#dirty.size > 0
    return chunks
  }

  #acknowledge(chunks: readonly Chunk[], durationMs: number): void {
    let updates = 0
    let bytes = 0
    for (const chunk of chunks) {
      updates += chunk.last - chunk.first + 1
      bytes += chunk.updateBytes
    }
    this.#queuedBytes -= bytes
    this.#queuedUpdates -= updates
    for (const chunk of chunks) {
      try {
        chunk.log.committed(chunk)
      } catch (error) {
        this.#deps.logger.error({ err: error, document: chunk.log.name }, 'a listener failed on a commit')
      }
    }
    this.#deps.onCommit({ durationMs, documents: chunks.length, updates, bytes })
  }

  async #perform({ operation, resolve, reject }: Queued): Promise<void> {
    this.#deps.crashpoint(`${operation.step}.before`)
    let landed = true
    try {
      await this.#write(operation.writes)
    } catch (error) {
      const recovered = await this.#recover(error, async () => {
        landed = await operation.landed()
      })
      if (!recovered) return reject(storeClosed())
      if (!landed) return reject(storeFailed(`${operation.step} was not written`, error))
    }
    this.#deps.crashpoint(`${operation.step}.after`)
    resolve()
  }

  #write(writes: readonly Write[]): Promise<void> {
    return this.#watch.during(() => this.#deps.store.write(writes))
  }

  /**
   * Reopens the store and calls `retry`, with growing pauses, until both work.
   *
   * @returns false when the journal gave up because it is being closed.
   */
  async #recover(error: unknown, retry: () => Promise<void>): Promise<boolean> {
    const { signal } = this.#giveUp
    let reason = error
    for (let attempt = 0; !signal.aborted; attempt++) {
      this.#fail(reason)
      this.#deps.logger.warn({ err: reason, attempt }, 'the journal cannot write; trying again')
      await this.#deps.wait(Math.min(FIRST_BACKOFF_MS * 2 ** attempt, LONGEST_BACKOFF_MS), signal)
      if (signal.aborted) break
      try {
        // Reads still work on the old one: not closed before there is a chance.
        if (!(await this.#deps.prepareReopen(reason))) continue
        await this.#deps.store.reopen({ repair: isCorruption(reason) })
        await retry()
      } catch (again) {
        reason = again
        continue
      }
      if (signal.aborted) break
      this.#setState({ status: 'ok' })
      this.#deps.logger.info({ attempts: attempt + 1 }, 'the journal writes again')
      return true
    }
    return false
  }

  #fail(error: unknown): void {
    const since = this.#state.status === 'failing' ? this.#state.since : this.#deps.now()
    const reason = reasonOf(error)
    // Whoever asked for a change is told now, and may ask again: nothing is done later that nobody may want any more.
    for (const { reject } of this.#operations.splice(0)) reject(storeFailed(reason))
    if (this.#state.status === 'failing' && this.#state.reason === reason) return
    this.#setState({ status: 'failing', since, reason })
  }

  #setState(state: JournalState): void {
    if (this.#state.status === 'closed') return
    this.#state = state
    this.#deps.onState(state)
  }
}

interface Queued {
  readonly operation: Operation
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}
