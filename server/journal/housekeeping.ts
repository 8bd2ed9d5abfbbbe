import { generationRange, type KeyRange, PURGE_RANGE, parseKey, purgeKey } from './keys.js'
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
  | { readonly kind: 'reclaim'; readonly generation: string }

/** Records removed per batch of a purge. */
const SLICE = 1000

/**
 * Work that makes files smaller and that nobody waits for, one chore at a time:
 *
 * - *purge*: the records of a deleted or replaced generation go, and so do their bytes in LevelDB's files. What is
 *   to be purged is marked in the store itself, so a purge that was interrupted goes on after the next start.
 * - *reclaim*: the space of a hot document's covered records is given back.
 */
export class Housekeeping {
  readonly #deps: HousekeepingDeps
  readonly #chores: Chore[] = []
  #running: Promise<void> | null = null
  #stopped = false

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps
  }

  /** Takes up the purges that an earlier run of the program left. */
  async resume(): Promise<void> {
    for await (const page of this.#deps.store.keyPages(PURGE_RANGE)) {
      for (const key of page) {
        const parsed = parseKey(key)
        if (parsed.kind === 'purge') this.#add({ kind: 'purge', generation: parsed.generation })
      }
    }
  }

  /** The generation was marked for purging. */
  purge(generation: string): void {
    this.#add({ kind: 'purge', generation })
  }

  /** Much of what lies in the generation's range of keys was removed. */
  reclaim(generation: string): void {
    if (this.#chores.some((chore) => chore.generation === generation)) return
    this.#add({ kind: 'reclaim', generation })
  }

  /** Takes up what failed while the store did. */
  wake(): void {
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
  }

  #add(chore: Chore): void {
    this.#chores.push(chore)
    this.wake()
  }

  async #work(): Promise<void> {
    try {
      for (let chore = this.#chores[0]; chore && !this.#stopped; chore = this.#chores[0]) {
        if (chore.kind === 'purge') await this.#purge(chore.generation)
        else await this.#compact(generationRange(chore.generation))
        this.#chores.shift()
      }
    } catch (error) {
      // It stays first in line; the marks in the store outlive the process.
      if (!this.#stopped) this.#deps.logger.warn({ err: error }, 'housekeeping was interrupted')
    } finally {
      this.#running = null
    }
  }

  async #purge(generation: string): Promise<void> {
    const { store, perform } = this.#deps
    const range = generationRange(generation)
    for await (const page of store.keyPages(range)) {
      for (let i = 0; i < page.length; i += SLICE) {
        if (this.#stopped) return
        const writes = page.slice(i, i + SLICE).map((key): Write => ({ key, value: null }))
        await perform({ step: 'purge', writes, landed: async () => false })
      }
    }
    await store.flush()
    // A table that was pushed down two levels at once is only rewritten together with one above it that spans it.
    const ends: Write[] = [
      { key: range.start, value: null },
      { key: lastKeyOf(range), value: null },
    ]
    await perform({ step: 'purge', writes: ends, landed: async () => false })
    await this.#compact(range)
    const key = purgeKey(generation)
    const landed = async (): Promise<boolean> => (await store.get(key)) === undefined
    await perform({ step: 'purged', writes: [{ key, value: null }], landed })
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
