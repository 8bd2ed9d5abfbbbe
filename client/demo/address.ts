/** The document that the page's bare address shows, so that two windows on it share one. */
export const DEFAULT_NAME = 'welcome'

/**
 * The document that an address names.
 *
 * @param hash `location.hash`, or any other text
 * @returns null when it names none
 * @example nameInHash('#/notes/caf%C3%A9') // 'notes/café'
 */
export const nameInHash = (hash: string): string | null => {
  if (!hash.startsWith('#/') || hash.length === 2) return null
  const path = hash.slice(2)
  try {
    return decodeURIComponent(path)
  } catch {
    // Typed by hand: a % that encodes nothing is meant as it stands.
    return path
  }
}

/**
 * The address's part that names a document, percent-encoded; slashes stay readable.
 *
 * @example hashOf('notes/café') // '#/notes/caf%C3%A9'
 */
export const hashOf = (name: string): string =>
  // Half a surrogate pair has no encoding; the server would not take the name either.
  `#/${encodeURIComponent(name.replace(/\p{Surrogate}/gu, '\uFFFD')).replaceAll('%2F', '/')}`

/**
 * Where the server's documents are, as a WebSocket URL.
 *
 * @param page the page's address
 * @param pathPrefix starts and ends with a slash; behind a proxy it is below the page's folder
 * @example serverUrl('https://example.org/', '/docs/') // 'wss://example.org/docs/'
 */
export const serverUrl = (page: string, pathPrefix: string): string =>
  new URL(`.${pathPrefix}`, page).href.replace(/^http/, 'ws')
