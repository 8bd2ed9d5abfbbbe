/**
 * Whether this client may write: for editors that are read-only while it may not.
 *
 * @module inkwire/client/access
 */
export { type AccessLike, followAccess } from './access.js'
