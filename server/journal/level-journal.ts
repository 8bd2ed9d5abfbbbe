import { creation, deletion, purgeMark } from './change.js'
import { hasWriter, isDamage, newerFormat, storeClosed, storeFailed } from './errors.js'
import { mintGeneration, type RandomBytes } from './generation.js'
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
import { FORMAT_KEY, snapshotKey } from './keys.js'
import { Layout } from './layout.js'
import { LevelLog } from './level-log.js'
import { listDocuments } from './list.js'
import { type LoadedDocument, loadDocument, readCatalog } from './load.js'
import type { JournalLogger } from './logger.js'
import { nameToBytes } from './name.js'
import { encodeFormat, encodeSnapshot, readRecord } from './records.js'
import { statsOf } from './stats.js'
import type { Store } from './store.js'
import { type CommitInfo, Writer } from './writer.js'

/** What a journal is made of; {@link openLevelJournal} puts it together. */
export interface LevelJournalDeps {
  readonly store: Store
  readonly durability: Durability
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds from any start. */
  readonly elapsed: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly randomBytes: RandomBytes
  readonly logger: JournalLogger
  readonly onCommit: (info: CommitInfo) => void
  readonly crashpoint: (name: string) => void
}

/** How long the files may take to close after everything was written or given up. */
const CLOSE_FILES_MS = 2000
/** Garbage of a document's compactions is left to LevelDB until there is this much of it. */
const RECLAIM_BYTES = 1024 * 1024

