import { Command } from 'commander'
import { addBackup } from './backup.js'
import type { Context } from './context.js'
import { addDelete } from './delete.js'
import { addExport } from './export.js'
import { addImport } from './import.js'
import { addList } from './list.js'
import { addMigrate } from './migrate.js'
import { addRepair } from './repair.js'
import { addRestore } from './restore.js'
import { addRevoke, addRevoked, addUnrevoke } from './revoke.js'
import { addRollback } from './rollback.js'
import { addServe } from './serve.js'
import { applySettings } from './setting.js'
import { addStats } from './stats.js'
import { addToken } from './token.js'
import { addVerify } from './verify.js'
import { packageVersion } from './version.js'

/** Adds one command to the program. `done` takes the exit code. */
export type AddCommand = (program: Command, context: Context, done: (exitCode: number) => void) => void

/** A further command is a further file and a further line here. */
const COMMANDS: readonly AddCommand[] = [
  addServe,
  addList,
  addStats,
  addExport,
  addImport,
  addDelete,
  addBackup,
  addRestore,
  addMigrate,
  addVerify,
  addRepair,
  addRollback,
  addToken,
  addRevoke,
  addUnrevoke,
  addRevoked,
]

/** The whole command line. Ends by throwing a CommanderError instead of ending the process. */
export const createProgram = (context: Context, done: (exitCode: number) => void): Command => {
  const { stdout, stderr, env } = context.io
  const program = new Command('inkwire')
    .description('A collaborative editing server for Yjs that acknowledges an edit only once it is on disk.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      // In one line, suggestions included.
      outputError: (text, write) =>
        write(
          `inkwire: ${text
            .trim()
            .replace(/^error: /, '')
            .replaceAll('\n', ' ')}\n`,
        ),
    })
    .hook('preAction', (_, command) => applySettings(command, env))
  for (const add of COMMANDS) add(program, context, done)
  return program
}
