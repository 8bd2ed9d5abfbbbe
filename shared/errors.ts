/**
 * Stable names of everything that can go wrong in a call of ours; the README lists them.
 * Messages may be reworded, these may not.
 *
 * @example
 *   const saved = await provider.whenSaved().catch(({ code }: { code: ErrorCode }) => code)
 */
export type ErrorCode =
  | 'INKWIRE_BAD_OPTION'
  | 'INKWIRE_BAD_NAME'
  | 'INKWIRE_BAD_MESSAGE'
  | 'INKWIRE_BAD_UPDATE'
  | 'INKWIRE_STORE_LOCKED'
  | 'INKWIRE_STORE_FAILED'
  | 'INKWIRE_STORE_CLOSED'
  | 'INKWIRE_STORE_FORMAT'
  | 'INKWIRE_DOCUMENT_DAMAGED'
  | 'INKWIRE_NO_DOCUMENT'
  | 'INKWIRE_NO_HISTORY'
  | 'INKWIRE_NOT_SAVED'
  | 'INKWIRE_NOT_EMPTY'
  | 'INKWIRE_BAD_BACKUP'
  | 'INKWIRE_TIMEOUT'
  | 'INKWIRE_STOPPED'
  | 'INKWIRE_DESTROYED'
  | 'INKWIRE_DEVICE_UNAVAILABLE'
  | 'INKWIRE_DEVICE_FULL'
  | 'INKWIRE_DEVICE_FAILED'
  | 'INKWIRE_DEVICE_FORGOTTEN'
  | 'INKWIRE_DEVICE_CONFLICT'

/**
 * An error with a stable code.
 *
 * @example
 *   try { await server.listen() } catch (error) {
 *     if (error instanceof InkwireError && error.code === 'INKWIRE_STORE_LOCKED') …
 *   }
 */
export class InkwireError extends Error {
  override readonly name = 'InkwireError'

  constructor(
    readonly code: ErrorCode,
    message: string,
    // Not `ErrorOptions`: an app whose `lib` is older than ES2022 has no such type.
    options?: { readonly cause?: unknown },
  ) {
    super(message, options)
  }
}
