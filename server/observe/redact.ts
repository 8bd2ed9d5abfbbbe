/** Names of fields whose values are never logged, wherever they are nested (up to three deep) in a line's fields. */
export const SECRET_KEYS = [
  'token',
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  '["set-cookie"]',
  '["sec-websocket-protocol"]',
  'password',
  'secret',
] as const

/** `?token=…&x=…`: whatever a client put there, the path says enough. */
const QUERY = /\?[\w.~%[\]+-]+=[^\s"'\\]*/g
/** An authorization header's value. */
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi
/** A JSON Web Token, wherever it stands. */
const JWT = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g

/**
 * Takes secrets out of a finished log line: the last guard for those that hide within a URL, a message or a stack.
 * Costs a query-like part of a document's name too, which is the better mistake.
 *
 * @example
 *   redactLine('GET /notes?token=abc failed') // 'GET /notes?[redacted] failed'
 */
export const redactLine = (line: string): string =>
  line.replace(QUERY, '?[redacted]').replace(BEARER, '$1 [redacted]').replace(JWT, '[redacted]')
