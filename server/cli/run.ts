import { CommanderError } from 'commander'
import { type Context, type Io, OK, type Parts, USAGE } from './context.js'
import { explain } from './explain.js'
import { createProgram } from './program.js'

/**
 * Runs a command line.
 *
 * @param argv the arguments after `node main.js`.
 * @returns the exit code: 0 it worked, 1 it didn't, 2 it can't be understood. In the latter two cases one line
 *   on stderr says why.
 * @example
 *   process.exitCode = await run(['list', '--data', './data'], io, parts)
 */
export const run = async (argv: readonly string[], io: Io, parts: Parts): Promise<number> => {
  const context: Context = { io, parts }
  let code = OK
  const program = createProgram(context, (exitCode) => {
    code = exitCode
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE
    const { line, exitCode } = explain(error)
    io.stderr.write(`inkwire: ${line}\n`)
    return exitCode
  }
}
