import type * as Y from 'yjs'

interface StackEvent {
  readonly stackItem: { readonly meta: Map<unknown, unknown> }
  readonly origin: unknown
  readonly type: 'undo' | 'redo'
}

/**
 * Keeps with each step of the undo manager what was selected before and after it, and selects that again
 * when the step is undone or redone.
 *
 * @param origin whose transactions the steps are made of; also the key in their `meta`
 * @param before what was selected before the transaction under way
 * @param after what is selected now
 * @param restore selects it
 * @returns a function that ends it
 */
export const keepSelection = (
  manager: Y.UndoManager,
  origin: object,
  before: () => unknown,
  after: () => unknown,
  restore: (selection: unknown) => void,
): (() => void) => {
  const of = (item: StackEvent['stackItem'] | null) => item?.meta.get(origin) as unknown[] | undefined
  const keep = ({ stackItem, origin: by }: StackEvent) => {
    if (by === origin) stackItem.meta.set(origin, [of(stackItem)?.[0] ?? before(), after()])
    // Undoing a step adds one to redo, and the other way round: it is the same step.
    if (by === manager) stackItem.meta.set(origin, of(manager.currStackItem))
  }
  const popped = ({ stackItem, type }: StackEvent) => restore(of(stackItem)?.[type === 'undo' ? 0 : 1])

  manager.on('stack-item-added', keep)
  manager.on('stack-item-updated', keep)
  manager.on('stack-item-popped', popped)
  return () => {
    manager.off('stack-item-added', keep)
    manager.off('stack-item-updated', keep)
    manager.off('stack-item-popped', popped)
  }
}

/**
 * Which of the two a key press or a command of the browser (its menu, a gesture) asks for: Ctrl or Cmd with
 * Z, with Shift and Z, or with Y.
 */
export const undoAction = (event: Event): 'undo' | 'redo' | '' => {
  const { ctrlKey, metaKey, altKey, shiftKey, key, code, inputType } = event as KeyboardEvent & InputEvent
  // Other alphabets keep the Latin shortcuts where the keys are.
  const letter = ctrlKey !== metaKey && !altKey && (key > '~' ? code.slice(3) : key).toLowerCase()
  return inputType === 'historyUndo' || (letter === 'z' && !shiftKey)
    ? 'undo'
    : inputType === 'historyRedo' || letter === 'z' || letter === 'y'
      ? 'redo'
      : ''
}
