import { join } from 'node:path'
import { Level } from 'level'
import { InkwireError } from '../../shared/errors.js'
import { isCorruption } from './errors.js'
import { openLevelStore } from './level-store.js'
import { rebuild } from './rebuild.js'
import { Scrub } from './scrub.js'

/**
 * Makes a data folder whose journal LevelDB can't open (its MANIFEST or CURRENT is damaged or missing) one that it
 * can: LevelDB collects what is readable in the files and keeps the others in the folder `journal/lost`. What
 * documents lost by it is then found by `verify` and mended by `repair`. A folder that can be opened isn't touched.
 *
 * @returns whether it was necessary.
 * @throws InkwireError INKWIRE_STORE_LOCKED (a server has it open), INKWIRE_STORE_FAILED (it is not the damage)
 */
export const repairFiles = async (directory: string): Promise<boolean> => {
  const location = join(directory, 'journal')
  const scrub = new Scrub(location, () => performance.now())
  await scrub.start(() => 0)
  await scrub.run(Number.POSITIVE_INFINITY)
  try {
    // Before anything else: LevelDB's own repair doesn't look whether somebody has the store open.
    const store = await openLevelStore(location, { sync: true })
    await store.close()
    return false
  } catch (error) {
    if (!(error instanceof InkwireError) || !isCorruption(error)) throw error
  }
  await refuseIfLocked(location)
  await rebuild(location)
  return true
}

/**
 * A store without CURRENT wasn't even tried to be opened, so nobody has looked at its lock; LevelDB does that first.
 */
const refuseIfLocked = async (location: string): Promise<void> => {
  const db = new Level(location, { createIfMissing: false })
  try {
    await db.open()
    await db.close()
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED')) return
    const what = `the store in ${location} is in use by another process (or another server in this one)`
    throw new InkwireError('INKWIRE_STORE_LOCKED', what, { cause })
  }
}
