import { asideMark, creation, deletion, purgeMark } from './change.js'
import { storeFailed } from './errors.js'
import { mintGeneration, type RandomBytes } from './generation.js'
import type { DocumentSummary, Replacement } from './journal.js'
import { catalogKey } from './keys.js'
import { type CatalogReading, readCatalog } from './load.js'
import { type Found, witnessKey } from './seen.js'
import type { Store } from './store.js'
import { asidesOf, generationsOf } from './traces.js'
import type { Witness } from './witness.js'
import type { Operation } from './writer.js'

/** What changes of generation need. */
export interface GenerationsDeps {
  readonly store: Store
  readonly witness: Witness | null
  readonly now: () => number
  readonly randomBytes: RandomBytes
  readonly perform: (operation: Operation) => Promise<void>
  /** These generations were marked for purging. */
  readonly purge: (generations: readonly string[]) => void
  readonly crashpoint: (name: string) => void
}

/** What becomes of the generation that is replaced. */
export type Fate =
  | { readonly kind: 'purged' }
  /** Kept as it is, under no name, with the reason. */
  | { readonly kind: 'aside'; readonly reason: string }

/**
 * Delete and replace: the ways in which a document gets out of its generation. Each is one atomic batch. The
 * witness is told before, so that a crash in between leaves nothing that looks like damage. The caller holds the
 * document's lock.
 */
export class Generations {
  readonly #deps: GenerationsDeps

  constructor(deps: GenerationsDeps) {
    this.#deps = deps
  }

  /** @returns whether there was such a document. */
  async delete(name: Uint8Array): Promise<boolean> {
    const { store, witness } = this.#deps
    const entry = await this.#catalog(name)
    const current = await this.#current(name, entry)
    if (!current) return false
    const known = await generationsOf(store, witness, name)
    const generations = [...new Set([...known, ...(await asidesOf(store, name))])]
    await this.#leave(name, current)
    await this.#deps.perform({
      step: 'delete',
      writes: deletion(name, generations),
      landed: async () => (await readCatalog(store, name)).status === 'none',
    })
    await witness?.forget(name)
    this.#deps.purge(generations)
    return true
  }

  async replace(
    name: Uint8Array,
    content: Replacement,
    fate: Fate = { kind: 'purged' },
  ): Promise<Pick<DocumentSummary, 'generation'>> {
    const { store, witness, now, randomBytes } = this.#deps
    const generation = mintGeneration(randomBytes)
    const writes = creation(name, generation, content, now())
    const entry = await this.#catalog(name)
    const current = await this.#current(name, entry)
    // One that nobody has heard of needn't be looked for.
    const old = current ? await generationsOf(store, witness, name) : []
    for (const each of old) {
      writes.push(fate.kind === 'purged' ? purgeMark(each) : asideMark(each, name, now(), fate.reason))
    }
    if (current) await this.#leave(name, current)
    await this.#deps.perform({
      step: 'replace',
      writes,
      landed: async () => {
        const after = await readCatalog(store, name)
        return after.status === 'ok' && after.generation === generation
      },
    })
    const seq = (content.snapshot?.seq ?? 0) + content.tail.length
    witness?.saw({ witnessKey: witnessKey(name), generation }, seq)
    if (fate.kind === 'purged') this.#deps.purge(old)
    return { generation }
  }

  /** Takes a document out of the catalog and keeps its records under no name. */
  async setAside(name: Uint8Array, generations: readonly string[], reason: string): Promise<void> {
    const { store, witness, now } = this.#deps
    const current = await this.#current(name, await this.#catalog(name))
    if (current) await this.#leave(name, current)
    await this.#deps.perform({
      step: 'delete',
      writes: [
        { key: catalogKey(name), value: null },
        ...generations.map((generation) => asideMark(generation, name, now(), reason)),
      ],
      landed: async () => (await readCatalog(store, name)).status === 'none',
    })
    await witness?.forget(name)
  }

  async #catalog(name: Uint8Array): Promise<CatalogReading> {
    try {
      return await readCatalog(this.#deps.store, name)
    } catch (error) {
      throw storeFailed('the catalog can not be read', error)
    }
  }

  /** What the document was at, by the catalog or else by the witness; null if neither has heard of it. */
  async #current(name: Uint8Array, entry: CatalogReading): Promise<Found | null> {
    const seen = (await this.#deps.witness?.recall(name)) ?? null
    if (entry.status === 'ok') {
      return { generation: entry.generation, seq: seen?.generation === entry.generation ? seen.seq : 0 }
    }
    if (entry.status === 'none') return seen && !seen.leaving ? seen : null
    return seen ?? { generation: '0'.repeat(32), seq: 0 }
  }

  async #leave(name: Uint8Array, current: Found): Promise<void> {
    this.#deps.crashpoint('leave.before')
    try {
      await this.#deps.witness?.leaving(name, current)
    } catch (error) {
      throw storeFailed('nothing can be written', error)
    }
    this.#deps.crashpoint('leave.after')
  }
}
