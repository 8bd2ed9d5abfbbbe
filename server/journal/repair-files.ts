import { join } from 'node:path'
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
  await rebuild(location)
  return true
}
