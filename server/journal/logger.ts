/** The little of a logger that the journal needs; pino fits. */
export interface JournalLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** Says nothing. */
export const silentLogger: JournalLogger = { info: () => {}, warn: () => {}, error: () => {} }
