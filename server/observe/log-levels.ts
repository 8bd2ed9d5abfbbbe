/** From the most to the least talkative. Beside the log, since settings name them, and few commands write one. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/**
 * The least severe lines that are written.
 *
 * @example
 *   createServer({ logLevel: 'warn' })
 */
export type LogLevel = (typeof LOG_LEVELS)[number]
