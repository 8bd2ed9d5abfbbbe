import { parseOptions, type ServerOptions } from '../config.js'
import type { UnsavedReport } from '../journal/journal.js'
import { LOG_LEVELS } from '../observe/log-levels.js'
import { type AuthSettings, authOptions, authSettings } from './auth-settings.js'
import { type Context, FAILED, OK } from './context.js'
import { type LimitSettings, limitOptions, limitSettings } from './limit-settings.js'
import type { AddCommand } from './program.js'
import { Setting, unknownVariables } from './setting.js'
import { dataSetting, serverSetting } from './settings.js'
import { counted, quoted } from './table.js'

/** Beyond its time for saving, a server gets this long to say goodbye before it is given up, ms. */
const GOODBYE_MS = 5000

const DURABILITY = 'an edit counts as saved once it survives a power cut (fsync) or a killed process (os)'

/** Commander's names of the options. */
interface ServeOptions
  extends AuthSettings,
    LimitSettings,
    Pick<ServerOptions, 'port' | 'host' | 'data' | 'pathPrefix' | 'demo' | 'durability' | 'warmUp'> {
  readonly maxMessage?: number
  readonly memoryBudget?: number
  readonly logLevel?: ServerOptions['logLevel']
}

/** `inkwire serve`: runs the server until SIGINT or SIGTERM. */
export const addServe: AddCommand = (program, context, done) => {
  const command = program
    .command('serve')
    .description('Run the server until SIGINT or SIGTERM.')
    .addOption(serverSetting('port', '--port <number>', 'TCP port, 0 for a free one'))
    .addOption(serverSetting('host', '--host <address>', 'address to listen at'))
    .addOption(dataSetting())
    .addOption(serverSetting('pathPrefix', '--path-prefix <path>', 'path below which the documents are'))
    .addOption(new Setting('--no-demo', 'serve no demo page', { env: true }))
    .addOption(
      new Setting('--no-warm-up', 'don’t play through 1.5 s of work before listening', { env: true }),
    )
    .addOption(serverSetting('durability', '--durability <mode>', DURABILITY))
    .addOption(
      serverSetting('maxMessageBytes', '--max-message <bytes>', 'largest message taken from a client'),
    )
    .addOption(
      serverSetting(
        'memoryBudgetMb',
        '--memory-budget <MiB>',
        'memory for snapshots of open documents; 0 keeps none',
      ),
    )
    .addOption(serverSetting('logLevel', '--log-level <level>', LOG_LEVELS.join(', '), 'info'))
  for (const setting of [...authSettings(), ...limitSettings()]) command.addOption(setting)
  command.action(async (given: ServeOptions) => {
    const { env, stderr } = context.io
    // First, for it may explain what follows.
    const unknown = unknownVariables(command, env)
    for (const name of unknown) stderr.write(`inkwire: ${name} is not a setting\n`)
    const {
      port,
      host,
      data,
      pathPrefix,
      demo,
      durability,
      warmUp,
      maxMessage,
      memoryBudget,
      logLevel = 'info',
    } = given
    const sizes = { maxMessageBytes: maxMessage, memoryBudgetMb: memoryBudget }
    const options = { port, host, data, pathPrefix, demo, durability, warmUp, logLevel, ...sizes }
    const auth = await authOptions(given, parseOptions(options).host, { env, unknown })
    done(await serve({ ...options, ...auth, ...limitOptions(given) }, context))
  })
}

/**
 * Runs a server until the first signal, then closes it in bounded time. A second signal ends the process at once.
 *
 * @returns 0 when everything was saved, otherwise 1.
 */
export const serve = async (options: ServerOptions, { io, parts }: Context): Promise<number> => {
  const { data, shutdownTimeoutMs } = parseOptions(options)
  const { stopped, dispose } = waitForSignal(io)
  try {
    const server = await parts.createServer(options)
    const listening = server.listen().then(({ url }) => {
      io.stdout.write(`Inkwire listens at ${url} — data in ${data}\n`)
    })
    try {
      // A signal may come while the store is still being opened.
      await Promise.race([stopped, listening.then(() => stopped)])
    } catch (error) {
      await server.close()
      throw error
    }
    listening.catch(() => undefined)
    return tell(io, await within(shutdownTimeoutMs + GOODBYE_MS, server.close()))
  } finally {
    dispose()
  }
}

const waitForSignal = (io: Context['io']) => {
  let signals = 0
  let stop: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const dispose = io.onSignal(() => {
    signals++
    if (signals === 1) stop()
    else io.exit(FAILED)
  })
  return { stopped, dispose }
}

/** The promise's value, or `null` if it takes longer. */
const within = async <T>(ms: number, promise: Promise<T>): Promise<T | null> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const tell = (io: Context['io'], report: UnsavedReport | null): number => {
  if (report === null) {
    io.stderr.write('inkwire: stopping took too long and was given up; acknowledged edits are safe\n')
    return FAILED
  }
  for (const { name, updates } of report.unsaved) {
    // Clients name documents: not a word of theirs goes to the terminal as it is.
    io.stderr.write(`inkwire: not saved: ${counted(updates, 'update')} of ${quoted(name)}\n`)
  }
  return report.unsaved.length === 0 ? OK : FAILED
}
