/**
 * Hooks for React 19. They render on a server, and never open a second socket, not even in StrictMode.
 *
 * @module inkwire/react
 */
export type { DocumentState, LiveDocument, NoDocument } from '../frameworks/state.js'
export { useDocument, useSyncedDocument } from './document.js'
export { type PresenceInHand, usePresence } from './presence.js'
export { useSaveState } from './save-state.js'
export { useText } from './text.js'
