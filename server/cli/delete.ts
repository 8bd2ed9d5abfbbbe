import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'
import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { withExistingDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { quoted } from './table.js'

/** `inkwire delete DOC`: removes a document for good. */
export const addDelete: AddCommand = (program, { io, parts }, done) => {
  program
    .command('delete')
    .description(
      'Remove a document with every byte that is stored of it. Clients that have it open are closed.',
    )
    .argument('<doc>', 'name of the document')
    .addOption(dataSetting())
    .action(async (name: string, { data = './data' }: { data?: string }) => {
      checkName(name)
      const deleted = await withExistingDocuments(parts, data, (documents) => documents.delete(name))
      if (!deleted) throw new InkwireError('INKWIRE_NO_DOCUMENT', `there is no document ${quoted(name)}`)
      io.stdout.write(`deleted ${quoted(name)}\n`)
      done(OK)
    })
}
