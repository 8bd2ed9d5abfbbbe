import type { Emitter, ServerEvents } from './events.js'
import type { JournalState } from './journal/journal.js'
import type { Log } from './observe/log.js'

/** Where news go. */
export interface NewsDeps {
  readonly log: Log
  readonly events: Emitter<ServerEvents>
  /** Whether the server is being closed: what fails then is no news. */
  readonly closing: () => boolean
}

const LOST = 'documents that nobody deleted are missing from the store: run `inkwire verify`'

/** What the log and the app hear of the store and of documents, beside what clients do. */
export class News {
  readonly #deps: NewsDeps

  constructor(deps: NewsDeps) {
    this.#deps = deps
  }

  /** The store's state has changed. */
  storage(state: JournalState): void {
    const { log, events } = this.#deps
    if (state.status === 'failing') log.error({ reason: state.reason }, 'the store does not take writes')
    if (state.status === 'ok') log.info({}, 'the store takes writes again')
    events.emit('storage', state)
  }

  /** How many documents are gone that nobody deleted: nobody may ever ask for one, and so hear of it. Never rejects. */
  async lost(count: () => Promise<number>): Promise<void> {
    const { log, closing } = this.#deps
    try {
      const documents = await count()
      if (documents > 0) log.error({ documents }, LOST)
    } catch (err) {
      if (!closing()) log.warn({ err }, 'whether documents are lost could not be told')
    }
  }

  /** A document was loaded for its first client. */
  opened(document: string, generation: string): void {
    this.#deps.events.emit('open', { document, generation })
  }

  /** A document has left memory. */
  left(document: string): void {
    this.#deps.events.emit('unload', { document })
  }

  /** @param final whether the document is given up, and not tried again. */
  compactionFailed(document: string, err: unknown, final: boolean): void {
    const { log, closing } = this.#deps
    if (closing()) return
    if (final)
      log.error({ document, err }, 'compaction failed too often; the document is served from its tail')
    else log.warn({ document, err }, 'compaction failed; it will be tried again')
  }

  /** A snapshot that was let go of is needed, and can't be had. */
  recallFailed(document: string, err: unknown): void {
    if (!this.#deps.closing()) this.#deps.log.error({ document, err }, 'a snapshot could not be read again')
  }

  /** A change whose outcome nobody knew has ended after all; `err` says why it failed, null that it is done. */
  changedLate(document: string, err: unknown): void {
    const { log } = this.#deps
    if (err === null) log.warn({ document }, 'what had begun while the store failed is done')
    else log.warn({ document, err }, 'what had begun while the store failed was not done')
  }
}
