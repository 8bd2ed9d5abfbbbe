import { checkName } from '../../shared/name.js'
import { showProgress } from '../tools/progress.js'
import { checkBackup, restore } from '../tools/restore.js'
import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { interruptible, withDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { checkThereAreDocuments } from './store.js'
import { bytes, counted, printable, quoted } from './table.js'

interface RestoreOptions {
  readonly data?: string
  readonly force?: boolean
}

/** `inkwire restore DIR [DOC…]`: documents from a backup, in the place of what there is. */
export const addRestore: AddCommand = (program, { io, parts }, done) => {
  program
    .command('restore')
    .description(
      'Put documents of a backup in the place of what there is. Clients that hold later history are told so and ' +
        'stopped. Documents that are not in the backup stay as they are.',
    )
    .argument('<dir>', 'folder of the backup')
    .argument('[docs...]', 'names of the documents; all if they are left out')
    .option('--force', 'restore all of them also where there are documents already')
    .addOption(dataSetting())
    .action(async (folder: string, names: string[], { data = './data', force = false }: RestoreOptions) => {
      for (const name of names) checkName(name)
      const progress = showProgress(io.stderr, () => performance.now())
      const report = await interruptible(io, (signal) => {
        const choice = { folder, ...(names.length > 0 ? { names } : {}), progress, signal }
        let checked = false
        return withDocuments(
          parts,
          data,
          (documents) => restore({ documents, ...choice, force, checked }),
          // A store that was made for nothing would be in the way of the next who looks whether there is one.
          async () => {
            if (await holdsDocuments(data)) return
            await checkBackup(choice)
            checked = true
          },
        )
      })
      for (const { name, reason } of report.outdated) {
        io.stderr.write(
          `inkwire: ${quoted(name)} is from an earlier backup than the others: ${printable(reason)}\n`,
        )
      }
      io.stdout.write(`${counted(report.restored, 'document')} restored (${bytes(report.bytes)})\n`)
      done(OK)
    })
}

const holdsDocuments = (data: string): Promise<boolean> =>
  checkThereAreDocuments(data).then(
    () => true,
    () => false,
  )
