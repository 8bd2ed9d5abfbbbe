import { isCorruption } from './errors.js'
import { CATALOG_RANGE, generationRange, type KeyRange, PURGE_RANGE, parseKey, purgeKey } from './keys.js'
import type { JournalLogger } from './logger.js'
import type { Store, Write } from './store.js'
import type { Operation } from './writer.js'

/** What housekeeping is made of. */
export interface HousekeepingDeps {
  readonly store: Store
  /** All writes go through the journal's writer: one that fails must stop the others. */
  readonly perform: (operation: Operation) => Promise<void>
  readonly logger: JournalLogger
}

type Chore =
  | { readonly kind: 'purge'; readonly generation: string }
  | { readonly kind: 'reclaim'; readonly generation: string; readonly done: () => void }
  | { readonly kind: 'catalog' }

/** Records removed per batch of a purge. */
const SLICE = 1000

/**
 * Work that makes files smaller and that nobody waits for, one chore at a time:
 *
 * - *purge*: the records of a deleted or replaced generation go, and so do their bytes in LevelDB's files. What is
 *   to be purged is marked in the store itself, so a purge that was interrupted goes on after the next start.
 * - *catalog*: the names of deleted documents go from LevelDB's tables. (In its MANIFEST, which lists the first and
 *   last key of each table, one can stay until the store is opened the next time.)
 * - *reclaim*: the space of a hot document's covered records is given back.
 *
 * LevelDB removes a deleted record's bytes when it compacts a table that holds them with one above it that holds the
 * deletion. A table with both, which may have been written two levels down, stays as it is unless something above
 * spans it: that is why deletions are written on both sides of a flush here.
 */
export class Housekeeping {
  readonly #deps: HousekeepingDeps
  readonly #chores: Chore[] = []
  #running: Promise<void> | null = null
  #stopped = false
  /** Somebody has called for it while it ran. */
  #woken = false

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps
  }

  /** Takes up the purges that an earlier run of the program left. */
  async resume(): Promise<void> {
    const generations: string[] = []
    try {
      for await (const page of this.#deps.store.keyPages(PURGE_RANGE)) {
        for (const key of page) {
          const parsed = parseKey(key)
          if (parsed.kind === 'purge') generations.push(parsed.generation)
        }
      }
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'not all that is to be purged can be read')
    }
    if (generations.length > 0) this.purge(generations)
  }

  /** The generations were marked for purging. */
  purge(generations: readonly string[]): void {
    for (const generation of generations) this.#chores.push({ kind: 'purge', generation })
    // Once, after the last of them.
    const catalog = this.#chores.findIndex((chore, i) => i > 0 && chore.kind === 'catalog')
    if (catalog > 0) this.#chores.splice(catalog, 1)
    this.#chores.push({ kind: 'catalog' })
    this.wake()
  }

  /** Much of what lay in the generation's range of keys was removed. Resolves when its space is given back. */
  reclaim(generation: string): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((done) => {
      this.#chores.push({ kind: 'reclaim', generation, done })
      this.wake()
    })
  }

  /** Takes up what there is to do, or what failed while the store did. */
  wake(): void {
    // A chore that is just failing may hear that the store works again before it has ended.
    this.#woken = this.#running !== null
    if (this.#running || this.#stopped || this.#chores.length === 0) return
    this.#running = this.#work()
  }

  /** Resolves when nothing is left to do, or can be done for now. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Starts nothing more; resolves when the step in hand has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    for (const chore of this.#chores.splice(0)) if (chore.kind === 'reclaim') chore.done()
  }

  async #work(): Promise<void> {
    try {
      for (let chore = this.#chores[0]; chore && !this.#stopped; chore = this.#chores[0]) {
        await this.#do(chore)
        if (!this.#stopped) this.#chores.shift()
      }
    } catch (error) {
      // It stays first in line until the store works again; the marks in the store outlive the process.
      if (!this.#stopped) this.#deps.logger.warn({ err: error }, 'housekeeping was interrupted')
    } finally {
      this.#running = null
      if (this.#woken) this.wake()
    }
  }

  async #do(chore: Chore): Promise<void> {
    try {
      switch (chore.kind) {
        case 'purge':
          return await this.#purge(chore.generation)
        case 'reclaim':
          await this.#dropRemoved(generationRange(chore.generation))
          return chore.done()
        case 'catalog':
          // All of it: LevelDB writes the bounds of a compaction in its own log, which no name belongs in.
          return await this.#compact(CATALOG_RANGE)
      }
    } catch (error) {
      if (!isCorruption(error)) throw error
      if (chore.kind === 'reclaim') chore.done()
      this.#deps.logger.warn({ err: error }, 'housekeeping met a damaged table and leaves it to repair')
    }
  }

  async #purge(generation: string): Promise<void> {
    const { store } = this.#deps
    const range = generationRange(generation)
    for await (const page of store.keyPages(range)) {
      for (let i = 0; i < page.length && !this.#stopped; i += SLICE)
        await this.#remove(page.slice(i, i + SLICE))
    }
    if (this.#stopped) return
    await this.#dropRemoved(range)
    const mark = purgeKey(generation)
    await this.#deps.perform({
      step: 'purged',
      writes: [{ key: mark, value: null }],
      landed: async () => (await store.get(mark)) === undefined,
    })
  }

  /** Has LevelDB let go of the bytes of what was removed from a range. */
  async #dropRemoved(range: KeyRange): Promise<void> {
    await this.#deps.store.flush()
    await this.#remove([range.start, lastKeyOf(range)])
    await this.#compact(range)
  }

  #remove(keys: readonly Uint8Array[]): Promise<void> {
    const writes = keys.map((key): Write => ({ key, value: null }))
    return this.#deps.perform({ step: 'purge', writes, landed: async () => false })
  }

  async #compact(range: KeyRange): Promise<void> {
    await this.#deps.store.flush()
    await this.#deps.store.compactRange(range)
  }
}

const lastKeyOf = (range: KeyRange): Uint8Array => {
  const key = new Uint8Array(range.start.length + 8).fill(0xff)
  key.set(range.start)
  return key
}
