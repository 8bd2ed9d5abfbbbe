import { type DestinationStream, pino, stdTimeFunctions } from 'pino'
import type { LogLevel } from './log-levels.js'
import { redactLine, SECRET_KEYS } from './redact.js'
import { stderr } from './stderr.js'

/**
 * What a line says beside its message. `connection` and `document` are ids; `err` is an Error. Contents of
 * documents never belong into a log.
 *
 * @example
 *   log.info({ document: 'notes' }, 'opened')
 */
export interface LogFields {
  readonly connection?: number | string | undefined
  readonly document?: string | undefined
  readonly err?: unknown
  readonly [name: string]: unknown
}

/**
 * Where the server says what happens. A pino logger is one.
 *
 * @example createServer({ logger: pino({ level: 'warn' }) })
 */
export interface Log {
  /** What only a developer wants to know. */
  debug(fields: LogFields, message: string): void
  /** What happens in the normal course. */
  info(fields: LogFields, message: string): void
  /** What an operator should look at. */
  warn(fields: LogFields, message: string): void
  /** What went wrong. */
  error(fields: LogFields, message: string): void
  /**
   * A log that says `fields` on every line.
   *
   * @example const ofNotes = log.child({ document: 'notes' })
   */
  child(fields: LogFields): Log
}

/** Says nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}

/**
 * A log of one JSON object per line: `time` (ISO 8601), `level`, `msg` and the fields; secrets are replaced by
 * `[redacted]`.
 *
 * @param level the least severe level that is written.
 * @param stream where to, by default the process's stderr: stdout is for what a command prints. A line is written
 *   when it is said, so that the last words before an exit aren't lost; one that can't be written holds nobody up.
 */
export const createLog = (level: LogLevel, stream?: DestinationStream): Log => {
  if (level === 'silent') return silentLog
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
      hooks: { streamWrite: redactLine },
    },
    stream ?? stderr,
  )
}
