import { readFile } from 'node:fs/promises'
import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../gate/name.js'
import type { Journal, StoredDocument } from '../journal/journal.js'
import { DocumentIndex } from '../update/document-index.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { dataSetting } from './settings.js'
import { withJournal } from './store.js'

/** `inkwire import DOC FILE`: merges an update or a whole state into a document. */
export const addImport: AddCommand = (program, { io, parts }, done) => {
  program
    .command('import')
    .description(
      'Merge a Yjs update or state (v1) from a file into a document, which is created if need be. ' +
        'The server must not be running.',
    )
    .argument('<doc>', 'name of the document')
    .argument('<file>', 'the file, or - for stdin')
    .addOption(dataSetting())
    .action(async (name: string, file: string, { data = './data' }: { data?: string }) => {
      checkName(name)
      const bytes = file === '-' ? await io.readInput() : await readFile(file)
      const update = readUpdate(bytes, file)
      const merged = await withJournal(parts, data, (journal) => merge(journal, name, update))
      io.stdout.write(`${merged}\n`)
      done(OK)
    })
}

const readUpdate = (bytes: Uint8Array, file: string): Scan => {
  try {
    return scanUpdate(bytes)
  } catch (cause) {
    if (!(cause instanceof InkwireError)) throw cause
    throw new InkwireError(cause.code, `${file} is not a Yjs update (v1): ${cause.message}`, { cause })
  }
}

/** Says what it did. */
const merge = async (journal: Journal, name: string, update: Scan): Promise<string> => {
  const log = await journal.open(name, () => undefined)
  const index = indexOf(log.document)
  if (!index.news(update)) {
    log.release()
    return `"${name}" has all of it already`
  }
  const gap = index.hasGap(update)
  // Not released: closing the journal makes it durable, or says that it could not.
  log.append({ update: update.bytes, time: Date.now(), author: '' })
  const merged = `merged ${update.bytes.length} bytes into "${name}"`
  return gap ? `${merged}; parts of it wait for updates that are missing` : merged
}

const indexOf = ({ snapshot, tail }: StoredDocument): DocumentIndex => {
  const index = new DocumentIndex()
  for (const { update } of snapshot ? [snapshot, ...tail] : tail)
    index.add(scanUpdate(update, TRUSTED_LIMITS))
  return index
}
