import { randomBytes } from 'node:crypto'
import { LevelJournal, type LevelJournalDeps } from '../../server/journal/level-journal.js'
import { silentLogger } from '../../server/journal/logger.js'
import { Witness, type WitnessDeps } from '../../server/journal/witness.js'
import type { FakeStore } from './journal-store.js'

/** Waits for nothing: the next turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Runs a task in the next turn of the event loop, whenever it was to run. */
const soon = (_ms: number, task: () => void): (() => void) => {
  const immediate = setImmediate(task)
  return () => clearImmediate(immediate)
}

/** The LevelDB journal on a store of ours; what a test doesn't hand in is harmless. */
export const startJournal = (store: FakeStore, more: Partial<LevelJournalDeps> = {}): Promise<LevelJournal> =>
  LevelJournal.start({
    store,
    witness: null,
    makeRoom: async () => true,
    recovered: () => {},
    closing: async () => {},
    durability: 'fsync',
    now: () => 1_700_000_000_000,
    elapsed: () => performance.now(),
    wait: nextTurn,
    later: soon,
    randomBytes,
    logger: silentLogger,
    onCommit: () => {},
    crashpoint: () => {},
    ...more,
  })

/** A witness on a store of ours; what a test doesn't hand in is harmless. */
export const startWitness = (store: FakeStore, more: Partial<WitnessDeps> = {}): Witness =>
  new Witness({
    store,
    synced: true,
    hasRoom: async () => true,
    later: soon,
    elapsed: () => performance.now(),
    logger: silentLogger,
    ...more,
  })
