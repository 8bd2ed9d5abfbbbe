/**
 * Whether one may write, for editors that are to be read-only while one mayn't.
 *
 * @module inkwire/client/access
 */
export { type AccessLike, followAccess } from './access.js'
