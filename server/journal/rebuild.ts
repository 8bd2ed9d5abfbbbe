import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { InkwireError } from '../../shared/errors.js'

/** A store in the store's folder, open as long as that is being rebuilt. */
const MARK = 'rebuilding'

/**
 * Has LevelDB rebuild a closed store from what is readable in its files. The originals of damaged ones are kept in
 * its folder `lost`. It moves files away before it has put others in their place: a store whose rebuilding was
 * interrupted can't be opened, and has to be rebuilt again, for which there is a mark. And it doesn't look whether
 * somebody else does the same: the mark's own lock is for that.
 *
 * @throws InkwireError INKWIRE_STORE_LOCKED when somebody else is about it.
 */
export const rebuild = async (location: string): Promise<void> => {
  if (!isRepairer(Level)) throw new TypeError('this build of level has no repair')
  const mark = new Level(join(location, MARK))
  try {
    await mark.open()
  } catch (cause) {
    throw new InkwireError('INKWIRE_STORE_LOCKED', `the store in ${location} is being rebuilt`, { cause })
  }
  try {
    await Level.repair(location)
  } finally {
    await mark.close()
  }
  await forgetRebuild(location)
}

/** Whether somebody began to rebuild a store and didn't come to the end. */
export const isUnfinishedRebuild = async (location: string): Promise<boolean> =>
  stat(join(location, MARK)).then(
    () => true,
    () => false,
  )

/** The store could be opened: it needs no rebuilding. */
export const forgetRebuild = (location: string): Promise<void> =>
  rm(join(location, MARK), { recursive: true, force: true })

const isRepairer = (level: object): level is { repair(location: string): Promise<void> } =>
  'repair' in level && typeof level.repair === 'function'
