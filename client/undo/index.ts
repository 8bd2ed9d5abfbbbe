/**
 * Undo and redo of this client's own edits.
 *
 * @module inkwire/client/undo
 */
export type { SelectionKeeper } from './selection.js'
export { createUndo, type SharedType, type Undo, type UndoOptions } from './undo.js'
