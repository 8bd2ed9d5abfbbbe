import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'

/**
 * The document's name in a request's target: what follows prefix and slash, percent-decoded, query aside
 * (PROTOCOL W2). An opaque key: the target is cut by hand, since a URL parser would resolve `..` in it.
 *
 * @param target the request target as it came, e.g. `/notes/caf%C3%A9?token=1`.
 * @param prefix the server's path prefix, starting with `/`.
 * @throws InkwireError INKWIRE_BAD_NAME
 * @example
 *   documentName('/collab/a%20b/c?x=1', '/collab') // 'a b/c'
 */
export const documentName = (target: string, prefix: string): string => {
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  const base = prefix.endsWith('/') ? prefix : `${prefix}/`
  if (!path.startsWith(base)) throw badName(`documents lie under ${base}`)
  let name: string
  try {
    name = decodeURIComponent(path.slice(base.length))
  } catch (cause) {
    throw badName('the document name is not valid percent-encoding', cause)
  }
  checkName(name)
  return name
}

/**
 * Whether a request's target is the server itself and no document: the prefix, its last slash and a query aside
 * (PROTOCOL X11).
 *
 * @example
 *   isServerAddress('/collab', '/collab/') // true
 */
export const isServerAddress = (target: string, prefix: string): boolean => {
  const [path = ''] = target.split('?')
  return path.replace(/\/?$/, '/') === prefix.replace(/\/?$/, '/')
}

const badName = (what: string, cause?: unknown): InkwireError =>
  new InkwireError('INKWIRE_BAD_NAME', what, cause === undefined ? undefined : { cause })
