import { InkwireError } from '../shared/errors.js'

/**
 * A document's name as the path of a URL, so that the server gets exactly this name when it decodes the
 * path (PROTOCOL W2). Only what a URL would misread is encoded: `?`, `#`, `%`, `\`, spaces, control
 * characters and all beyond ASCII; slashes stay. URLs swallow `.` and `..` between slashes, even encoded;
 * in names that have such parts, the slashes are encoded, too.
 *
 * @throws InkwireError INKWIRE_BAD_NAME for the names `.` and `..`, which no URL can carry, and for halves of
 *   surrogate pairs, which no UTF-8 can.
 * @example
 *   encodeName('notes/why? 100%') // 'notes/why%3F%20100%25'
 *   encodeName('a/../b') // 'a%2F..%2Fb'
 */
export const encodeName = (name: string): string => {
  try {
    if (/^\.\.?$/.test(name)) throw new URIError()
    const path = encodeURI(name)
      .replace(/[?#]/g, encodeURIComponent)
      // As y-websocket does, so that the rooms of servers that don't decode stay the same.
      .replace(/%(5B|5D|7C)/g, decodeURIComponent)
    return /(^|\/)\.\.?(\/|$)/.test(path) ? path.replaceAll('/', '%2F') : path
  } catch (cause) {
    throw new InkwireError('INKWIRE_BAD_NAME', `no URL carries ${name}`, { cause })
  }
}

/**
 * The URL of a document: server, name, and parameters as the query.
 *
 * @param server `ws:`, `wss:`, `http:` or `https:`, without a slash at its end.
 * @example
 *   documentUrl('ws://localhost:1234', 'notes/today', { token: 'a b' })
 *   // 'ws://localhost:1234/notes/today?token=a%20b'
 */
export const documentUrl = (
  server: string,
  name: string,
  params: { readonly [key: string]: string },
): string => {
  const query = Object.entries(params)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join('&')
  return `${server.replace(/^http/, 'ws')}/${encodeName(name)}${query && `?${query}`}`
}
