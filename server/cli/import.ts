import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'
import type { OpenDocuments } from '../tools/documents.js'
import { indexOf } from '../tools/state.js'
import { DocumentIndex } from '../update/document-index.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { Visible } from '../update/visible.js'
import { OK } from './context.js'
import { readGivenFile } from './given-file.js'
import type { AddCommand } from './program.js'
import { withDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { quoted } from './table.js'

/** `inkwire import DOC FILE`: merges an update or a whole state into a document. */
export const addImport: AddCommand = (program, { io, parts }, done) => {
  program
    .command('import')
    .description('Merge a Yjs update or state (v1) from a file into a document, which is created if need be.')
    .argument('<doc>', 'name of the document')
    .argument('<file>', 'the file, or - for stdin')
    .addOption(dataSetting())
    .action(async (name: string, file: string, { data = './data' }: { data?: string }) => {
      checkName(name)
      const bytes = file === '-' ? await io.readInput() : await readGivenFile(file)
      const update = readUpdate(bytes, file)
      const merged = await withDocuments(parts, data, (documents) => merge(documents, name, update))
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
const merge = async (documents: OpenDocuments, name: string, update: Scan): Promise<string> => {
  const before = await documents.read(name)
  const index = before ? indexOf(before) : new DocumentIndex()
  if (!index.news(update) || !(await documents.merge(name, update.bytes))) {
    return `${quoted(name)} has all of it already`
  }
  const merged = `merged ${update.bytes.length} bytes into ${quoted(name)}`
  return new Visible(index).lack(update) !== null
    ? `${merged}; parts of it wait for updates that are missing`
    : merged
}
