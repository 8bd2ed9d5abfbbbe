import type { IncomingHttpHeaders } from 'node:http'

/** What of a handshake may carry a token. */
export interface Handshake {
  /** The request's target: path and query. */
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/**
 * The token that a handshake carries: the query parameter `token` (all that y-websocket can do), an
 * `Authorization: Bearer` header (RFC 6750 §2.1), or a cookie; the first that is there.
 *
 * @param cookie name of the cookie, if one counts.
 */
export const tokenOf = (request: Handshake, cookie?: string): string | null => {
  const target = request.url ?? ''
  const query = target.indexOf('?')
  const parameter = query < 0 ? null : new URLSearchParams(target.slice(query + 1)).get('token')
  if (parameter) return parameter
  const bearer = /^Bearer +(\S+)\s*$/i.exec(request.headers.authorization ?? '')
  if (bearer?.[1]) return bearer[1]
  return cookie === undefined ? null : cookieOf(request.headers.cookie ?? '', cookie)
}

/** RFC 6265 §4.2.1: `name=value` pairs between semicolons; a value may stand in quotes. */
const cookieOf = (header: string, name: string): string | null => {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1')
    if (value !== '') return value
  }
  return null
}
