import { hasWriter, notTheWriter, storeClosed, storeFailed } from './errors.js'
import { claimFormat } from './format.js'
import { mintGeneration, type RandomBytes } from './generation.js'
import { type Fate, Generations } from './generations.js'
import { Housekeeping } from './housekeeping.js'
import type {
  DocumentLog,
  DocumentStats,
  DocumentSummary,
  Durability,
  Journal,
  JournalState,
  Replacement,
  Snapshot,
  StoredDocument,
  UnsavedReport,
} from './journal.js'
import { KeyedLock } from './keyed-lock.js'
import { Layout } from './layout.js'
import { LevelLog } from './level-log.js'
import { listDocuments } from './list.js'
import type { LoadedDocument } from './load.js'
import type { JournalLogger } from './logger.js'
import { findLost } from './lost.js'
import { nameToBytes } from './name.js'
import { Reader } from './reader.js'
import { type Choose, type RepairReport, repairDocument } from './repair.js'
import { Snapshots } from './snapshots.js'
import { statsOf } from './stats.js'
import type { Store } from './store.js'
import { type Finding, type VerifyProgress, verifyStore } from './verify.js'
import type { Witness } from './witness.js'
import { type CommitInfo, type Operation, Writer } from './writer.js'

/** What a journal is made of; {@link openLevelJournal} puts it together. */
export interface LevelJournalDeps {
  readonly store: Store
  /** Null when it can't be had: then last updates may vanish unnoticed. */
  readonly witness: Witness | null
  /** Before the store is reopened after a failure: makes room for it. False: reopening can't work now. */
  readonly makeRoom: () => Promise<boolean>
  /** The store works again after a failure. */
  readonly recovered: () => void
  /** The journal is being closed; ends what works beside it. */
  readonly closing: () => Promise<unknown>
  readonly durability: Durability
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds from any start. */
  readonly elapsed: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** Runs `task` after `ms`; returns how to call it off. */
  readonly later: (ms: number, task: () => void) => () => void
  readonly randomBytes: RandomBytes
  readonly logger: JournalLogger
  readonly onCommit: (info: CommitInfo) => void
  readonly crashpoint: (name: string) => void
}

/** How long the files may take to close after everything was written or given up. */
const CLOSE_FILES_MS = 2000
/** {@link Journal} on an ordered key-value store. */
export class LevelJournal implements Journal {
  readonly durability: Durability
  readonly #deps: LevelJournalDeps
  readonly #writer: Writer
  readonly #housekeeping: Housekeeping
  readonly #generations: Generations
  readonly #snapshots: Snapshots
  readonly #reader: Reader
  /** One at a time of open, delete and replace, per name. */
  readonly #names = new KeyedLock()
  readonly #logs = new Map<string, LevelLog>()
  readonly #listeners = new Set<(state: JournalState) => void>()
  #closed: Promise<UnsavedReport> | null = null

  /** @throws InkwireError INKWIRE_STORE_FORMAT, INKWIRE_STORE_FAILED */
  static async start(deps: LevelJournalDeps): Promise<LevelJournal> {
    await claimFormat(deps.store)
    const journal = new LevelJournal(deps)
    await journal.#housekeeping.resume()
    return journal
  }

