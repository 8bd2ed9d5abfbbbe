import { InkwireError } from '../../shared/errors.js'

/** The store could not be read or written just now; the cause says why. */
export const storeFailed = (what: string, cause?: unknown): InkwireError =>
  new InkwireError('INKWIRE_STORE_FAILED', cause === undefined ? what : `${what}: ${reasonOf(cause)}`, {
    cause,
  })

/** The document is quarantined for this reason, all others are not. */
export const documentDamaged = (name: string, reason: string, cause?: unknown): InkwireError =>
  new InkwireError('INKWIRE_DOCUMENT_DAMAGED', `document ${quote(name)} is damaged: ${reason}`, { cause })

/** Something was written by a newer version of this program. */
export const newerFormat = (what: string, version: number): InkwireError =>
  new InkwireError(
    'INKWIRE_STORE_FORMAT',
    `${what} was written by a newer version of Inkwire (format ${version}); it is left as it is. Use that version`,
  )

export const storeClosed = (): InkwireError =>
  new InkwireError('INKWIRE_STORE_CLOSED', 'the journal is closed')

/** A document has one writer at a time, and must have none while it is deleted or replaced. */
export const hasWriter = (name: string): InkwireError =>
  new InkwireError('INKWIRE_STORE_LOCKED', `document ${quote(name)} has a writer`)

/** Somebody uses a log after giving it back. A mistake in the program, not a state of the store. */
export const notTheWriter = (name: string): Error =>
  new Error(`the log of document ${quote(name)} was released`)

/** An error's message, with that of what caused it unless it is in it: LevelDB's own words are in the cause. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { message, cause } = error
  const reason = cause instanceof Error ? reasonOf(cause) : ''
  return message.includes(reason) ? message : `${message}: ${reason}`
}

/** Whether LevelDB says that bytes are bad or files are missing, rather than that they couldn't be reached. */
export const isCorruption = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && error.code === 'LEVEL_CORRUPTION') ||
    // A table that is gone, or shorter than it was.
    /No such file|Invalid argument/.test(error.message) ||
    isCorruption(error.cause))

/** Names may hold anything; in a message they stay on one line. */
const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 79)}…` : name)

/** Whether a document, and not the store, is the matter. */
export const isDamage = (error: unknown): error is InkwireError =>
  error instanceof InkwireError && error.code === 'INKWIRE_DOCUMENT_DAMAGED'
