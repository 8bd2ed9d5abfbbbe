import { backup } from '../tools/backup.js'
import { showProgress } from '../tools/progress.js'
import { FAILED, OK } from './context.js'
import type { AddCommand } from './program.js'
import { interruptible, withExistingDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { bytes, counted, printable } from './table.js'

/** `inkwire backup DIR`: all documents into a folder, only what changed the next time. */
export const addBackup: AddCommand = (program, { io, parts }, done) => {
  program
    .command('backup')
    .description(
      'Back all documents up into a folder, while a server runs or not. Into the folder of an earlier backup, only ' +
        'documents that changed are written.',
    )
    .argument('<dir>', 'folder of the backup: new, empty, or that of an earlier one')
    .addOption(dataSetting())
    .action(async (folder: string, { data = './data' }: { data?: string }) => {
      const progress = showProgress(io.stderr, () => performance.now())
      const report = await withExistingDocuments(parts, data, (documents) =>
        interruptible(io, (signal) => backup({ documents, folder, now: Date.now, progress, signal })),
      )
      const { documents, written, removed, failed, lost, anew } = report
      if (anew !== null) io.stderr.write(`inkwire: ${anew}; everything was written anew\n`)
      for (const { problem, kept } of failed) {
        const rest = kept ? 'the backup keeps its earlier copy' : 'it is not in the backup'
        io.stderr.write(`inkwire: ${printable(problem)}; ${rest}\n`)
      }
      if (lost > 0) {
        const are = lost === 1 ? 'is' : 'are'
        io.stderr.write(
          `inkwire: ${counted(lost, 'document')} that nobody deleted ${are} missing from the store, and so from what ` +
            'is new in the backup: run `inkwire verify`\n',
        )
      }
      const counts = [`${written} written (${bytes(report.bytes)})`, `${documents - written} unchanged`]
      if (removed > 0) counts.push(`${removed} removed`)
      io.stdout.write(`${counted(documents, 'document')} backed up: ${counts.join(', ')}\n`)
      done(failed.length === 0 && lost === 0 ? OK : FAILED)
    })
}