  private constructor(deps: LevelJournalDeps) {
    this.#deps = deps
    this.durability = deps.durability
    this.#writer = new Writer({
      ...deps,
      onState: (state) => this.#changed(state),
      prepareReopen: deps.makeRoom,
    })
    const perform = (operation: Operation): Promise<void> => this.#writer.perform(operation)
    this.#housekeeping = new Housekeeping({ ...deps, perform })
    this.#generations = new Generations({
      ...deps,
      perform,
      purge: (generations) => this.#housekeeping.purge(generations),
    })
    this.#snapshots = new Snapshots({ ...deps, perform, housekeeping: this.#housekeeping })
    this.#reader = new Reader(deps)
  }

  get state(): JournalState {
    return this.#writer.state
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes
  }

  get quarantined(): ReadonlyMap<string, string> {
    return this.#reader.quarantined
  }

  /** How long the write that is under way has taken so far, ms; 0 when there is none. */
  get writingMs(): number {
    return this.#writer.watch.ms
  }

  /** The same once that write has stalled, and 0 before. */
  get stalledMs(): number {
    return this.#writer.watch.stalledMs
  }

  /** Whether a witness is there and can be written. While not, last updates that vanish are not noticed. */
  get witnessed(): boolean {
    return this.#deps.witness?.working ?? false
  }

  onState(listener: (state: JournalState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async open(name: string, onDurable: (seq: number) => void): Promise<DocumentLog> {
    const nameBytes = nameToBytes(name)
    return this.#names.run(name, async () => {
      this.#checkOpen()
      if (this.#logs.has(name)) throw hasWriter(name)
      const loaded = (await this.#reader.load(name, nameBytes)) ?? this.#unheardOf(name)
      this.#checkOpen()
      const log = new LevelLog(
        { ...loaded, nameBytes },
        {
          enqueue: (from, bytes) => this.#writer.enqueue(from, bytes),
          commit: () => this.#writer.commit(),
          compact: (from, snapshot) => this.#compact(from, snapshot),
          snapshot: (of) => this.#snapshot(of),
          release: (from) => this.#release(from),
          onDurable,
          committed: (from, seq) => this.#deps.witness?.saw(from, seq),
        },
      )
      this.#logs.set(name, log)
      return log
    })
  }

  async read(name: string): Promise<StoredDocument | null> {
    this.#checkOpen()
    return (await this.#reader.load(name, nameToBytes(name)))?.document ?? null
  }

  async stats(name: string): Promise<DocumentStats | null> {
    this.#checkOpen()
    const loaded = await this.#reader.load(name, nameToBytes(name))
    return loaded && statsOf(loaded)
  }

  async *list(): AsyncGenerator<DocumentSummary, void, void> {
    this.#checkOpen()
    try {
      yield* listDocuments(this.#deps.store)
    } catch (error) {
      throw storeFailed('the catalog can not be read', error)
    }
  }

  async delete(name: string): Promise<boolean> {
    const nameBytes = nameToBytes(name)
    return this.#names.run(name, async () => {
      this.#checkFree(name)
      const existed = await this.#generations.delete(nameBytes)
      this.#reader.forget(name)
      return existed
    })
  }

  async replace(name: string, content: Replacement, fate?: Fate): Promise<DocumentSummary> {
    const nameBytes = nameToBytes(name)
    return this.#names.run(name, async () => {
      this.#checkFree(name)
      const { generation } = await this.#generations.replace(nameBytes, content, fate)
      this.#reader.forget(name)
      return { name, generation }
    })
  }

  /** Looks at every record and yields what is wrong; see {@link verifyStore}. */
  verify(progress?: VerifyProgress): AsyncGenerator<Finding, void, void> {
    this.#checkOpen()
    return verifyStore(this.#deps.store, this.#deps.witness, progress)
  }

  /** How many documents were there and are not in the catalog any more, though nobody deleted them. */
  async lost(): Promise<number> {
    this.#checkOpen()
    try {
      return (await findLost(this.#deps.store, this.#deps.witness)).length
    } catch (error) {
      throw storeFailed('whether documents are lost can not be told', error)
    }
  }

  /**
   * Puts what is readable of a damaged document under a new generation, and keeps the original aside; see
   * {@link repairDocument}. `null`: nothing is wrong with it.
   *
   * @throws as {@link Journal.delete}, and INKWIRE_STORE_FORMAT.
   */
  async repair(name: string, choose?: Choose): Promise<RepairReport | null> {
    const nameBytes = nameToBytes(name)
    return this.#names.run(name, async () => {
      this.#checkFree(name)
      const { store, witness } = this.#deps
      const deps = { store, witness, reader: this.#reader, generations: this.#generations }
      return repairDocument(deps, name, nameBytes, choose)
    })
  }

  /** Resolves when what was deleted or replaced so far is gone from the files, or can't be removed for now. */
  settled(): Promise<void> {
    return this.#housekeeping.idle()
  }

  close(timeoutMs = 5000): Promise<UnsavedReport> {
    this.#closed ??= this.#close(timeoutMs)
    return this.#closed
  }

  async #close(timeoutMs: number): Promise<UnsavedReport> {
    const timers = new AbortController()
    const tidied = this.#housekeeping.stop()
    await this.#writer.close(this.#deps.wait(timeoutMs, timers.signal))
    const unsaved = [...this.#logs.values()]
      .filter((log) => log.unsaved > 0)
      .map((log) => ({ name: log.name, updates: log.unsaved }))
    const files = this.#closeFiles(tidied)
    await Promise.race([files, this.#deps.wait(CLOSE_FILES_MS, timers.signal)])
    timers.abort()
    this.#listeners.clear()
    return { unsaved }
  }

  async #closeFiles(tidied: Promise<void>): Promise<void> {
    const { store, logger, closing } = this.#deps
    try {
      await closing()
      await this.#names.idle()
      await tidied
      await this.#deps.witness?.close()
      // Tables carry a checksum per block of 4 KB; damage to a log costs whatever comes after it.
      if (this.#writer.idle) await store.flush()
      await store.close()
    } catch (error) {
      logger.warn({ err: error }, 'the store did not close cleanly')
    }
  }

  /** An empty document under a fresh generation, of which nothing is stored. */
  #unheardOf(name: string): LoadedDocument {
    if (this.state.status === 'failing') throw storeFailed(this.state.reason)
    const generation = mintGeneration(this.#deps.randomBytes)
    const document = { name, generation, snapshot: null, tail: [], seq: 0 }
    return { document, created: this.#deps.now(), lastWrite: 0, layout: new Layout(generation) }
  }

  async #compact(log: LevelLog, snapshot: Snapshot): Promise<void> {
    await this.#snapshots.ready(log)
    // In the document's turn: nobody loads it meanwhile.
    await this.#names.run(log.name, () => {
      if (this.#logs.get(log.name) !== log) throw notTheWriter(log.name)
      return this.#snapshots.write(log, snapshot)
    })
  }

  async #snapshot(log: LevelLog): Promise<Snapshot | null> {
    this.#checkOpen()
    const inTurn = <T>(task: () => Promise<T>): Promise<T> => this.#names.run(log.name, task)
    try {
      return await this.#reader.watch(log.name, () => this.#snapshots.read(log, inTurn))
    } catch (error) {
      // Whatever went wrong in a store that is being closed.
      this.#checkOpen()
      throw error
    }
  }

  #release(log: LevelLog): void {
    this.#logs.delete(log.name)
    this.#snapshots.forget(log.generation)
  }

  #changed(state: JournalState): void {
    if (state.status === 'ok') this.#recovered()
    for (const listener of [...this.#listeners]) {
      try {
        listener(state)
      } catch (error) {
        this.#deps.logger.error({ err: error }, 'a listener failed on a change of state')
      }
    }
  }

  #recovered(): void {
    const { witness, recovered } = this.#deps
    recovered()
    this.#housekeeping.wake()
    // Whatever kept the journal from writing kept the witness from it, too: it tries now, rather than when it would by
    // itself.
    void witness?.retry()
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed()
  }

  #checkFree(name: string): void {
    this.#checkOpen()
    if (this.#logs.has(name)) throw hasWriter(name)
  }
}
