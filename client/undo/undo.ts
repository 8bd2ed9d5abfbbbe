import { type Doc, type Transaction, UndoManager } from 'yjs'
import { keepSelection, type SelectionKeeper } from './selection.js'

/**
 * Any shared type: `Y.Text`, `Y.Map`, `Y.Array`, …
 *
 * @example
 *   const scope: SharedType[] = [doc.getArray('todos'), doc.getText('title')]
 */
export type SharedType = Exclude<UndoManager['scope'][number], Doc>

/**
 * How {@link createUndo} works.
 *
 * @example
 *   createUndo(todos, { captureTimeoutMs: 0 }) // each edit is a step
 */
export interface UndoOptions<Selection> {
  /**
   * Whose edits can be undone beside those of {@link Undo.edit}: the origins of their transactions. Default: all
   * local ones without an origin. An update that came from elsewhere is never undone, whatever its origin.
   */
  readonly origins?: Iterable<unknown>
  /** Brings back what was selected, with each step. */
  readonly selection?: SelectionKeeper<Selection>
  /** Edits that follow each other within so many ms are one step. Default 500. */
  readonly captureTimeoutMs?: number
}

/**
 * Undo and redo for one scope. @see createUndo
 *
 * @example
 *   undoButton.onclick = () => undo.undo()
 */
export interface Undo {
  /** For bindings that want a manager of Yjs; add their origin by `addTrackedOrigin` if they don't. */
  readonly manager: UndoManager
  readonly canUndo: boolean
  readonly canRedo: boolean
  /**
   * Makes an edit that can be undone, as one transaction.
   *
   * @returns what `change` returns
   */
  edit<Result>(change: () => Result): Result
  /** Takes back the last step that is still there. Returns whether there was one. */
  undo(): boolean
  /** Makes it again. Returns whether there was one. */
  redo(): boolean
  /** The next edit begins a step of its own. */
  breakStep(): void
  /** Calls `listener` when there may be other steps than before, until the returned function is called. */
  subscribe(listener: () => void): () => void
  /** Forgets all steps and lets go of the document. */
  destroy(): void
}

/**
 * Undo that takes back this client's edits of a shared type, or of several, and nothing of anybody else's.
 *
 * @param scope what the steps are about; edits outside of it aren't undone. It must be part of a document.
 * @throws TypeError if it isn't
 * @example
 *   const undo = createUndo(todos, { selection: { get: () => list.selected, set: (id) => list.select(id) } })
 *   undo.edit(() => todos.push(['milk']))
 *   undo.undo()
 */
export const createUndo = <Selection = unknown>(
  scope: SharedType | readonly SharedType[],
  { origins, selection, captureTimeoutMs = 500 }: UndoOptions<Selection> = {},
): Undo => {
  const types = Array.isArray(scope) ? [...scope] : [scope]
  const doc = types[0]?.doc
  if (!doc) throw new TypeError('the scope is not part of a document yet')
  const own = {}
  const manager = new UndoManager(types, {
    captureTimeout: captureTimeoutMs,
    trackedOrigins: new Set<unknown>([own, ...(origins ?? [null])]),
    // An update that is applied without an origin would pass for an edit.
    captureTransaction: ({ local }: Transaction) => local,
  })
  const stopKeeping = selection && keepSelection(doc, manager, selection)
  const events = ['stack-item-added', 'stack-item-popped', 'stack-cleared'] as const
  const unsubscribers = new Set<() => void>()

  return {
    manager,
    get canUndo() {
      return manager.canUndo()
    },
    get canRedo() {
      return manager.canRedo()
    },
    edit: (change) => doc.transact(change, own),
    undo: () => manager.undo() !== null,
    redo: () => manager.redo() !== null,
    breakStep: () => manager.stopCapturing(),
    subscribe(listener) {
      const told = (): void => listener()
      for (const event of events) manager.on(event, told)
      const unsubscribe = (): void => {
        for (const event of events) manager.off(event, told)
        unsubscribers.delete(unsubscribe)
      }
      unsubscribers.add(unsubscribe)
      return unsubscribe
    },
    destroy() {
      for (const unsubscribe of [...unsubscribers]) unsubscribe()
      stopKeeping?.()
      manager.clear()
      manager.destroy()
    },
  }
}
