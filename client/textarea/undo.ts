import type * as Y from 'yjs'

interface StackEvent {
  readonly stackItem: { readonly meta: Map<unknown, unknown> }
  readonly origin: unknown
}

/**
 * Keeps with each step of the undo manager what was selected before it, and selects it again when the step
 * is undone or redone.
 *
 * @param origin whose transactions the steps are made of; also the key in their `meta`
 * @param take what is selected; asked before the text changes
 * @param restore selects it
 * @returns a function that ends it
 */
export const keepSelection = (
  manager: Y.UndoManager,
  origin: object,
  take: (own: boolean) => unknown,
  restore: (selection: unknown) => void,
): (() => void) => {
  let selection: unknown
  const before = ({ origin: by }: Y.Transaction) => {
    if (by === origin || by === manager) selection = take(by === origin)
  }
  const added = ({ origin: by, stackItem }: StackEvent) => {
    if (by === origin || by === manager) stackItem.meta.set(origin, selection)
  }
  const popped = ({ stackItem }: StackEvent) => restore(stackItem.meta.get(origin))

  manager.doc.on('beforeTransaction', before)
  manager.on('stack-item-added', added)
  manager.on('stack-item-popped', popped)
  return () => {
    manager.doc.off('beforeTransaction', before)
    manager.off('stack-item-added', added)
    manager.off('stack-item-popped', popped)
  }
}

/** Which of the two a key press asks for: Ctrl or Cmd with Z, Shift and Z, or Y. */
export const undoKey = (event: KeyboardEvent): 'undo' | 'redo' | false => {
  const { ctrlKey, metaKey, altKey, shiftKey, key, code } = event
  // Other alphabets keep the Latin shortcuts where the keys are.
  const letter = (key > '~' ? code.slice(3) : key).toLowerCase()
  return (
    ctrlKey !== metaKey &&
    !altKey &&
    (letter === 'z' ? (shiftKey ? 'redo' : 'undo') : letter === 'y' && 'redo')
  )
}
