import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { LevelJournal, LevelJournalDeps } from '../../server/journal/level-journal.js'
import { startJournal } from './journal-start.js'
import { FakeStore } from './journal-store.js'

/** The journal of the present test. */
export let journal: LevelJournal
/** What it is on; `batches` doesn't begin with what the journal wrote when it started. */
export let store: FakeStore

const start = async (deps: Partial<LevelJournalDeps>): Promise<void> => {
  store = new FakeStore()
  journal = await startJournal(store, deps)
  store.batches.length = 0
}

/** Closes the journal, and goes on with another one on a store of its own. */
export const startAnew = async (deps: Partial<LevelJournalDeps>): Promise<void> => {
  await journal.close()
  await start(deps)
}

/** For a file of tests of {@link journal}: another one for each test. */
export const withJournal = (deps: Partial<LevelJournalDeps> = {}): void => {
  beforeEach(() => start(deps))
  afterEach(async () => {
    store.broken = null
    store.gate = () => Promise.resolve()
    await journal.close()
  })
}

/** Opens a document of {@link journal}; `acks` are the numbers up to which it was told to be durable. */
export const open = async (name: string) => {
  const acks: number[] = []
  const log = await journal.open(name, (seq) => acks.push(seq))
  return { log, acks }
}

/** The `n`th update of a document, of so many bytes. */
export const entry = (n: number, size = 3) => ({
  update: new Uint8Array(size).fill(n),
  time: 1_700_000_000_000 + n,
  author: '',
})

/** Waits for the condition, turn by turn of the event loop. */
export const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 5000, interval: 1 })

/** A promise and its handles. */
export const deferred = () => {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
