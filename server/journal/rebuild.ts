import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'

/** A file in the store's folder, as long as it is being rebuilt. */
const MARK = 'REBUILDING'

/**
 * Has LevelDB rebuild a closed store from what is readable in its files. The originals of damaged ones are kept in
 * its folder `lost`. It moves files away before it has put others in their place: a store whose rebuilding was
 * interrupted can't be opened, and has to be rebuilt again, for which there is a mark.
 */
export const rebuild = async (location: string): Promise<void> => {
  if (!isRepairer(Level)) throw new TypeError('this build of level has no repair')
  const mark = await open(join(location, MARK), 'w', 0o600)
  await mark.sync().finally(() => mark.close())
  await Level.repair(location)
  await rm(join(location, MARK), { force: true })
}

/** Whether somebody began to rebuild a store and didn't come to the end. */
export const isUnfinishedRebuild = async (location: string): Promise<boolean> =>
  stat(join(location, MARK)).then(
    () => true,
    () => false,
  )

const isRepairer = (level: object): level is { repair(location: string): Promise<void> } =>
  'repair' in level && typeof level.repair === 'function'
