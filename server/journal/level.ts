import { randomBytes as secureRandomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { InkwireError } from '../../shared/errors.js'
import { Ballast } from './ballast.js'
import { isCorruption } from './errors.js'
import type { RandomBytes } from './generation.js'
import { LevelJournal } from './level-journal.js'
import { type JournalLogger, silentLogger } from './logger.js'
import { openScrubbed, type StoreFiles } from './open-scrubbed.js'
import { Witness, type WitnessDeps } from './witness.js'
import type { CommitInfo } from './writer.js'

export type { LevelJournal } from './level-journal.js'

/** Options of {@link openLevelJournal}. */
export interface LevelJournalOptions {
  /** The data folder; created when it isn't there. Holds `journal/`, `witness/` (LevelDB each) and `ballast`. */
  readonly directory: string
  /** `fsync` (default): acknowledged means on disk. `os`: a power cut loses what the kernel hadn't written yet. */
  readonly durability?: 'fsync' | 'os'
  /** Size of the file that is let go of when the disk is full, bytes; default 8 MiB, 0 for none. */
  readonly ballastBytes?: number
  /** Milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number
  /** For generation ids and the ballast; default `crypto.randomBytes`. */
  readonly randomBytes?: RandomBytes
  readonly logger?: JournalLogger
  /** Called after each group commit, for metrics. */
  readonly onCommit?: (info: CommitInfo) => void
  /** Called at named steps of writing (`append.before`, `compact.after`, …); for tests that end the process there. */
  readonly crashpoint?: (name: string) => void
}

const DEFAULT_BALLAST_BYTES = 8 * 1024 * 1024
/** What LevelDB needs to open, beside a table of what is in its logs. */
const REOPEN_BYTES = 1024 * 1024
/** The witness is small and seldom read. */
const WITNESS_CACHE_BYTES = 512 * 1024

/** Milliseconds from any start. */
const elapsed = (): number => performance.now()

/** Resolves after `ms`, or at once when `signal` aborts. */
const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => {})

/** Runs `task` after `ms`; returns how to call it off. */
const later = (ms: number, task: () => void): (() => void) => {
  const timer = setTimeout(task, ms)
  return () => clearTimeout(timer)
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
  const { directory, durability = 'fsync', logger = silentLogger } = options
  const randomBytes = options.randomBytes ?? secureRandomBytes
  const ballastBytes = options.ballastBytes ?? DEFAULT_BALLAST_BYTES
  await mkdir(directory, { recursive: true })
  const ballast = new Ballast({ directory, bytes: ballastBytes, randomBytes, wait, logger })
  const makeRoom = async (): Promise<boolean> => ballast.makeRoom(await bytesToReopen(directory, 'journal'))
  const opened: { close(): Promise<void> }[] = []
  try {
    const files = { directory, randomBytes, logger, elapsed }
    const synced = durability === 'fsync'
    // First, and small: if another process has the folder, this tells at once.
    const hasRoom = async (): Promise<boolean> =>
      (await ballast.freeBytes()) >= (await bytesToReopen(directory, 'witness'))
    const witness = await openWitness(files, { synced, hasRoom, later, elapsed, logger }, makeRoom)
    if (witness) opened.push(witness)
    // Not before: the ballast may be another process's.
    await makeRoom()
    const scrubbed = await openScrubbed(files, 'journal', { sync: synced })
    opened.push(scrubbed.store)
    const journal = await LevelJournal.start({
      store: scrubbed.store,
      witness,
      makeRoom,
      recovered: () => ballast.restore(),
      closing: () => Promise.all([ballast.stop(), scrubbed.stop()]),
      durability,
      now: options.now ?? Date.now,
      elapsed,
      wait,
      later,
      randomBytes,
      logger,
      onCommit: options.onCommit ?? (() => {}),
      crashpoint: options.crashpoint ?? (() => {}),
    })
    ballast.restore()
    return journal
  } catch (error) {
    for (const each of opened) await each.close()
    throw error
  }
}

/** When it opens, LevelDB writes what is in its logs out as tables. */
const bytesToReopen = async (directory: string, store: 'journal' | 'witness'): Promise<number> => {
  const folder = join(directory, store)
  const files = await readdir(folder).catch((): string[] => [])
  const logs = files.filter((file) => file.endsWith('.log'))
  const sizes = await Promise.all(
    logs.map((log) =>
      stat(join(folder, log)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, REOPEN_BYTES)
}

/**
 * A witness that can't be opened must not keep the documents from being served: it starts anew, or there is none.
 *
 * @param makeRoom called if it doesn't open at first, as on a full disk.
 */
const openWitness = async (
  files: StoreFiles,
  deps: Omit<WitnessDeps, 'store'>,
  makeRoom: () => Promise<boolean>,
): Promise<Witness | null> => {
  const { directory, logger } = files
  const open = () =>
    openScrubbed(files, 'witness', { sync: false, cacheBytes: WITNESS_CACHE_BYTES, readsLog: false })
  const openOrRenew = async (): Promise<Witness> => {
    const { store } = await open().catch(async (error: unknown) => {
      if (!isCorruption(error)) throw error
      logger.warn({ err: error }, 'the witness is damaged and starts anew')
      await rm(join(directory, 'witness'), { recursive: true, force: true })
      return open()
    })
    return new Witness({ store, ...deps })
  }
  try {
    return await openOrRenew()
  } catch (error) {
    if (error instanceof InkwireError && error.code === 'INKWIRE_STORE_LOCKED') throw error
  }
  try {
    // The folder is ours, so the ballast is.
    await makeRoom()
    return await openOrRenew()
  } catch (error) {
    logger.error({ err: error }, 'there is no witness, so losses could go unnoticed')
    return null
  }
}
