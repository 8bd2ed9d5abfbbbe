import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import type { DocumentStats, DocumentSummary, Journal, StoredDocument } from '../journal/journal.js'
import type { Change, Rooms } from '../room/rooms.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { scanUpdate } from '../update/scan.js'
import type { WorkerPool } from '../worker/pool.js'
import { planRollback, type RollbackOptions, type RollbackReport } from './rollback.js'

/** What {@link Documents} works on. */
export interface DocumentsDeps {
  readonly journal: () => Promise<Journal>
  readonly rooms: Rooms
  readonly pool: Pick<WorkerPool, 'compact'>
  /** Closes a user's connections and refuses what was issued to them so far. */
  readonly revoke: (user: string) => Promise<unknown>
}

/**
 * How a document is changed as a whole.
 *
 * @example
 *   await server.documents.delete('notes', { signal: AbortSignal.timeout(5000) })
 */
export interface ChangeOptions {
  /** Aborts what hasn't begun yet: then nothing is done, and it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The documents of a running server, for the app around it and for its operator. Names are as clients use them.
 *
 * All methods reject with an InkwireError: INKWIRE_BAD_NAME, INKWIRE_DOCUMENT_DAMAGED, INKWIRE_STORE_FAILED,
 * INKWIRE_STORE_CLOSED, and what they name themselves.
 */
export class Documents {
  readonly #deps: DocumentsDeps

  constructor(deps: DocumentsDeps) {
    this.#deps = deps
  }

  /** All documents with history, in order of name bytes. */
  async *list(): AsyncGenerator<DocumentSummary, void, void> {
    yield* (await this.#deps.journal()).list()
  }

  /** Sizes and times of a document; `null` when there is none. */
  async stats(name: string): Promise<DocumentStats | null> {
    return (await this.#deps.journal()).stats(name)
  }

  /**
   * A document as one Yjs update (v1): everything that is durable now.
   *
   * @throws InkwireError INKWIRE_NO_DOCUMENT
   * @example
   *   Y.applyUpdate(doc, await server.documents.read('notes'))
   */
  async read(name: string): Promise<Uint8Array> {
    const stored = await (await this.#deps.journal()).read(name)
    if (!stored) throw noDocument(name)
    const { snapshot, tail } = stored
    if (snapshot && tail.length === 0) return snapshot.update
    const updates = tail.map(({ update }) => update)
    return (await this.#deps.pool.compact({ snapshot: snapshot?.update ?? null, updates })).update
  }

  /**
   * Merges an update into a document, as if a client had sent it; created if need be. Whoever has it open sees it.
   *
   * @returns once it is durable; whether there was anything new in it.
   * @throws InkwireError INKWIRE_BAD_UPDATE
   */
  async merge(name: string, update: Uint8Array): Promise<boolean> {
    const room = await this.#deps.rooms.open(name)
    return room.merge(update)
  }

  /**
   * Removes a document with everything that is stored of it. Its clients are closed with 4404, once it is gone; if it
   * can't be removed, so that they come back.
   *
   * @returns whether there was one.
   */
  async delete(name: string, { signal }: ChangeOptions = {}): Promise<boolean> {
    const how = { code: Code.noSuchDocument, reason: 'the document was deleted', signal }
    return this.#exclusively(name, how, (journal, begin) => {
      begin()
      return journal.delete(name)
    })
  }

  /**
   * Puts other contents in a document's place, under a new generation: for a restore or a rollback. Its clients are
   * closed with 4409 once that is done, so that none merges the old history into the new one; if it can't be done, so
   * that they come back.
   *
   * @param update one Yjs update (v1) with the whole state.
   * @throws InkwireError INKWIRE_BAD_UPDATE
   */
  async replace(name: string, update: Uint8Array, { signal }: ChangeOptions = {}): Promise<DocumentSummary> {
    // Whoever calls this may: only what no Y.Doc could read is refused.
    scanUpdate(update, TRUSTED_LIMITS)
    const how = { code: Code.generationChanged, reason: 'the document was replaced', signal }
    return this.#exclusively(name, how, (journal, begin) => {
      begin()
      return journal.replace(name, { snapshot: { seq: 1, update }, tail: [] })
    })
  }

  /**
   * Puts a document back to what it was before a moment, under a new generation: the way out when somebody has
   * spoiled it. Reaches back as far as updates are kept one by one, that is to the last compaction; for what is
   * older, restore a backup. Clients are closed as by {@link replace}. No other document is touched.
   *
   * @param before what came at this moment or later is gone, by the server's clock.
   * @returns what was lost, once it is durable. Nothing is done when nothing came since, or for a dry run.
   * @throws InkwireError INKWIRE_NO_DOCUMENT; INKWIRE_NO_HISTORY when its updates of then aren’t kept one by one: it
   *   was compacted since, or restored from a backup.
   * @example
   *   await server.documents.rollback('notes', new Date(Date.now() - 10 * 60_000))
   */
  async rollback(
    name: string,
    before: Date,
    { dryRun = false, revoke, signal }: RollbackOptions & ChangeOptions = {},
  ): Promise<RollbackReport> {
    const moment = before.getTime()
    if (Number.isNaN(moment)) throw new InkwireError('INKWIRE_BAD_OPTION', 'that is no moment in time')
    const first = await readWith(await this.#deps.journal(), name)
    const { generation } = first.stored
    const lost = planRollback(first.stored, first.lastWrite, moment)?.lost ?? null
    if (dryRun) return { name, generation, lost }
    if (lost === null) {
      if (revoke !== undefined) await this.#deps.revoke(revoke)
      return { name, generation, lost }
    }
    const how = { code: Code.generationChanged, reason: 'the document was rolled back', signal }
    return this.#exclusively(name, how, async (journal, begin) => {
      // Again, since it wasn't closed yet. When its last client leaves it is compacted, though: then what was read
      // before has its updates one by one.
      const now = await readWith(journal, name)
      const compacted = now.stored.generation === generation && !isSameSnapshot(now.stored, first.stored)
      const { stored, lastWrite } = compacted ? first : now
      const plan = planRollback(stored, lastWrite, moment)
      if (plan) begin()
      if (revoke !== undefined) await this.#deps.revoke(revoke)
      if (!plan) return { name, generation: stored.generation, lost: null }
      return { ...(await journal.replace(name, plan.kept)), lost: plan.lost }
    })
  }

  /** @param make as in {@link Change}. */
  async #exclusively<T>(
    name: string,
    how: Pick<Change<T>, 'code' | 'reason' | 'signal'>,
    make: (journal: Journal, begin: () => void) => Promise<T>,
  ): Promise<T> {
    const journal = await this.#deps.journal()
    return this.#deps.rooms.exclusively(name, {
      ...how,
      store: journal,
      make: (begin) => make(journal, begin),
    })
  }
}

const isSameSnapshot = (one: StoredDocument, other: StoredDocument): boolean =>
  one.snapshot?.seq === other.snapshot?.seq

/** A document, and when it was last written to. */
const readWith = async (
  journal: Journal,
  name: string,
): Promise<{ readonly stored: StoredDocument; readonly lastWrite: number }> => {
  const [stored, stats] = [await journal.read(name), await journal.stats(name)]
  if (!stored || !stats) throw noDocument(name)
  return { stored, lastWrite: stats.lastWrite }
}

const noDocument = (name: string): InkwireError =>
  new InkwireError('INKWIRE_NO_DOCUMENT', `there is no document "${name}"`)
