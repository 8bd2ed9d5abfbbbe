import type * as Y from 'yjs'
import { listen } from './listen.js'

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
 * @param signal ends it
 */
export const keepSelection = (
  manager: Y.UndoManager,
  origin: object,
  before: () => unknown,
  after: () => unknown,
  restore: (selection: unknown) => void,
  signal: AbortSignal,
): void => {
  const of = (item: StackEvent['stackItem'] | null) => item?.meta.get(origin) as unknown[] | undefined
  const keep = ({ stackItem, origin: by }: StackEvent) => {
    if (by === origin) stackItem.meta.set(origin, [of(stackItem)?.[0] ?? before(), after()])
    // Undoing a step adds one to redo, and the other way round: it is the same step.
    if (by === manager) stackItem.meta.set(origin, of(manager.currStackItem))
  }
  const popped = ({ stackItem, type }: StackEvent) => restore(of(stackItem)?.[type === 'undo' ? 0 : 1])

  listen(signal, manager, 'stack-item-added', keep)
  listen(signal, manager, 'stack-item-updated', keep)
  listen(signal, manager, 'stack-item-popped', popped)
}

/**
 * Which of the two a key press or a command of the browser (its menu, a gesture) asks for: Ctrl or Cmd with
 * Z, with Shift and Z, or with Y.
 */
export const undoAction = (event: Event): 'undo' | 'redo' | undefined => {
  const { ctrlKey, metaKey, altKey, shiftKey, key, code, inputType } = event as KeyboardEvent & InputEvent
  // Other alphabets keep the Latin shortcuts where the keys are.
  const letter = ctrlKey !== metaKey && !altKey && (key > '~' ? code.slice(3) : key).toLowerCase()
  const actions = {
    historyUndo: 'undo',
    historyRedo: 'redo',
    z: shiftKey ? 'redo' : 'undo',
    y: 'redo',
  } as const
  return actions[(inputType || letter) as keyof typeof actions]
}
