import type * as Y from 'yjs'
import type { RelativeSelection } from './selection.js'

interface StackEvent {
  readonly stackItem: { readonly meta: Map<unknown, unknown> }
  readonly origin: unknown
}

/**
 * Keeps with each step of the undo manager what was selected before it, and selects it again when the step
 * is undone or redone.
 *
 * @param origin whose transactions these are; also the key in the step's `meta`
 * @param take what is selected now; asked before the text changes
 * @param restore selects it
 * @returns a function that ends it
 */
export const keepSelection = (
  manager: Y.UndoManager,
  origin: object,
  take: () => RelativeSelection | null,
  restore: (selection: RelativeSelection) => void,
): (() => void) => {
  let selection: RelativeSelection | null = null
  const ours = (by: unknown) => by === origin || by === manager

  const before = (transaction: Y.Transaction) => {
    if (ours(transaction.origin)) selection = take()
  }
  const added = (event: StackEvent) => {
    if (selection && ours(event.origin)) event.stackItem.meta.set(origin, selection)
  }
  const popped = ({ stackItem }: StackEvent) => {
    const kept = stackItem.meta.get(origin)
    if (kept) restore(kept as RelativeSelection)
  }

  manager.doc.on('beforeTransaction', before)
  manager.on('stack-item-added', added)
  manager.on('stack-item-popped', popped)
  return () => {
    manager.doc.off('beforeTransaction', before)
    manager.off('stack-item-added', added)
    manager.off('stack-item-popped', popped)
  }
}

/** Which of the two a key press asks for, as the platform has it. */
export const undoKey = (event: KeyboardEvent): 'undo' | 'redo' | null => {
  const mac = /mac|iphone|ipad/i.test(navigator.platform)
  const command = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
  if (!command || event.altKey || event.isComposing) return null
  // Other alphabets keep the Latin shortcuts where the keys are.
  const key = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.slice(3).toLowerCase()
  if (key === 'z') return event.shiftKey ? 'redo' : 'undo'
  return key === 'y' && !mac && !event.shiftKey ? 'redo' : null
}
