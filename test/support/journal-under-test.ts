import { expect } from 'vitest'
import type { Journal } from '../../server/journal/journal.js'

/** One store of the kind under test, empty at first. */
export interface JournalHarness {
  /** Opens a journal on the store. */
  open(): Promise<Journal>
  /** Ends the store's last journal as a killed process would: nothing that isn't durable survives. */
  crash(journal: Journal): Promise<void>
  /** Removes the store. */
  dispose(): Promise<void>
}

/**
 * What a suite's tests work on: a new store for each, and the journal on it, which is another one whenever the store
 * is opened again.
 */
export class StoreUnderTest {
  readonly #make: () => Promise<JournalHarness>
  #opened: { readonly harness: JournalHarness; journal: Journal } | null = null

  constructor(make: () => Promise<JournalHarness>) {
    this.#make = make
  }

  get journal(): Journal {
    return this.#current().journal
  }

  /** Before each test. */
  async begin(): Promise<void> {
    const harness = await this.#make()
    this.#opened = { harness, journal: await harness.open() }
  }

  /** After each test. */
  async end(): Promise<void> {
    const { harness, journal } = this.#current()
    await journal.close()
    await harness.dispose()
  }

  /** Opens the store once more, after its journal was closed or crashed. */
  async open(): Promise<void> {
    const current = this.#current()
    current.journal = await current.harness.open()
  }

  /** Closes the journal, which leaves nothing unsaved, and opens the store once more. */
  async reopen(): Promise<void> {
    expect(await this.journal.close()).toEqual({ unsaved: [] })
    await this.open()
  }

  /** Ends the journal as a killed process would, and opens what is left. */
  async crash(): Promise<void> {
    const { harness, journal } = this.#current()
    await harness.crash(journal)
    await this.open()
  }

  #current() {
    if (!this.#opened) throw new Error('no store is open')
    return this.#opened
  }
}
