import {
  documentDamaged,
  hasWriter,
  isCorruption,
  isDamage,
  newerFormat,
  storeClosed,
  storeFailed,
} from './errors.js'
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
import { catalogKey, FORMAT_KEY, snapshotKey } from './keys.js'
import { Layout } from './layout.js'
import { LevelLog } from './level-log.js'
import { listDocuments } from './list.js'
import { type LoadedDocument, loadDocument, readCatalog } from './load.js'
import type { JournalLogger } from './logger.js'
import { nameFromBytes, nameToBytes } from './name.js'
import { encodeFormat, encodeSnapshot, readRecord } from './records.js'
import { statsOf } from './stats.js'
import type { Store } from './store.js'
import type { Verdict, Witness } from './witness.js'
import { judge } from './witness.js'
import { type CommitInfo, Writer } from './writer.js'

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
  readonly #generations: Generations
  /** One at a time of open, delete and replace, per name. */
  readonly #names = new KeyedLock()
  readonly #logs = new Map<string, LevelLog>()
  readonly #listeners = new Set<(state: JournalState) => void>()
  readonly #quarantined = new Map<string, string>()
  /** Bytes that compactions removed since the generation's range was last compacted. */
  readonly #garbage = new Map<string, number>()
  /** Generations whose garbage is being removed from the files. */
  readonly #reclaiming = new Map<string, Promise<void>>()
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
    this.#housekeeping = new Housekeeping({
      store: deps.store,
      logger: deps.logger,
      perform: (operation) => this.#writer.perform(operation),
      removeName: (name) => this.#removeName(name),
    })
    this.#generations = new Generations({
      ...deps,
      perform: (operation) => this.#writer.perform(operation),
      purge: (generations, name) => this.#housekeeping.purge(generations, name),
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
          committed: (from, seq) => this.#deps.witness?.saw(from, seq),
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
      const existed = await this.#generations.delete(nameBytes)
      this.#quarantined.delete(name)
      return existed
    })
  }

  async replace(name: string, content: Replacement, fate?: Fate): Promise<DocumentSummary> {
    const nameBytes = nameToBytes(name)
    return this.#names.run(name, async () => {
      this.#checkFree(name)
      const { generation } = await this.#generations.replace(nameBytes, content, fate)
      this.#quarantined.delete(name)
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

  async #load(name: string, nameBytes: Uint8Array): Promise<LoadedDocument | null> {
    try {
      const loaded = await loadDocument(this.#deps.store, name, nameBytes)
      await this.#consultWitness(name, nameBytes, loaded)
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

  /** @throws InkwireError INKWIRE_DOCUMENT_DAMAGED when more of it was seen than is there. */
  async #consultWitness(name: string, nameBytes: Uint8Array, loaded: LoadedDocument | null): Promise<void> {
    const { witness, logger } = this.#deps
    const verdict: Verdict = judge((await witness?.recall(nameBytes)) ?? null, loaded?.document ?? null)
    if (verdict.status === 'damaged') throw documentDamaged(name, verdict.problem)
    if (verdict.status === 'lost') {
      logger.warn({ document: name, problem: verdict.problem }, 'updates that were not fsynced were lost')
    }
  }

  /** An empty document under a fresh generation, of which nothing is stored. */
  #unheardOf(name: string): LoadedDocument {
    if (this.state.status === 'failing') throw storeFailed(this.state.reason)
    const generation = mintGeneration(this.#deps.randomBytes)
    const document = { name, generation, snapshot: null, tail: [], seq: 0 }
    return { document, created: this.#deps.now(), lastWrite: 0, layout: new Layout(generation) }
  }

  /** In the document's turn, so that nobody loads it or compacts it meanwhile. */
  #compact(log: LevelLog, snapshot: Snapshot): Promise<void> {
    return this.#names.run(log.name, () => this.#writeSnapshot(log, snapshot))
  }

  async #writeSnapshot(log: LevelLog, snapshot: Snapshot): Promise<void> {
    if (snapshot.seq <= log.layout.snapshotSeq) throw new RangeError('there is a newer snapshot')
    // A document that is compacted faster than its garbage can be removed would fill the disk.
    await this.#reclaiming.get(log.generation)
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
      const { generation } = log
      const reclaimed = this.#housekeeping.reclaim(generation).then(() => {
        this.#reclaiming.delete(generation)
      })
      this.#reclaiming.set(generation, reclaimed)
    }
  }

  #release(log: LevelLog): void {
    this.#logs.delete(log.name)
    this.#garbage.delete(log.generation)
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
    const { witness, logger, recovered } = this.#deps
    recovered()
    this.#housekeeping.wake()
    witness?.reopen().catch((error: unknown) => logger.warn({ err: error }, 'the witness stays silent'))
  }

  /** A deleted document's name goes from the catalog once more; see {@link Housekeeping}. */
  #removeName(name: Uint8Array): Promise<void> {
    const text = nameFromBytes(name) ?? ''
    return this.#names.run(text, async () => {
      // A writer may be about to put it there again, and doesn't ask for the document's turn.
      if (this.#logs.has(text)) return
      if ((await readCatalog(this.#deps.store, name)).status !== 'none') return
      await this.#writer.perform({
        step: 'purge',
        writes: [{ key: catalogKey(name), value: null }],
        landed: async () => false,
      })
    })
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
  let value: Uint8Array | undefined
  try {
    value = await store.get(FORMAT_KEY)
    if (!value) return await store.write([{ key: FORMAT_KEY, value: encodeFormat(FORMAT_KEY) }])
  } catch (error) {
    // A damaged mark is no reason to refuse the documents.
    if (isCorruption(error)) return
    throw storeFailed('the store can not be read or written', error)
  }
  const reading = readRecord(FORMAT_KEY, value)
  if (reading.status === 'newer') throw newerFormat('this store', reading.version)
}
