import { applyUpdate, encodeStateAsUpdate } from 'yjs'
import { InkwireError } from '../../shared/errors.js'
import type { Access } from '../../shared/messages.js'
import { Compactor } from './compactor.js'
import type { DeviceCopy, DeviceHost, DeviceState, Unsaved } from './contract.js'
import { deviceError, type Ended, openDatabase } from './database.js'
import { type Batch, Store } from './store.js'

/** What others did may wait this long, and so may the news that something was saved: the server knows both. */
const LATER_MS = 1_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** While the device takes nothing, more updates than this become one. */
const MAX_QUEUE = 1_000

/**
 * Keeps an open document on the device. Edits of this page are handed to IndexedDB before the turn of the event
 * loop ends; while a transaction is under way, what comes next is gathered for the one after.
 */
export class Device implements DeviceCopy {
  readonly #host: DeviceHost
  readonly #store: Store
  readonly #compactor: Compactor
  readonly #listening = new AbortController()
  #db: IDBDatabase | null = null
  #queue: Uint8Array[] = []
  /** Whether edits of this page are queued. */
  #urgent = false
  /** Transactions under way, and those of them that hold edits of this page. */
  #writing = 0
  #storing = 0
  /** What is stored beside the content; undefined: not known, the last write failed. */
  #generation: string | null = null
  #access: Access | null = null
  #mark: Unsaved | null | undefined = null
  #microtask = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #retryMs = FIRST_RETRY_MS
  #error: InkwireError | null = null
  #ended = false

