import { InkwireError } from '../shared/errors.js'
import { isCorruption, reasonOf } from './journal/errors.js'
import { type LevelJournal, type LevelJournalOptions, openLevelJournal } from './journal/level.js'

/**
 * Opens the journal of a data folder, for a server or for a tool.
 *
 * @throws InkwireError as {@link openLevelJournal}; where damage is what keeps the store from being opened, with what
 *   to do about it.
 */
export const openDataFolder = async (options: LevelJournalOptions): Promise<LevelJournal> => {
  try {
    return await openLevelJournal(options)
  } catch (error) {
    if (!isCorruption(error)) throw error
    const what = `${reasonOf(error)}; run \`inkwire repair\``
    throw new InkwireError('INKWIRE_STORE_FAILED', what, { cause: error })
  }
}
