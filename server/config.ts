import { inspect } from 'node:util'
import { z } from 'zod'
import { InkwireError } from '../shared/errors.js'
import { type Authorize, everybody } from './auth/authorize.js'
import { proxiesFrom } from './limits/address.js'
import { DEFAULT_LIMITS, type Limits } from './limits/limits.js'
import type { Log } from './observe/log.js'
import { LOG_LEVELS, type LogLevel } from './observe/log-levels.js'

/**
 * What `createServer` takes. Every option has a default; an `undefined` one counts as left out.
 *
 * @example
 *   createServer({ port: 1234, data: './data', durability: 'fsync' })
 */
export interface ServerOptions {
  /** TCP port that `listen` binds, 0 for a free one. Default 1234. */
  readonly port?: number | undefined
  /** Host name or address that `listen` binds. Default `127.0.0.1`: reachable from this machine only. */
  readonly host?: string | undefined
  /** Folder of the documents; created when it doesn't exist. Default `./data`. */
  readonly data?: string | undefined
  /**
   * Path below which the documents are: with `/docs`, a WebSocket to `/docs/my/page` opens "my/page". A slash at
   * its end makes no difference. Default `/`. Source: PROTOCOL W2.
   */
  readonly pathPrefix?: string | undefined
  /** Whether the demo page is served at `/`. Default true. */
  readonly demo?: boolean | undefined
  /**
   * When an edit counts as saved: `fsync` once it survives a power cut; `os` once it survives the death of the
   * process (faster, but a power cut takes what the operating system hadn't written yet). Default `fsync`.
   */
  readonly durability?: 'fsync' | 'os' | undefined
  /** Largest message taken from a client, bytes; a larger one closes its connection with 1009. Default 16 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Longest time that `close` tries to save what isn't saved yet, ms. Default 10,000. */
  readonly shutdownTimeoutMs?: number | undefined
  /** How often a connection is asked for a sign of life, ms; one that gave none since is cut. Default 30,000. */
  readonly heartbeatMs?: number | undefined
  /** How long a document stays in memory after its last client left, ms. Default 1,000. */
  readonly roomLingerMs?: number | undefined
  /**
   * Memory for snapshots of open documents, MiB: what was of use longest ago is let go of beyond it, and read from the
   * store again for who joins. What is needed for every edit doesn't count. Default 256; 0 keeps none.
   */
  readonly memoryBudgetMb?: number | undefined
  /** Longest time that one compaction may take before its thread is killed, ms. Default 60,000. */
  readonly workerTimeoutMs?: number | undefined
  /** JavaScript heap that one compaction may fill before its thread is killed, MiB. Default 1,024. */
  readonly workerMemoryMb?: number | undefined
  /**
   * Decides who may do what; see {@link authorizeByJwt} for tokens. Default: everybody may write, for a server that
   * only trusted people can reach.
   */
  readonly authorize?: Authorize | undefined
  /** How long a client may take to show a token, and `authorize` to answer, ms. Default 10,000. */
  readonly authTimeoutMs?: number | undefined
  /** Name of a cookie in which the token may come. Default: none. */
  readonly authCookie?: string | undefined
  /**
   * Origins whose pages may connect, like `https://app.example.com`; `*` for all. The server's own origin always may.
   * So may be listed what apps with a WebView say: `capacitor://localhost`, `tauri://localhost`, `app://.`, `file://`;
   * not `null`, which a sandboxed frame of any page says: that would be `*`. Default: those of localhost.
   */
  readonly allowedOrigins?: readonly string[] | undefined
  /** What clients may ask of the server; see {@link Limits}. Default for each: there. */
  readonly limits?: { readonly [Name in keyof Limits]?: Limits[Name] | undefined } | undefined
  /**
   * Addresses and networks of reverse proxies in front of the server, like `10.0.0.0/8`: what they say in
   * `X-Forwarded-For` is believed. Default: none.
   */
  readonly trustedProxies?: readonly string[] | undefined
  /**
   * Whether `listen` first spends 1.5 s on playing through what servers do, apart from the documents: so that code
   * is compiled when all clients come back at once after a restart. Default false; the command line's is true.
   */
  readonly warmUp?: boolean | undefined
  /** Least severe level that is logged, as JSON lines on stderr. Default `silent`; the command line's is `info`. */
  readonly logLevel?: LogLevel | undefined
  /** Takes the log lines instead of stderr; a pino logger fits. `logLevel` has no effect then. */
  readonly logger?: Log | undefined
}