/** {@link Journal} on an ordered key-value store. */
export class LevelJournal implements Journal {
  readonly durability: Durability
  readonly #deps: LevelJournalDeps
  readonly #writer: Writer
  readonly #housekeeping: Housekeeping
  /** One at a time of open, delete and replace, per name. */
  readonly #names = new KeyedLock()
  readonly #logs = new Map<string, LevelLog>()
  readonly #listeners = new Set<(state: JournalState) => void>()
  readonly #quarantined = new Map<string, string>()
  /** Bytes that compactions removed since the generation's range was last compacted. */
  readonly #garbage = new Map<string, number>()
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
      onCommitted: () => {},
      prepareReopen: async () => true,
    })
    this.#housekeeping = new Housekeeping({
      store: deps.store,
      logger: deps.logger,
      perform: (operation) => this.#writer.perform(operation),
    })
  }

  get state(): JournalState {
    return this.#writer.state
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes
  }

  get quarantined(): ReadonlyMap<string, string> {
    return this.#quarantined
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
      const loaded = (await this.#load(name, nameBytes)) ?? this.#unheardOf(name)
      this.#checkOpen()
      const log = new LevelLog(
        { ...loaded, nameBytes },
        {
          enqueue: (from, bytes) => this.#writer.enqueue(from, bytes),
          compact: (from, snapshot) => this.#compact(from, snapshot),
          release: (from) => this.#release(from),
          onDurable,
        },
      )
      this.#logs.set(name, log)
      return log
    })
  }

  async read(name: string): Promise<StoredDocument | null> {
    this.#checkOpen()
    return (await this.#load(name, nameToBytes(name)))?.document ?? null
  }

  async stats(name: string): Promise<DocumentStats | null> {
    this.#checkOpen()
    const loaded = await this.#load(name, nameToBytes(name))
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
      const entry = await this.#catalogEntry(nameBytes)
      if (entry.status === 'none') return false
      const generations = entry.status === 'ok' ? [entry.generation] : []
      await this.#writer.perform({
        step: 'delete',
        writes: deletion(nameBytes, generations),
        landed: async () => (await readCatalog(this.#deps.store, nameBytes)).status === 'none',
      })
      this.#quarantined.delete(name)
      for (const generation of generations) this.#housekeeping.purge(generation)
      return true
    })
  }

  async replace(name: string, content: Replacement): Promise<DocumentSummary> {
    const nameBytes = nameToBytes(name)
    return this.#names.run(name, async () => {
      this.#checkFree(name)
      const old = await this.#catalogEntry(nameBytes)
      const generation = mintGeneration(this.#deps.randomBytes)
      const writes = creation(nameBytes, generation, content, this.#deps.now())
      if (old.status === 'ok') writes.push(purgeMark(old.generation))
      await this.#writer.perform({
        step: 'replace',
        writes,
        landed: async () => {
          const now = await readCatalog(this.#deps.store, nameBytes)
          return now.status === 'ok' && now.generation === generation
        },
      })
      this.#quarantined.delete(name)
      if (old.status === 'ok') this.#housekeeping.purge(old.generation)
      return { name, generation }
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
    await this.#writer.close(this.#deps.wait(timeoutMs, timers.signal))
    const unsaved = [...this.#logs.values()]
      .filter((log) => log.unsaved > 0)
      .map((log) => ({ name: log.name, updates: log.unsaved }))
    await Promise.race([this.#closeFiles(), this.#deps.wait(CLOSE_FILES_MS, timers.signal)])
    timers.abort()
    this.#listeners.clear()
    return { unsaved }
  }

  async #closeFiles(): Promise<void> {
    const { store, logger } = this.#deps
    try {
      await this.#names.idle()
      await this.#housekeeping.stop()
      if (this.#writer.idle) await store.flush()
      await store.close()
    } catch (error) {
      logger.warn({ err: error }, 'the store did not close cleanly')
    }
  }

  async #load(name: string, nameBytes: Uint8Array): Promise<LoadedDocument | null> {
    try {
      const loaded = await loadDocument(this.#deps.store, name, nameBytes)
      this.#quarantined.delete(name)
      return loaded
    } catch (error) {
      if (isDamage(error)) {
        this.#quarantined.set(name, error.message)
        this.#deps.logger.error({ document: name, err: error }, 'a damaged document was set apart')
      }
      throw error
    }
  }

  /** An empty document under a fresh generation, of which nothing is stored. */
  #unheardOf(name: string): LoadedDocument {
    if (this.state.status === 'failing') throw storeFailed(this.state.reason)
    const generation = mintGeneration(this.#deps.randomBytes)
    const document = { name, generation, snapshot: null, tail: [], seq: 0 }
    return { document, created: this.#deps.now(), lastWrite: 0, layout: new Layout(generation) }
  }

  async #catalogEntry(nameBytes: Uint8Array) {
    try {
      return await readCatalog(this.#deps.store, nameBytes)
    } catch (error) {
      throw storeFailed('the catalog can not be read', error)
    }
  }

  /** In the document's turn, so that nobody loads it or compacts it meanwhile. */
  #compact(log: LevelLog, snapshot: Snapshot): Promise<void> {
    return this.#names.run(log.name, () => this.#writeSnapshot(log, snapshot))
  }

  async #writeSnapshot(log: LevelLog, snapshot: Snapshot): Promise<void> {
    if (snapshot.seq <= log.layout.snapshotSeq) throw new RangeError('there is a newer snapshot')
    const { seq, update, index = null } = snapshot
    const key = snapshotKey(log.generation, seq)
    const { nameBytes: name, created } = log
    const value = encodeSnapshot(key, { name, created, taken: this.#deps.now(), index, update })
    const covered = log.layout.coveredBy(seq)
    await this.#writer.perform({
      step: 'compact',
      writes: [{ key, value }, ...covered.keys.map((old) => ({ key: old, value: null }))],
      landed: async () => (await this.#deps.store.get(key)) !== undefined,
    })
    log.layout.compacted({ seq, bytes: value.length })
    log.compacted(snapshot)
    this.#collectGarbage(log, covered.bytes, value.length)
  }

  /** Has the range compacted when as much was removed as is alive: the cost stays in proportion to what is written. */
  #collectGarbage(log: LevelLog, removed: number, alive: number): void {
    const garbage = (this.#garbage.get(log.generation) ?? 0) + removed
    if (garbage < Math.max(RECLAIM_BYTES, alive)) {
      this.#garbage.set(log.generation, garbage)
    } else {
      this.#garbage.delete(log.generation)
      this.#housekeeping.reclaim(log.generation)
    }
  }

  #release(log: LevelLog): void {
    this.#logs.delete(log.name)
    this.#garbage.delete(log.generation)
  }

  #changed(state: JournalState): void {
    if (state.status === 'ok') this.#housekeeping.wake()
    for (const listener of [...this.#listeners]) {
      try {
        listener(state)
      } catch (error) {
        this.#deps.logger.error({ err: error }, 'a listener failed on a change of state')
      }
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed()
  }

  #checkFree(name: string): void {
    this.#checkOpen()
    if (this.#logs.has(name)) throw hasWriter(name)
  }
}

/** Marks a new store as ours, and refuses one that a newer version wrote. */
const claimFormat = async (store: Store): Promise<void> => {
  const value = await store.get(FORMAT_KEY)
  if (!value) return store.write([{ key: FORMAT_KEY, value: encodeFormat(FORMAT_KEY) }])
  const reading = readRecord(FORMAT_KEY, value)
  if (reading.status === 'newer') throw newerFormat('this store', reading.version)
  // A damaged mark is no reason to refuse the documents; `verify` names it.
}
