import { InkwireError } from '../shared/errors.js'
import { refuseIfServed } from './control/client.js'
import { isCorruption, reasonOf } from './journal/errors.js'
import { type LevelJournal, type LevelJournalOptions, openLevelJournal } from './journal/level.js'

/**
 * Opens the journal of a data folder, for a server or for a tool, unless a server answers on it.
 *
 * @throws InkwireError as {@link openLevelJournal}: INKWIRE_STORE_LOCKED also when a server answers whatever became of
 *   the locks; INKWIRE_STORE_FAILED with what to do about it when it is damage that keeps the store from being opened.
 */
export const openDataFolder = async (options: LevelJournalOptions): Promise<LevelJournal> => {
  await refuseIfServed(options.directory)
  try {
    return await openLevelJournal(options)
  } catch (error) {
    if (!isCorruption(error)) throw error
    const what = `${reasonOf(error)}; run \`inkwire repair\``
    throw new InkwireError('INKWIRE_STORE_FAILED', what, { cause: error })
  }
}
