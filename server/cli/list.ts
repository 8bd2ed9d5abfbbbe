import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { dataSetting } from './settings.js'
import { withExistingJournal } from './store.js'

/** `inkwire list`: the documents' names, one a line, in the order of their bytes. */
export const addList: AddCommand = (program, { io, parts }, done) => {
  program
    .command('list')
    .description('Print the names of all documents, one a line. The server must not be running.')
    .addOption(dataSetting())
    .option('--json', 'one JSON object a line, with name and generation')
    .action(async ({ data = './data', json = false }: { data?: string; json?: boolean }) => {
      await withExistingJournal(parts, data, async (journal) => {
        for await (const { name, generation } of journal.list()) {
          io.stdout.write(`${json ? JSON.stringify({ name, generation }) : printable(name)}\n`)
        }
      })
      done(OK)
    })
}

/** A name may hold anything; one that would break lines or drive a terminal is shown as JSON. */
const printable = (name: string): string => (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name) ? escaped(name) : name)

const escaped = (name: string): string =>
  JSON.stringify(name).replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
