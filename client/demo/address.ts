/** What a document is made of. Decided when it is created, and by its content ever after. */
export type Kind = 'plain' | 'rich'

/** All that an address says about what the page is to show. */
export interface Address {
  readonly name: string
  readonly kind: Kind
  /** The page is to let nobody type: a courtesy, unless the server knows better. */
  readonly readOnly: boolean
  /** What the server wants to see, or null. It stands behind the `#`, which is in no request and in no log. */
  readonly token: string | null
}

/** The document that the page's bare address shows, so that two windows on it share one. */
export const DEFAULT_NAME = 'welcome'

/** An address that says nothing but a name. */
export const addressOf = (name: string, kind: Kind = 'plain'): Address => ({
  name,
  kind,
  readOnly: false,
  token: null,
})

/**
 * What the part of an address behind its `#` says: `#/name?rich&read&token=…`, where everything from the `?`
 * on may be missing. A second `?`, put on by hand, is as good as `&`.
 *
 * @param hash `location.hash`, or any other text
 * @returns null when it names no document
 * @example addressIn('#/notes/caf%C3%A9?rich')?.kind // 'rich'
 */
export const addressIn = (hash: string): Address | null => {
  if (!hash.startsWith('#/')) return null
  const [path = '', ...rest] = hash.slice(2).split('?')
  if (path === '') return null
  const says = new URLSearchParams(rest.join('&'))
  return {
    name: decoded(path),
    kind: says.has('rich') ? 'rich' : 'plain',
    readOnly: says.has('read'),
    token: says.get('token') || null,
  }
}

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    // Typed by hand: a % that encodes nothing is meant as it stands.
    return path
  }
}

/**
 * The address's part behind and with the `#`, percent-encoded; slashes stay readable.
 *
 * @example hashOf(addressOf('notes/café', 'rich')) // '#/notes/caf%C3%A9?rich'
 */
export const hashOf = ({ name, kind, readOnly, token }: Address): string => {
  // Half a surrogate pair has no encoding; the server would not take the name either.
  const path = encodeURIComponent(name.replace(/\p{Surrogate}/gu, '\uFFFD')).replaceAll('%2F', '/')
  const says = [
    ...(kind === 'rich' ? ['rich'] : []),
    ...(readOnly ? ['read'] : []),
    ...(token ? [`token=${encodeURIComponent(token)}`] : []),
  ]
  return `#/${path}${says.length > 0 ? `?${says.join('&')}` : ''}`
}

/**
 * Where the server's documents are, as a WebSocket URL.
 *
 * @param page the page's address
 * @param pathPrefix starts and ends with a slash; behind a proxy it is below the page's folder
 * @example serverUrl('https://example.org/', '/docs/') // 'wss://example.org/docs/'
 */
export const serverUrl = (page: string, pathPrefix: string): string =>
  new URL(`.${pathPrefix}`, page).href.replace(/^http/, 'ws')
