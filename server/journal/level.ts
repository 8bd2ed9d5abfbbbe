import { randomBytes as secureRandomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RandomBytes } from './generation.js'
import { LevelJournal } from './level-journal.js'
import { openLevelStore } from './level-store.js'
import { type JournalLogger, silentLogger } from './logger.js'
import type { CommitInfo } from './writer.js'

export type { LevelJournal } from './level-journal.js'
export type { JournalLogger } from './logger.js'
export type { CommitInfo } from './writer.js'

/** Options of {@link openLevelJournal}. */
export interface LevelJournalOptions {
  /** The data folder; created when it isn't there. */
  readonly directory: string
  /** `fsync` (default): acknowledged means on disk. `os`: a power cut loses what the kernel hadn't written yet. */
  readonly durability?: 'fsync' | 'os'
  /** Milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number
  readonly randomBytes?: RandomBytes
  readonly logger?: JournalLogger
  /** Called after each group commit, for metrics. */
  readonly onCommit?: (info: CommitInfo) => void
  /** Called at named steps of writing (`append.before`, `compact.after`, …); for tests that end the process there. */
  readonly crashpoint?: (name: string) => void
}

/**
 * Opens the journal in a data folder, creating it if need be.
 *
 * @throws InkwireError INKWIRE_STORE_LOCKED (in use by another server), INKWIRE_STORE_FORMAT (of a newer version),
 *   INKWIRE_STORE_FAILED.
 * @example
 *   const journal = await openLevelJournal({ directory: './data' })
 *   const log = await journal.open('notes', (seq) => console.log('safe up to', seq))
 */
export const openLevelJournal = async (options: LevelJournalOptions): Promise<LevelJournal> => {
  const durability = options.durability ?? 'fsync'
  await mkdir(options.directory, { recursive: true })
  const store = await openLevelStore(join(options.directory, 'journal'), { sync: durability === 'fsync' })
  try {
    return await LevelJournal.start({
      store,
      durability,
      now: options.now ?? Date.now,
      elapsed: () => performance.now(),
      wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
      randomBytes: options.randomBytes ?? secureRandomBytes,
      logger: options.logger ?? silentLogger,
      onCommit: options.onCommit ?? (() => {}),
      crashpoint: options.crashpoint ?? (() => {}),
    })
  } catch (error) {
    await store.close()
    throw error
  }
}
