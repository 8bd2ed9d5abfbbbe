import { applyUpdate, type Doc, encodeStateAsUpdate } from 'yjs'
import { deviceError } from './database.js'
import { runForKeeper } from './keeper.js'
import { StoredSize } from './size.js'
import type { Store } from './store.js'

/** What a compactor works with. */
export interface CompactorDeps {
  readonly doc: Doc
  /** The transaction origin of what other tabs stored, which is taken over first. */
  readonly origin: object
  /** The copy's name in locks. */
  readonly key: string
  readonly store: Pick<Store, 'compact'>
  /** The database; null while there is no connection to it. */
  readonly db: () => IDBDatabase | null
}

/** Puts a copy's stored updates together when they are worth it, if this is the tab that does so. */
export class Compactor {
  readonly #deps: CompactorDeps
  readonly #size = new StoredSize()
  #keeper = false
  /** Cancels a compaction that waits for an idle moment; null when none waits or runs. */
  #compaction: (() => void) | null = null
  #resign = (): void => {}
  #stopped = false

  constructor(deps: CompactorDeps) {
    this.#deps = deps
  }

  /** These updates were found; the first is what they were last put together to. */
  loaded(updates: readonly Uint8Array[]): void {
    this.#size.loaded(updates)
  }

  /** From now on this tab may be the one. */
  start(): void {
    this.#resign = runForKeeper(this.#deps.key, () => {
      this.#keeper = true
      this.#compactIfWorth()
    })
  }

  /** These were stored. */
  added(updates: readonly Uint8Array[]): void {
    this.#size.added(updates)
    this.#compactIfWorth()
  }

  /** Leaves it to other tabs. What is under way is still completed. */
  stop(): void {
    this.#stopped = true
    this.#compaction?.()
    this.#resign()
  }

  #compactIfWorth(): void {
    if (!this.#keeper || this.#compaction || this.#stopped || !this.#size.worthCompacting) return
    this.#compaction = whenIdle(() => {
      void this.#compact().finally(() => {
        this.#compaction = null
      })
    })
  }

  async #compact(): Promise<void> {
    const { doc, origin, store } = this.#deps
    const db = this.#deps.db()
    let bytes = 0
    if (!db) return
    const absorb = (updates: readonly Uint8Array[]): void => {
      for (const update of updates) applyUpdate(doc, update, origin)
    }
    const snapshot = (): Uint8Array => {
      const update = encodeStateAsUpdate(doc)
      bytes = update.length
      return update
    }
    try {
      await store.compact(db, absorb, snapshot)
      this.#size.compacted(bytes)
    } catch (error) {
      // Everything is still stored as it was. Without space it is tried again later; otherwise never, the
      // next write will show what is the matter.
      this.#size.postponed()
      this.#keeper = deviceError(error).code === 'INKWIRE_DEVICE_FULL'
    }
  }
}

/**
 * Calls back when the browser has nothing better to do.
 *
 * @returns how to call it off.
 */
const whenIdle = (act: () => void): (() => void) => {
  if (typeof requestIdleCallback === 'undefined') {
    const timer = setTimeout(act, 200)
    return () => clearTimeout(timer)
  }
  const handle = requestIdleCallback(act, { timeout: 10_000 })
  return () => cancelIdleCallback(handle)
}
