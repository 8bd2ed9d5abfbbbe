import { cutAuthor } from './author.js'
import { notTheWriter } from './errors.js'

import type { DocumentLog, Entry, Snapshot, StoredDocument } from './journal.js'
import { catalogKey, runKey } from './keys.js'
import type { Layout } from './layout.js'
import { encodeCatalog, encodeRun, type RunEntry } from './records.js'
import { witnessKey } from './seen.js'
import type { Write } from './store.js'
import type { Appender, Chunk } from './writer.js'

/** What a log needs of the journal that made it. */
export interface LevelLogDeps {
  /** Has the log's pending updates written. @throws InkwireError INKWIRE_STORE_CLOSED */
  readonly enqueue: (log: LevelLog, bytes: number) => void
  /** Has what was enqueued written soon. */
  readonly commit: () => void
  readonly compact: (log: LevelLog, snapshot: Snapshot) => Promise<void>
  readonly snapshot: (log: LevelLog) => Promise<Snapshot | null>
  readonly release: (log: LevelLog) => void
  readonly onDurable: (seq: number) => void
  /** Everything up to `seq` is durable. Called before `onDurable`, which is other people's code. */
  readonly committed: (log: LevelLog, seq: number) => void
}

/** How a log starts: what was loaded, or nothing yet. */
export interface LevelLogStart {
  readonly document: StoredDocument
  readonly nameBytes: Uint8Array
  readonly created: number
  readonly layout: Layout
}

/** {@link DocumentLog} of the LevelDB journal: numbers updates and packs them into records. */
export class LevelLog implements DocumentLog, Appender {
  readonly nameBytes: Uint8Array
  readonly witnessKey: Uint8Array
  readonly created: number
  readonly layout: Layout
  readonly #deps: LevelLogDeps
  #document: StoredDocument
  #pending: RunEntry[] = []
  #pendingBytes = 0
  #appended: number
  /** The last `seq` that was packed into a record. */
  #packed: number
  #durable: number
  #released = false
  #letGo = false

  constructor(start: LevelLogStart, deps: LevelLogDeps) {
    this.#document = start.document
    this.nameBytes = start.nameBytes
    this.witnessKey = witnessKey(start.nameBytes)
    this.created = start.created
    this.layout = start.layout
    this.#deps = deps
    this.#appended = this.#packed = this.#durable = start.document.seq
  }

  get document(): StoredDocument {
    return this.#document
  }

  get name(): string {
    return this.#document.name
  }

  get generation(): string {
    return this.#document.generation
  }

  get durable(): number {
    return this.#durable
  }

  /** Updates that are not durable. */
  get unsaved(): number {
    return this.#appended - this.#durable
  }

  letGo(): void {
    this.#letGo = true
    this.#document = { ...this.#document, snapshot: null, tail: [] }
  }

  snapshot(): Promise<Snapshot | null> {
    if (this.#released) return Promise.reject(notTheWriter(this.name))
    return this.#deps.snapshot(this)
  }

  append(entry: Entry): number {
    const seq = this.hold(entry)
    this.#deps.commit()
    return seq
  }

  commit(): void {
    if (this.hasPending) this.#deps.commit()
  }

  hold(entry: Entry): number {
    if (this.#released) throw notTheWriter(this.name)
    const bytes = entry.update.length
    this.#deps.enqueue(this, bytes)
    this.#pending.push(toRunEntry(entry))
    this.#pendingBytes += bytes
    return ++this.#appended
  }

  compact(snapshot: Snapshot): Promise<void> {
    if (this.#released) return Promise.reject(notTheWriter(this.name))
    if (snapshot.seq > this.#durable || snapshot.seq < 1) {
      return Promise.reject(
        new RangeError(`can't compact up to ${snapshot.seq}: durable is ${this.#durable}`),
      )
    }
    return this.#deps.compact(this, snapshot)
  }

  release(): void {
    if (this.#released) return
    if (this.unsaved > 0) throw new Error(`${this.unsaved} updates are not durable yet`)
    this.#released = true
    this.#deps.release(this)
  }

  get hasPending(): boolean {
    return this.#pending.length > 0
  }

  take(limitBytes: number): Chunk {
    const entries = this.#cut(limitBytes)
    const first = this.#packed + 1
    const last = this.#packed + entries.length
    this.#packed = last
    // Whatever has a first update has history from here on, and with it its place in the catalog.
    const starts = first === 1
    const key = runKey(this.generation, first)
    const value = encodeRun(key, { name: starts ? this.nameBytes : null, entries })
    const writes: Write[] = [{ key, value }]
    if (starts) {
      const catalog = catalogKey(this.nameBytes)
      const entry = { generation: this.generation, created: this.created }
      writes.push({ key: catalog, value: encodeCatalog(catalog, entry) })
    }
    let updateBytes = 0
    for (const { update } of entries) updateBytes += update.length
    return { log: this, writes, first, last, updateBytes, recordBytes: value.length }
  }

  committed(chunk: Chunk): void {
    this.#durable = chunk.last
    this.layout.addRun({ first: chunk.first, last: chunk.last, bytes: chunk.recordBytes })
    this.#deps.committed(this, chunk.last)
    this.#deps.onDurable(chunk.last)
  }

  /** A snapshot is in the store: the document as loaded needn't hold what it covers. */
  compacted(snapshot: Snapshot): void {
    if (this.#letGo) return
    const { name, generation, seq, tail } = this.#document
    const rest = tail.filter((entry) => entry.seq > snapshot.seq)
    this.#document = { name, generation, snapshot, tail: rest, seq: Math.max(seq, snapshot.seq) }
  }

  /** Takes pending updates of at most `limitBytes`, but at least one. */
  #cut(limitBytes: number): RunEntry[] {
    if (this.#pendingBytes <= limitBytes) {
      const all = this.#pending
      this.#pending = []
      this.#pendingBytes = 0
      return all
    }
    let count = 0
    let bytes = 0
    for (const { update } of this.#pending) {
      if (count > 0 && bytes + update.length > limitBytes) break
      bytes += update.length
      count++
    }
    const entries = this.#pending.splice(0, count)
    this.#pendingBytes -= bytes
    return entries
  }
}

const toRunEntry = ({ update, time, author }: Entry): RunEntry => ({
  update,
  time: Math.max(0, Math.floor(time)) || 0,
  author: cutAuthor(author),
})
