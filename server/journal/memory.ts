import { randomBytes as secureRandomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { hasWriter, reasonOf, storeClosed, storeFailed } from './errors.js'
import { mintGeneration, type RandomBytes } from './generation.js'
import type {
  DocumentLog,
  DocumentStats,
  DocumentSummary,
  Journal,
  JournalState,
  Replacement,
  Snapshot,
  StoredDocument,
  StoredEntry,
  UnsavedReport,
} from './journal.js'
import { MemoryLog } from './memory-log.js'
import { nameToBytes } from './name.js'
import { statsOf } from './stats.js'

/** What a memory journal holds as durable. Open another journal on it to have the first one's documents again. */
export type MemoryState = Map<string, MemoryDocument>

/** One document with history. */
export interface MemoryDocument {
  readonly generation: string
  readonly created: number
  readonly snapshot: Snapshot | null
  /** Grows in place. */
  readonly tail: StoredEntry[]
}

/** Options of {@link openMemoryJournal}. */
export interface MemoryJournalOptions {
  readonly state?: MemoryState
  /** Milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number
  readonly randomBytes?: RandomBytes
  /**
   * What stands in for the fsync: nothing is durable before its promise resolves, and while it rejects the journal
   * is failing and tries again. Default: resolves at once.
   */
  readonly sync?: () => Promise<void>
  /** What stands in for the disk when a snapshot is read once more. Default: resolves at once. */
  readonly reread?: () => Promise<void>
}

/** Between tries of a failing `sync`, milliseconds. */
const RETRY_MS = 20

/**
 * A journal that survives nothing, for tests and for trying things out. It behaves as the one on disk does: updates
 * are committed in groups, durable is what a commit has made so, and a crash is to forget the journal and keep the
 * state.
 */
export const openMemoryJournal = (options: MemoryJournalOptions = {}): Journal => new MemoryJournal(options)

interface Change {
  readonly apply: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

class MemoryJournal implements Journal {
  readonly durability = 'memory'
  readonly quarantined: ReadonlyMap<string, string> = new Map()
  readonly #documents: MemoryState
  readonly #now: () => number
  readonly #randomBytes: RandomBytes
  readonly #sync: () => Promise<void>
  readonly #reread: () => Promise<void>
  readonly #logs = new Map<string, MemoryLog>()
  readonly #dirty = new Set<MemoryLog>()
  readonly #changes: Change[] = []
  readonly #listeners = new Set<(state: JournalState) => void>()
  readonly #giveUp = new AbortController()
  #wanted = false
  #working: Promise<void> | null = null
  #state: JournalState = { status: 'ok' }
  #closed: Promise<UnsavedReport> | null = null
  #queuedBytes = 0

  constructor(options: MemoryJournalOptions) {
    this.#documents = options.state ?? new Map()
    this.#now = options.now ?? Date.now
    this.#randomBytes = options.randomBytes ?? secureRandomBytes
    this.#sync = options.sync ?? (() => Promise.resolve())
    this.#reread = options.reread ?? (() => Promise.resolve())
  }

  get state(): JournalState {
    return this.#state
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  onState(listener: (state: JournalState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async open(name: string, onDurable: (seq: number) => void): Promise<DocumentLog> {
    const stored = await this.read(name)
    // From here on in one turn: nobody else can become the writer meanwhile.
    this.#checkFree(name)
    if (!stored && this.#state.status === 'failing') throw storeFailed(this.#state.reason)
    const generation = mintGeneration(this.#randomBytes)
    const document = stored ?? { name, generation, snapshot: null, tail: [], seq: 0 }
    const log = new MemoryLog(document, {
      enqueue: (from, bytes) => this.#enqueue(from, bytes),
      commit: () => this.#commitSoon(),
      change: (apply) => this.#change(apply),
      store: (change) => this.#store(name, document.generation, change),
      snapshot: () => this.#snapshot(name),
      release: () => this.#logs.delete(name),
      onDurable,
    })
    this.#logs.set(name, log)
    return log
  }

  async read(name: string): Promise<StoredDocument | null> {
    nameToBytes(name)
    if (this.#closed) throw storeClosed()
    const document = this.#documents.get(name)
    if (!document) return null
    const { generation, snapshot, tail } = document
    return { name, generation, snapshot, tail: [...tail], seq: tail.at(-1)?.seq ?? snapshot?.seq ?? 0 }
  }

  async #snapshot(name: string): Promise<Snapshot | null> {
    if (this.#closed) throw storeClosed()
    try {
      await this.#reread()
    } catch (error) {
      throw storeFailed(`document ${JSON.stringify(name)} can't be read`, error)
    }
    return this.#documents.get(name)?.snapshot ?? null
  }

  async stats(name: string): Promise<DocumentStats | null> {
    const document = await this.read(name)
    const created = this.#documents.get(name)?.created ?? 0
    return document && statsOf({ document, created, lastWrite: document.tail.at(-1)?.time ?? created })
  }

  async *list(): AsyncGenerator<DocumentSummary, void, void> {
    if (this.#closed) throw storeClosed()
    const names = [...this.#documents.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const name of names) {
      const document = this.#documents.get(name)
      if (document) yield { name, generation: document.generation }
    }
  }

  async delete(name: string): Promise<boolean> {
    nameToBytes(name)
    this.#checkFree(name)
    if (!this.#documents.has(name)) return false
    let had = false
    await this.#change(() => {
      had = this.#documents.delete(name)
    })
    return had
  }

  async replace(name: string, content: Replacement): Promise<DocumentSummary> {
    nameToBytes(name)
    this.#checkFree(name)
    const { snapshot } = content
    if (snapshot ? snapshot.seq < 1 : content.tail.length === 0) throw new RangeError('no history in it')
    const first = (snapshot?.seq ?? 0) + 1
    const tail = content.tail.map((entry, i) => ({ ...entry, seq: first + i }))
    const created = this.#now()
    const generation = mintGeneration(this.#randomBytes)
    await this.#change(() => this.#documents.set(name, { generation, created, snapshot, tail }))
    return { name, generation }
  }

  close(timeoutMs = 5000): Promise<UnsavedReport> {
    this.#closed ??= this.#close(timeoutMs)
    return this.#closed
  }

  async #close(timeoutMs: number): Promise<UnsavedReport> {
    const timer = new AbortController()
    const deadline = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})
    if (this.#dirty.size > 0) this.#commitSoon()
    await Promise.race([this.#working, deadline])
    timer.abort()
    this.#giveUp.abort()
    for (const { reject } of this.#changes.splice(0)) reject(storeClosed())
    this.#setState({ status: 'closed' })
    this.#listeners.clear()
    const open = [...this.#logs.values()].filter((log) => log.unsaved > 0)
    return { unsaved: open.map((log) => ({ name: log.document.name, updates: log.unsaved })) }
  }

  #enqueue(log: MemoryLog, bytes: number): void {
    if (this.#closed) throw storeClosed()
    this.#queuedBytes += bytes
    this.#dirty.add(log)
  }

  #commitSoon(): void {
    this.#wanted = true
    this.#start()
  }

  #change(apply: () => void): Promise<void> {
    if (this.#closed) return Promise.reject(storeClosed())
    if (this.#state.status === 'failing') return Promise.reject(storeFailed(this.#state.reason))
    return new Promise((resolve, reject) => {
      this.#changes.push({ apply, resolve, reject })
      this.#start()
    })
  }

  #store(name: string, generation: string, change: (document: MemoryDocument) => MemoryDocument): void {
    const empty = { generation, created: this.#now(), snapshot: null, tail: [] }
    this.#documents.set(name, change(this.#documents.get(name) ?? empty))
  }

  #start(): void {
    this.#working ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.#work())
  }

  async #work(): Promise<void> {
    while (!this.#giveUp.signal.aborted && (this.#wanted || this.#changes.length > 0)) {
      if (this.#wanted) await this.#commit()
      const change = this.#changes.shift()
      if (change) await this.#perform(change)
    }
    this.#working = null
  }

  async #commit(): Promise<void> {
    const chunks = [...this.#dirty].map((log) => ({ log, entries: log.take() }))
    this.#dirty.clear()
    this.#wanted = false
    while (!(await this.#synced())) if (this.#giveUp.signal.aborted) return
    for (const { log, entries } of chunks) {
      for (const { update } of entries) this.#queuedBytes -= update.length
      log.committed(entries)
    }
  }

  async #perform({ apply, resolve, reject }: Change): Promise<void> {
    if (await this.#synced()) {
      apply()
      return resolve()
    }
    reject(storeFailed('not written'))
    while (!(await this.#synced())) if (this.#giveUp.signal.aborted) return
  }

  async #synced(): Promise<boolean> {
    try {
      await this.#sync()
    } catch (error) {
      const since = this.#state.status === 'failing' ? this.#state.since : this.#now()
      this.#setState({ status: 'failing', since, reason: reasonOf(error) })
      await delay(RETRY_MS, undefined, { signal: this.#giveUp.signal }).catch(() => {})
      return false
    }
    if (this.#state.status === 'failing') this.#setState({ status: 'ok' })
    return true
  }

  #setState(state: JournalState): void {
    if (this.#state.status === 'closed') return
    const same = this.#state.status === 'failing' && state.status === 'failing'
    this.#state = state
    if (!same) for (const listener of [...this.#listeners]) listener(state)
  }

  #checkFree(name: string): void {
    if (this.#closed) throw storeClosed()
    if (this.#logs.has(name)) throw hasWriter(name)
  }
}
