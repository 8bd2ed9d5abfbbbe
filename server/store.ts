import type { Journal, JournalState, UnsavedReport } from './journal/journal.js'

/** Updates that wait for the disk while the store fails, bytes; past it authors are told to hold (4503). */
const MAX_UNSAVED_BYTES = 64 * 1024 * 1024
/**
 * With so much waiting for the disk, bytes, those who send a lot are read no further until it has caught up: commits
 * stay small enough for those who type between them.
 */
const CLOGGED_BYTES = 512 * 1024

/** What a store is made of. */
export interface StoreDeps<J extends Journal> {
  /** Opens the journal. */
  readonly open: () => Promise<J>
  /** It is open; whoever asked for it waits for this, too. */
  readonly opened: (journal: J) => Promise<void>
}

/** A server's journal, opened by whoever needs it first, and what its state means to those who want to write. */
export class Store<J extends Journal> {
  readonly #deps: StoreDeps<J>
  #journal: J | null = null
  #opening: Promise<J> | null = null

  constructor(deps: StoreDeps<J>) {
    this.#deps = deps
  }

  /** The journal; null before it is open. */
  get journal(): J | null {
    return this.#journal
  }

  /** The journal's state; null before it is open. */
  get state(): JournalState | null {
    return this.#journal?.state ?? null
  }

  /** Documents that were found damaged, with the reason. */
  get quarantined(): ReadonlyMap<string, string> {
    return this.#journal?.quarantined ?? new Map()
  }

  /** The journal. A failure is forgotten, so that the next one tries again. */
  open(): Promise<J> {
    this.#opening ??= this.#deps.open().then(
      async (journal) => {
        this.#journal = journal
        await this.#deps.opened(journal)
        return journal
      },
      (error: unknown) => {
        this.#opening = null
        throw error
      },
    )
    return this.#opening
  }

  /** More comes in than the disk takes. While the store fails, authors aren't kept waiting but told. */
  get clogged(): boolean {
    const journal = this.#journal
    return journal !== null && journal.queuedBytes > CLOGGED_BYTES && journal.state.status === 'ok'
  }

  /** Why no updates are taken, null if they are: while the store fails, only so many wait in memory. */
  get refusal(): string | null {
    const queued = this.#journal?.queuedBytes ?? 0
    return queued > MAX_UNSAVED_BYTES ? 'too much is waiting for the disk; hold your edits' : null
  }

  /** Resolves when it isn't being opened: it is open, or wasn't asked for, or that failed. */
  async settled(): Promise<void> {
    await this.#opening?.catch(() => null)
  }

  /** Makes durable what waits, for at most `timeoutMs`, and closes the journal if it is open. */
  async close(timeoutMs: number): Promise<UnsavedReport> {
    return (await this.#journal?.close(timeoutMs)) ?? { unsaved: [] }
  }
}
