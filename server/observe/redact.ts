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

/** What a log says of an error. */
export interface DescribedError {
  readonly type: string
  readonly message: string
  readonly stack: string
  readonly code?: string
}

/**
 * What a log may say of an error that has seen secrets of a shape that nobody knows: its kind, its words and those of
 * its causes, without the secrets. Whatever else hangs on it (a request, say, with all headers) is left out. Never
 * throws, whatever was thrown.
 */
export const describeWithout = (
  error: unknown,
  secrets: readonly (string | null | undefined)[],
): DescribedError => {
  try {
    return describe(error, secrets)
  } catch {
    // An object without a prototype is no text, and a getter may throw.
    return { type: typeof error, message: 'what was thrown can not be put into words', stack: '' }
  }
}

const describe = (error: unknown, secrets: readonly (string | null | undefined)[]): DescribedError => {
  const hidden = secrets.flatMap((each) => (each ? [each, encodeURIComponent(each)] : []))
  const clean = (text: string): string =>
    hidden.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
  if (!(error instanceof Error)) return { type: typeof error, message: clean(String(error)), stack: '' }
  const code = 'code' in error && typeof error.code === 'string' ? { code: clean(error.code) } : {}
  // Where somebody has set `Error.prepareStackTrace`, it may be anything.
  const stack = String(error.stack ?? '')
  return { type: String(error.name), message: clean(wordsOf(error)), stack: clean(stack), ...code }
}

/** A fetch that failed says why only in its cause. */
const wordsOf = (error: Error): string => {
  const words: string[] = []
  for (let each: unknown = error; each instanceof Error && words.length < 5; each = each.cause) {
    words.push(each.message)
  }
  return words.join(': ')
}
