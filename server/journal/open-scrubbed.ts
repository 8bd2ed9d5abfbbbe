import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InkwireError } from '../../shared/errors.js'
import type { RandomBytes } from './generation.js'
import { type LevelStore, type LevelStoreOptions, openLevelStore } from './level-store.js'
import type { JournalLogger } from './logger.js'
import { isUnfinishedRebuild, rebuild } from './rebuild.js'
import { type DamagedTable, Scrub } from './scrub.js'
import { describeDamage } from './sstable.js'

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
 * Opens a store in a folder of the data folder, with its tables checked and damage in them mended.
 *
 * @returns the store, and what ends the checking that still goes on.
 * @throws InkwireError INKWIRE_STORE_LOCKED, INKWIRE_STORE_FAILED
 */
export const openScrubbed = async (
  files: StoreFiles,
  name: string,
  options: Pick<LevelStoreOptions, 'sync' | 'cacheBytes' | 'readsLog'>,
): Promise<{ store: LevelStore; stop: () => Promise<void> }> => {
  const { directory, logger } = files
  const location = join(directory, name)
  const scrub = await startScrub(files, location)
  const found = await scrub.run(BUDGET_MS)
  const mendAll = async (): Promise<void> => {
    const again = await startScrub(files, location)
    const damaged = await again.run(Number.POSITIVE_INFINITY)
    report(logger, damaged)
    if (damaged.some(isCutShort) || (await isUnfinishedRebuild(location))) await rebuild(location)
  }
  const restored = (writes: number): void =>
    logger.error({ store: location, writes }, 'LevelDB left out a part of its log; it was written again')
  const { elapsed } = files
  const store = await open(directory, location, { ...options, mend: mendAll, restored, elapsed })
  // What LevelDB has removed when it opened was not in use any more.
  const inUse = found.filter(({ path }) => existsSync(path))
  report(logger, inUse)
  if (inUse.some(isCutShort)) await store.reopen({ repair: true })
  const end = new AbortController()
  const rest = scrub
    .run(Number.POSITIVE_INFINITY, end.signal)
    .then((later) =>
      report(
        logger,
        later.filter((table) => !isCutShort(table)),
      ),
    )
    .catch((error: unknown) => logger.warn({ err: error }, 'tables could not be checked'))
  const stop = (): Promise<void> => {
    end.abort()
    return rest
  }
  return { store, stop }
}

const startScrub = async (files: StoreFiles, location: string): Promise<Scrub> => {
  const scrub = new Scrub(location, files.elapsed)
  await scrub.start((below) => Buffer.from(files.randomBytes(4)).readUInt32BE() % below)
  return scrub
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

/** Can't be mended in place. */
const isCutShort = ({ check }: DamagedTable): boolean => check.status === 'unfinished'

const report = (logger: JournalLogger, tables: readonly DamagedTable[]): void => {
  for (const { path, check } of tables) {
    logger.error({ table: path, damage: describeDamage(check) }, 'a table of the store is damaged')
  }
}
