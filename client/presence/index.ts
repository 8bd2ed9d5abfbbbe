/**
 * Who is here: names, colours with contrast, cursors.
 *
 * @module inkwire/client/presence
 */
export { colorsOf, type UserColors } from './colors.js'
export type { Person } from './people.js'
export {
  type AwarenessLike,
  createPresence,
  type Observable,
  type Presence,
  type PresenceOptions,
  type User,
} from './presence.js'
