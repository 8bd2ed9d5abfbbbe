import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InkwireError } from '../../shared/errors.js'
import type { StoredDocument } from '../journal/journal.js'
import type { LevelJournal } from '../journal/level.js'
import type { OpenDocuments } from '../tools/documents.js'
import type { Parts } from './context.js'
import { quoted } from './table.js'

/**
 * Opens the documents of a folder for `use`, and closes them after it.
 *
 * @throws InkwireError INKWIRE_STORE_LOCKED while a server runs on them; INKWIRE_NOT_SAVED when `use` wrote
 *   something that could not be saved.
 */
export const withJournal = async <T>(
  parts: Parts,
  data: string,
  use: (journal: LevelJournal) => Promise<T>,
): Promise<T> => {
  const journal = await parts.openJournal({ directory: data })
  let result: T
  try {
    result = await use(journal)
  } catch (error) {
    // What went wrong first is what counts.
    await journal.close().catch(() => undefined)
    throw error
  }
  const { unsaved } = await journal.close()
  const [first] = unsaved
  if (first) throw new InkwireError('INKWIRE_NOT_SAVED', `${quoted(first.name)} could not be saved`)
  return result
}

/**
 * Looks before opening, which would create a store.
 *
 * @throws InkwireError INKWIRE_NO_DOCUMENT when the folder doesn't exist or holds no documents.
 */
export const checkThereAreDocuments = async (data: string): Promise<void> => {
  if (!(await exists(data))) throw noDocument(`there is no data folder ${data}`)
  // Where openLevelJournal puts the database.
  const files = await readdir(join(data, 'journal')).catch((): string[] => [])
  if (!files.some(isOfStore)) throw noDocument(`there are no documents in ${data}`)
}

/** CURRENT is in every LevelDB that can be opened; without it, what holds documents makes a damaged one. */
const isOfStore = (file: string): boolean => file === 'CURRENT' || /\.(ldb|sst|log)$/.test(file)

/** @throws InkwireError INKWIRE_NO_DOCUMENT */
export const readDocument = async (
  documents: Pick<OpenDocuments, 'read'>,
  name: string,
): Promise<StoredDocument> => {
  const document = await documents.read(name)
  if (document === null) throw noDocument(`there is no document ${quoted(name)}`)
  return document
}

const noDocument = (message: string): InkwireError => new InkwireError('INKWIRE_NO_DOCUMENT', message)

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
