import type { Doc, Transaction, UndoManager } from 'yjs'

/**
 * How to read and restore what is selected. Keep positions in text as anchors (`inkwire/client/anchors`): indices
 * are of no use once others have edited.
 *
 * @example
 *   createUndo(todos, { selection: { get: () => list.selected, set: (id) => list.select(id) } })
 */
export interface SelectionKeeper<Selection> {
  /** What is selected; called before and right after each edit that can be undone. */
  get(): Selection
  /** Selects it again: what was selected before a step that was undone, or after one that was redone. */
  set(selection: Selection): void
}

interface Kept<Selection> {
  readonly before: Selection
  readonly after: Selection
}

/**
 * Keeps with each step what was selected before and after it.
 *
 * @returns how to stop
 */
export const keepSelection = <Selection>(
  doc: Doc,
  manager: UndoManager,
  { get, set }: SelectionKeeper<Selection>,
): (() => void) => {
  type Item = UndoManager['undoStack'][number]
  const kept = new WeakMap<Item, Kept<Selection>>()
  let before: { readonly selection: Selection } | null = null

  const onTransaction = ({ local, origin }: Transaction): void => {
    before = local && origin !== manager && manager.trackedOrigins.has(origin) ? { selection: get() } : null
  }
  const onStep = ({ stackItem, origin }: { stackItem: Item; origin: unknown }): void => {
    if (origin === manager) {
      // Undoing a step adds one to redo, and the other way round: it is the same step.
      const same = manager.currStackItem && kept.get(manager.currStackItem)
      if (same) kept.set(stackItem, same)
      return
    }
    const after = get()
    kept.set(stackItem, {
      before: (kept.get(stackItem) ?? { before: before?.selection ?? after }).before,
      after,
    })
  }
  const onPopped = ({ stackItem, type }: { stackItem: Item; type: 'undo' | 'redo' }): void => {
    const step = kept.get(stackItem)
    if (step) set(type === 'undo' ? step.before : step.after)
  }

  doc.on('beforeTransaction', onTransaction)
  manager.on('stack-item-added', onStep)
  manager.on('stack-item-updated', onStep)
  manager.on('stack-item-popped', onPopped)
  return () => {
    doc.off('beforeTransaction', onTransaction)
    manager.off('stack-item-added', onStep)
    manager.off('stack-item-updated', onStep)
    manager.off('stack-item-popped', onPopped)
  }
}
