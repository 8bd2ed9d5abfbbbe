import { documentDamaged, isDamage } from './errors.js'
import { type LoadedDocument, loadDocument } from './load.js'
import type { JournalLogger } from './logger.js'
import { judge, type Seen } from './seen.js'
import type { Store } from './store.js'
import type { Witness } from './witness.js'

/** Loads documents, holds them against the witness, and remembers which ones are damaged. */
export class Reader {
  readonly #store: Store
  readonly #witness: Witness | null
  readonly #logger: JournalLogger
  readonly #quarantined = new Map<string, string>()

  constructor(deps: {
    readonly store: Store
    readonly witness: Witness | null
    readonly logger: JournalLogger
  }) {
    this.#store = deps.store
    this.#witness = deps.witness
    this.#logger = deps.logger
  }

  /** Documents that were found damaged and not seen whole since, with the reason. */
  get quarantined(): ReadonlyMap<string, string> {
    return this.#quarantined
  }

  /**
   * Reads a document; `null` when there is none.
   *
   * @throws InkwireError INKWIRE_DOCUMENT_DAMAGED, INKWIRE_STORE_FORMAT, INKWIRE_STORE_FAILED
   */
  async load(name: string, nameBytes: Uint8Array): Promise<LoadedDocument | null> {
    const loaded = await this.watch(name, () => this.#loadWitnessed(name, nameBytes))
    this.#quarantined.delete(name)
    return loaded
  }

  /** Whoever reads something of a document: what it finds damaged is remembered. */
  async watch<T>(name: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (isDamage(error)) this.#setApart(name, error)
      throw error
    }
  }

  /** The document was deleted, replaced or repaired. */
  forget(name: string): void {
    this.#quarantined.delete(name)
  }

  async #loadWitnessed(name: string, nameBytes: Uint8Array): Promise<LoadedDocument | null> {
    // Asked before the document is read: what is written in between is no loss.
    let seen = await this.#recall(nameBytes)
    for (;;) {
      const loaded = await loadDocument(this.#store, name, nameBytes)
      const verdict = judge(seen, loaded?.document ?? null)
      if (verdict.status === 'ok') return loaded
      if (verdict.status === 'lost') {
        const details = { document: name, problem: verdict.problem }
        this.#logger.warn(details, 'updates that were not fsynced were lost')
        return loaded
      }
      // Unless it was deleted or replaced in between.
      const again = await this.#recall(nameBytes)
      if (isSame(seen, again)) throw documentDamaged(name, verdict.problem)
      seen = again
    }
  }

  async #recall(nameBytes: Uint8Array): Promise<Seen | null> {
    return (await this.#witness?.recall(nameBytes)) ?? null
  }

  #setApart(name: string, error: Error): void {
    const known = this.#quarantined.get(name) === error.message
    this.#quarantined.set(name, error.message)
    if (!known) this.#logger.error({ document: name, err: error }, 'a damaged document was set apart')
  }
}

const isSame = (a: Seen | null, b: Seen | null): boolean =>
  a?.generation === b?.generation && a?.seq === b?.seq && a?.leaving === b?.leaving