  constructor(host: DeviceHost) {
    this.#host = host
    this.#store = new Store(host.key)
    this.#compactor = new Compactor({
      doc: host.provider.doc,
      // Our own: the provider takes it for edits and sends them on; the tab that stored them may be gone.
      origin: this,
      key: host.key,
      store: this.#store,
      db: () => this.#db,
    })
    void this.#open()
  }

  look(): void {
    if (this.#db && this.#isMarkStale()) this.#later()
  }

  close(): void {
    if (this.#ended) return
    if (this.#db) this.#flush()
    this.#end()
  }

  /** Reads what is stored into the document. */
  async #open(): Promise<void> {
    const { provider } = this.#host
    const { doc } = provider
    let sound = true
    try {
      const db = await openDatabase((why) => this.#lost(why))
      if (this.#ended) return db.close()
      const { updates, ...beside } = await this.#store.load(db, this.#host.provider.generation)
      if (this.#ended) return db.close()
      this.#db = db
      // What the document holds that may not be stored: edits made meanwhile, content of the app's.
      const own = doc.store.clients.size > 0 ? encodeStateAsUpdate(doc) : null
      const guarded = (act: () => void): void => {
        try {
          act()
        } catch (error) {
          // Damaged, or an observer of the app threw. What can't be read must not be replaced.
          sound = false
          this.#host.report(error)
        }
      }
      // One transaction, so that the app sees one change.
      guarded(() =>
        doc.transact(() => {
          for (const update of updates) guarded(() => applyUpdate(doc, update, provider))
        }, provider),
      )
      this.#generation = beside.generation
      this.#access = beside.access
      this.#mark = beside.unsaved
      this.#compactor.loaded(updates)
      doc.on('update', this.#onUpdate)
      this.#listen()
      this.#host.loaded(beside)
      if (own) this.#add(own, true)
      else if (this.#isMarkStale()) this.#soon()
      this.#tell()
    } catch (error) {
      this.#end(deviceError(error))
      this.#host.loaded(null)
      return
    }
    if (sound && !this.#ended) this.#compactor.start()
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    // Our own: another tab's, and stored.
    if (origin !== this) this.#add(update, origin !== this.#host.provider)
  }

  #add(update: Uint8Array, urgent: boolean): void {
    this.#queue.push(update)
    if (urgent) {
      this.#urgent = true
      this.#soon()
      this.#tell()
    } else this.#later()
  }

  /** At the end of this turn: by then the provider has counted the edit, and knows of which generation it is. */
  #soon(): void {
    if (this.#microtask) return
    this.#microtask = true
    queueMicrotask(() => {
      this.#microtask = false
      this.#flushIfFree()
    })
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#flushIfFree()
    }, LATER_MS)
  }

  /** After a failure the next attempt is the retry timer's: a full disk isn't tried with each letter. */
  #flushIfFree(): void {
    if (this.#writing === 0 && !this.#error) this.#flush()
  }

  #isMarkStale(): boolean {
    const unsaved = this.#host.ledger.unsaved()
    return (
      this.#mark === undefined ||
      this.#host.provider.generation !== this.#generation ||
      this.#newAccess() !== null ||
      unsaved?.count !== this.#mark?.count ||
      unsaved?.since !== this.#mark?.since
    )
  }

  /** What the server says that this device may do, if that isn't stored. */
  #newAccess(): Access | null {
    const access = this.#host.provider.access
    return access === this.#access ? null : access
  }

  /** Writes all that is queued, and the marks that belong to it. */
  #flush(): void {
    const db = this.#db
    if (this.#ended || !db || (this.#queue.length === 0 && !this.#isMarkStale())) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#queue.length > MAX_QUEUE) this.#queue = [encodeStateAsUpdate(this.#host.provider.doc)]
    const updates = this.#queue
    const urgent = this.#urgent
    const unsaved = this.#host.ledger.unsaved()
    const bound = this.#host.provider.generation
    const generation = bound === this.#generation ? null : bound
    const access = this.#newAccess()
    this.#queue = []
    this.#urgent = false
    this.#mark = unsaved
    this.#writing++
    if (urgent) this.#storing++
    this.#store
      .write(db, { updates, unsaved, generation, access })
      .then(
        () => this.#wrote({ updates, unsaved, generation, access }),
        (error: unknown) => {
          this.#queue = [...updates, ...this.#queue]
          this.#urgent ||= urgent
          this.#mark = undefined
          return deviceError(error)
        },
      )
      .then((error) => {
        this.#writing--
        if (urgent) this.#storing--
        if (this.#ended) return
        if (error) {
          this.#fail(error)
          return
        }
        if (this.#urgent && this.#writing === 0) this.#flush()
        else if (this.#queue.length > 0) this.#later()
        this.#tell()
      })
  }

  #wrote({ updates, generation, access }: Batch): void {
    if (generation) this.#generation = generation
    if (access) this.#access = access
    this.#error = null
    this.#retryMs = FIRST_RETRY_MS
    this.#compactor.added(updates)
  }

  #fail(error: InkwireError): void {
    if (error.code !== 'INKWIRE_DEVICE_FULL' && error.code !== 'INKWIRE_DEVICE_FAILED') {
      this.#end(error)
      return
    }
    this.#error = error
    this.#tell()
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => void this.#retry(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS)
  }

  async #retry(): Promise<void> {
    try {
      if (!this.#db) {
        const db = await openDatabase((why) => this.#lost(why))
        if (this.#ended) return db.close()
        await this.#store.resume(db)
        this.#db = db
      }
    } catch (error) {
      if (!this.#ended) this.#fail(deviceError(error))
      return
    }
    this.#mark = undefined
    if (this.#writing === 0) this.#flush()
  }

  /** The connection to the database is gone. */
  #lost(why: Ended): void {
    const loading = !this.#db && !this.#error
    this.#db = null
    // While it loads, whoever loads meets the closed connection.
    if (this.#ended || loading) return
    switch (why) {
      case 'deleted':
        this.#end(new InkwireError('INKWIRE_DEVICE_FORGOTTEN', 'this device’s storage was deleted'))
        break
      case 'outdated':
        this.#end(
          new InkwireError('INKWIRE_DEVICE_UNAVAILABLE', 'a newer version in another tab took it over'),
        )
        break
      case 'lost':
        this.#fail(new InkwireError('INKWIRE_DEVICE_FAILED', 'the browser closed this device’s storage'))
        break
      default:
        why satisfies never
    }
  }

  /** Last chances: a page that is hidden may never run again. */
  #listen(): void {
    if (typeof addEventListener === 'undefined') return
    const { signal } = this.#listening
    addEventListener('pagehide', () => this.#flush(), { signal })
    addEventListener('visibilitychange', () => this.#flush(), { signal })
  }

  #end(error: InkwireError | null = null): void {
    this.#ended = true
    this.#host.provider.doc.off('update', this.#onUpdate)
    this.#listening.abort()
    clearTimeout(this.#timer)
    clearTimeout(this.#retryTimer)
    this.#compactor.stop()
    // Transactions under way are still completed.
    this.#db?.close()
    this.#db = null
    this.#queue = []
    if (!error) return
    this.#error = error
    this.#tell()
  }

  #tell(): void {
    const status = this.#error ? 'failed' : this.#urgent || this.#storing > 0 ? 'storing' : 'stored'
    this.#host.changed({ status, error: this.#error } satisfies DeviceState)
  }
}
