/**
 * Every code by which the server refuses something: as a WebSocket close code, or inside a rejection
 * (PROTOCOL C1–C3). The same number means the same thing in both places.
 *
 * 4400–4499 are permanent: y-websocket ≥ 3.1 and Inkwire's client stop reconnecting. All others are
 * retried. 4500–4599 say "try again later" in words of our own.
 *
 * @example
 *   provider.on('closed', ({ code }) => { if (code === Code.unauthenticated) signIn() })
 */
export const Code = {
  /** Whoever is at the other end goes away: a proxy, or another server; Inkwire says {@link Code.restart}. Retry. */
  goingAway: 1001,
  /**
   * One message is larger than the server takes (`maxMessageBytes`). Retry would meet it again, but 1009 is the
   * WebSocket's own code for it.
   */
  tooBig: 1009,
  /** The server restarts; everything received was committed before this was sent. Retry. */
  restart: 1012,
  /** Too busy for now. Retry later. */
  tryLater: 1013,
  /** Malformed, truncated, trailing, unknown or dangerous bytes. Permanent. */
  badMessage: 4400,
  /** No valid credentials, or they expired. Permanent until there are new ones. */
  unauthenticated: 4401,
  /** Valid credentials that don't allow this. Permanent. */
  forbidden: 4403,
  /** The document does not exist any more, or its name can't be one. Permanent. */
  noSuchDocument: 4404,
  /** The client holds another generation's history (the document was deleted, restored or rolled back). Permanent. */
  generationChanged: 4409,
  /** The stored document is damaged and quarantined until it is repaired. Permanent. */
  documentDamaged: 4410,
  /** The document reached its size limit. Permanent. */
  documentFull: 4413,
  /** The store can't be read or written at the moment. Retry. */
  storageUnavailable: 4503,
  /** More messages, bytes or documents per second than allowed. Retry. */
  tooFast: 4529,
} as const

/**
 * One of the numbers in {@link Code}.
 *
 * @example
 *   const retried = (code: Code): boolean => !isPermanent(code)
 */
export type Code = (typeof Code)[keyof typeof Code]

/**
 * Whether a client should give up after a close with this code (PROTOCOL C2).
 *
 * @example
 *   isPermanent(4403) // true
 *   isPermanent(1012) // false
 */
export const isPermanent = (code: number): boolean => code >= 4400 && code <= 4499
