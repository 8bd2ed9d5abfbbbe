import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InkwireError } from '../../shared/errors.js'
import type { RandomBytes } from './generation.js'
import { type LevelStore, type LevelStoreOptions, openLevelStore } from './level-store.js'
import type { JournalLogger } from './logger.js'
import { type DamagedTable, Scrub } from './scrub.js'

/** Where stores lie, and what opening them needs. */
export interface StoreFiles {
  readonly directory: string
  readonly randomBytes: RandomBytes
  readonly logger: JournalLogger
  /** Milliseconds from any start. */
  readonly elapsed: () => number
}

/** How long opening waits for the tables to be checked, milliseconds; what is left is checked afterwards. */
const BUDGET_MS = 10_000

/**
 * Opens a store in a folder of the data folder, its tables checked and damage in them fenced off.
 *
 * @returns the store, and what ends the checking that still goes on.
 * @throws InkwireError INKWIRE_STORE_LOCKED, INKWIRE_STORE_FAILED
 */
export const openScrubbed = async (
  files: StoreFiles,
  name: string,
  options: LevelStoreOptions,
): Promise<{ store: LevelStore; stop: () => Promise<void> }> => {
  const location = join(files.directory, name)
  const scrub = new Scrub(location, files.elapsed)
  await scrub.start((below) => Buffer.from(files.randomBytes(4)).readUInt32BE() % below)
  const found = await scrub.run(BUDGET_MS)
  const store = await open(files.directory, location, options)
  // What LevelDB has removed when it opened was not in use any more.
  report(
    files.logger,
    found.filter(({ path }) => existsSync(path)),
  )
  const end = new AbortController()
  const rest = scrub
    .run(Number.POSITIVE_INFINITY, end.signal)
    .then((later) => report(files.logger, later))
    .catch((error: unknown) => files.logger.warn({ err: error }, 'tables could not be checked'))
  const stop = (): Promise<void> => {
    end.abort()
    return rest
  }
  return { store, stop }
}

const open = async (directory: string, location: string, options: LevelStoreOptions): Promise<LevelStore> => {
  try {
    return await openLevelStore(location, options)
  } catch (error) {
    if (!(error instanceof InkwireError && error.code === 'INKWIRE_STORE_LOCKED')) throw error
    const what = `the data folder ${directory} is in use by another server`
    throw new InkwireError('INKWIRE_STORE_LOCKED', what, { cause: error })
  }
}

const report = (logger: JournalLogger, tables: readonly DamagedTable[]): void => {
  for (const { path, check } of tables) {
    const damage =
      check.status === 'blocks' ? `${check.damaged.length} of ${check.blocks} blocks` : check.problem
    logger.error({ table: path, damage }, 'a table of the store is damaged; what lies there is set apart')
  }
}