/** {@link ServerOptions}, checked and complete. `pathPrefix` starts and ends with a slash here. */
export type ServerConfig = Readonly<z.output<typeof schema>>

/** The longest delay that Node's timers know, ms; they would take a longer one for 1 ms. */
const LONGEST_DELAY = 2 ** 31 - 1

const milliseconds = (least: number) => z.int().min(least).max(LONGEST_DELAY)

/** A scheme that pages can have, and a host; an app's own scheme is known to its WebView alone. */
const ORIGIN = /^(?!(?:wss?|ftp|file):)[a-z][a-z\d+.-]*:\/\/[^/\s*@?#\\]+$/i

/**
 * `*` for all; within an origin it would stand for nothing. Not `null`: by a sandboxed frame any page can have that, so
 * whoever means it means `*`.
 */
const isOrigin = (text: string): boolean =>
  text === '*' || text === 'file://' || (ORIGIN.test(text) && URL.canParse(text))

/**
 * Without the port that goes without saying, and with a host in ASCII: in any other spelling it would match no page. Of
 * schemes that aren't the web's, `URL` tells no origin.
 */
const asBrowsersSay = (origin: string): string =>
  /^https?:/i.test(origin) ? new URL(origin).origin : origin.toLowerCase()

const hasMethods = (value: unknown, names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => typeof Reflect.get(value, name) === 'function')

const isNetwork = (text: string): boolean => {
  try {
    proxiesFrom([text])
    return true
  } catch {
    return false
  }
}

const limit = (name: keyof Limits, least = 1) => z.int().min(least).default(DEFAULT_LIMITS[name])

const limitsSchema = z.strictObject({
  maxConnections: limit('maxConnections'),
  maxConnectionsPerAddress: limit('maxConnectionsPerAddress'),
  maxConnectionsPerUser: limit('maxConnectionsPerUser'),
  maxConnectionsPerDocument: limit('maxConnectionsPerDocument'),
  maxChannelsPerConnection: limit('maxChannelsPerConnection'),
  maxChannelsPerAddress: limit('maxChannelsPerAddress'),
  maxChannels: limit('maxChannels'),
  opensPerMinute: limit('opensPerMinute'),
  requestsPerMinute: limit('requestsPerMinute'),
  handshakeTimeoutMs: milliseconds(100).default(DEFAULT_LIMITS.handshakeTimeoutMs),
  unauthorizedBytes: limit('unauthorizedBytes', 1024),
  messagesPerSecond: limit('messagesPerSecond'),
  messagesBurst: limit('messagesBurst'),
  bytesPerSecond: limit('bytesPerSecond', 1024),
  bytesBurst: limit('bytesBurst', 1024),
  questionsPerMinute: limit('questionsPerMinute'),
  tokensPerMinute: limit('tokensPerMinute'),
  maxDocumentBytes: limit('maxDocumentBytes', 1024),
  presencePerSecond: limit('presencePerSecond'),
  presenceIds: limit('presenceIds'),
  presenceStateBytes: limit('presenceStateBytes'),
  presenceBytes: limit('presenceBytes'),
  presenceDocumentBytes: limit('presenceDocumentBytes'),
  signalsPerSecond: limit('signalsPerSecond'),
  signalBytes: limit('signalBytes'),
  foreignEditsMs: milliseconds(1).default(DEFAULT_LIMITS.foreignEditsMs),
} satisfies { readonly [Name in keyof Limits]: z.ZodType })

const schema = z.strictObject({
  port: z.int().min(0).max(65_535).default(1234),
  host: z
    .string()
    .regex(/^[\w.:%-]+$/)
    .default('127.0.0.1'),
  data: z
    .string()
    .regex(/^[^\0]+$/)
    .default('./data'),
  pathPrefix: z
    .string()
    .regex(/^\/[^?#\s]*$/)
    .transform((path) => path.replace(/\/*$/, '/'))
    .default('/'),
  demo: z.boolean().default(true),
  durability: z.enum(['fsync', 'os']).default('fsync'),
  maxMessageBytes: z
    .int()
    .min(1024)
    .max(2 ** 30)
    .default(16 * 2 ** 20),
  shutdownTimeoutMs: milliseconds(0).default(10_000),
  heartbeatMs: milliseconds(100).default(30_000),
  roomLingerMs: milliseconds(0).default(1000),
  memoryBudgetMb: z
    .int()
    .min(0)
    .max(2 ** 20)
    .default(256),
  workerTimeoutMs: milliseconds(1).default(60_000),
  workerMemoryMb: z.int().min(16).max(65_536).default(1024),
  authorize: z.custom<Authorize>((value) => typeof value === 'function').default(() => everybody),
  authTimeoutMs: milliseconds(1).default(10_000),
  authCookie: z
    .string()
    .regex(/^[^\s;=,]+$/)
    .optional(),
  allowedOrigins: z.array(z.string().refine(isOrigin).transform(asBrowsersSay)).default([]),
  limits: limitsSchema.default(DEFAULT_LIMITS),
  trustedProxies: z.array(z.string().refine(isNetwork)).default([]),
  warmUp: z.boolean().default(false),
  logLevel: z.enum(LOG_LEVELS).default('silent'),
  logger: z.custom<Log>((value) => hasMethods(value, ['debug', 'info', 'warn', 'error', 'child'])).optional(),
})

/** Name of an option. */
export type OptionName = keyof ServerOptions

/** What each option may be, in words that follow "must be". */
const ALLOWED: Readonly<Record<OptionName, string>> = {
  port: 'a whole number from 0 to 65535',
  host: 'a host name or an IP address',
  data: 'the path of a folder',
  pathPrefix: 'a path that starts with a slash, without query or blanks',
  demo: 'true or false',
  durability: '"fsync" or "os"',
  maxMessageBytes: 'a whole number of bytes from 1024 to 1073741824',
  shutdownTimeoutMs: 'a whole number of milliseconds, 0 or more',
  heartbeatMs: 'a whole number of milliseconds, 100 or more',
  roomLingerMs: 'a whole number of milliseconds, 0 or more',
  memoryBudgetMb: 'a whole number of MiB from 0 to 1048576',
  workerTimeoutMs: 'a whole number of milliseconds, 1 or more',
  workerMemoryMb: 'a whole number of MiB from 16 to 65536',
  authorize: 'a function',
  authTimeoutMs: 'a whole number of milliseconds, 1 or more',
  authCookie: 'the name of a cookie',
  allowedOrigins: 'a list of origins like "https://app.example.com", or "*"',
  limits: 'an object of limits, each a whole number, 1 or more',
  trustedProxies: 'a list of addresses and networks like "10.0.0.0/8"',
  warmUp: 'true or false',
  logLevel: `one of ${LOG_LEVELS.join(', ')}`,
  logger: 'an object with the methods debug, info, warn, error and child',
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws InkwireError INKWIRE_BAD_OPTION with one line that names the option and what it may be.
 * @example
 *   parseOptions({ port: 0 }).host // '127.0.0.1'
 *   parseOptions({ port: -1 }) // throws: option "port" must be a whole number from 0 to 65535, not -1
 */
export const parseOptions = (options: ServerOptions = {}): ServerConfig => {
  const checked = schema.safeParse(options)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  if (issue?.code === 'unrecognized_keys') throw bad(`there is no option "${issue.keys[0]}"`)
  const name = issue?.path[0]
  if (!isOptionName(name)) throw bad('options must be an object')
  throw bad(`option "${name}" must be ${ALLOWED[name]}, not ${show(options[name])}`)
}

/**
 * Says what one option may be, if `value` isn't it.
 *
 * @example
 *   problemWith('port', 70_000) // 'must be a whole number from 0 to 65535'
 *   problemWith('port', 80) // null
 */
export const problemWith = (name: OptionName, value: unknown): string | null =>
  schema.shape[name].safeParse(value).success ? null : `must be ${ALLOWED[name]}`

const isOptionName = (name: unknown): name is OptionName =>
  typeof name === 'string' && Object.hasOwn(ALLOWED, name)

const bad = (message: string): InkwireError => new InkwireError('INKWIRE_BAD_OPTION', message)

/** A value in a few characters on one line. */
const show = (value: unknown): string => {
  const text = inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 0 })
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
