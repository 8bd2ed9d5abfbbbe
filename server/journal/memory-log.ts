import { cutAuthor } from './author.js'
import { notTheWriter } from './errors.js'
import type { DocumentLog, Entry, Snapshot, StoredDocument, StoredEntry } from './journal.js'
import type { MemoryDocument } from './memory.js'

/** What a memory log needs of the journal that made it. */
export interface MemoryLogDeps {
  readonly enqueue: (log: MemoryLog, bytes: number) => void
  readonly commit: () => void
  /** Applies a change with the next commit. */
  readonly change: (apply: () => void) => Promise<void>
  /** Changes what is durable of this document. */
  readonly store: (change: (document: MemoryDocument) => MemoryDocument) => void
  /** The snapshot that is durable. */
  readonly snapshot: () => Promise<Snapshot | null>
  readonly release: () => void
  readonly onDurable: (seq: number) => void
}

/** {@link DocumentLog} of the memory journal. */
export class MemoryLog implements DocumentLog {
  readonly #deps: MemoryLogDeps
  #document: StoredDocument
  #pending: StoredEntry[] = []
  #appended: number
  #durable: number
  #snapshotSeq: number
  #released = false
  #letGo = false

  constructor(document: StoredDocument, deps: MemoryLogDeps) {
    this.#document = document
    this.#deps = deps
    this.#appended = this.#durable = document.seq
    this.#snapshotSeq = document.snapshot?.seq ?? 0
  }

  get document(): StoredDocument {
    return this.#document
  }

  get unsaved(): number {
    return this.#appended - this.#durable
  }

  letGo(): void {
    this.#letGo = true
    this.#document = { ...this.#document, snapshot: null, tail: [] }
  }

  async snapshot(): Promise<Snapshot | null> {
    if (this.#released) throw notTheWriter(this.#document.name)
    return this.#deps.snapshot()
  }

  append(entry: Entry): number {
    const seq = this.hold(entry)
    this.#deps.commit()
    return seq
  }

  commit(): void {
    if (this.#pending.length > 0) this.#deps.commit()
  }

  hold(entry: Entry): number {
    if (this.#released) throw notTheWriter(this.#document.name)
    this.#deps.enqueue(this, entry.update.length)
    const author = cutAuthor(entry.author)
    this.#pending.push({ ...entry, author, seq: ++this.#appended })
    return this.#appended
  }

  async compact(snapshot: Snapshot): Promise<void> {
    if (this.#released) throw notTheWriter(this.#document.name)
    if (snapshot.seq < 1 || snapshot.seq > this.#durable) throw new RangeError('not durable yet')
    if (snapshot.seq <= this.#snapshotSeq) throw new RangeError('there is a newer snapshot')
    const after = (entries: readonly StoredEntry[]) => entries.filter((entry) => entry.seq > snapshot.seq)
    await this.#deps.change(() => {
      this.#deps.store((stored) => ({ ...stored, snapshot, tail: after(stored.tail) }))
    })
    this.#snapshotSeq = snapshot.seq
    if (this.#letGo) return
    const { seq, tail } = this.#document
    this.#document = { ...this.#document, snapshot, tail: after(tail), seq: Math.max(seq, snapshot.seq) }
  }

  release(): void {
    if (this.#released) return
    if (this.unsaved > 0) throw new Error(`${this.unsaved} updates are not durable yet`)
    this.#released = true
    this.#deps.release()
  }

  /** What waits for a commit; the log forgets it. */
  take(): readonly StoredEntry[] {
    const entries = this.#pending
    this.#pending = []
    return entries
  }

  /** What `take` gave is durable. */
  committed(entries: readonly StoredEntry[]): void {
    const last = entries.at(-1)
    if (!last) return
    this.#deps.store((stored) => {
      for (const entry of entries) stored.tail.push(entry)
      return stored
    })
    this.#durable = last.seq
    this.#deps.onDurable(last.seq)
  }
}
