import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { withExistingDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { printable } from './table.js'

/** `inkwire list`: the documents' names, one a line, in the order of their bytes. */
export const addList: AddCommand = (program, { io, parts }, done) => {
  program
    .command('list')
    .description('Print the names of all documents, one a line.')
    .addOption(dataSetting())
    .option('--json', 'one JSON object a line, with name and generation')
    .action(async ({ data = './data', json = false }: { data?: string; json?: boolean }) => {
      await withExistingDocuments(parts, data, async (documents) => {
        for await (const { name, generation } of documents.list()) {
          io.stdout.write(`${json ? JSON.stringify({ name, generation }) : printable(name)}\n`)
        }
      })
      done(OK)
    })
}
