import type * as Y from 'yjs'

/**
 * What a binding needs of an awareness; that of y-protocols fits, and so does any of its shape.
 *
 * @example
 *   bindTextarea(text, textarea, { awareness: provider.awareness })
 */
export interface AwarenessLike {
  readonly clientID: number
  /** When something was heard of each client, milliseconds since 1970: its name is shown for a while. */
  readonly meta: ReadonlyMap<number, { readonly lastUpdated: number }>
  getStates(): Map<number, Readonly<Record<string, unknown>>>
  setLocalStateField(field: string, value: unknown): void
  on(event: 'change', listener: () => void): void
  off(event: 'change', listener: () => void): void
}

/**
 * What a binding needs of a provider; ours fits, and any other with an `awareness`, y-websocket's among them.
 *
 * @example
 *   bindTextarea(text, textarea, { provider })
 */
export interface ProviderLike {
  readonly awareness: AwarenessLike
  /** What the server last said that one may do; other servers don't. */
  readonly access?: string | null
  /** Whatever events there are: without `access` among them, it never changes. */
  on(event: never, listener: () => void): unknown
  off(event: never, listener: () => void): unknown
}

/**
 * How a binding behaves; every option may be left out.
 *
 * @example
 *   bindTextarea(text, textarea, { provider, composition: 'hold' })
 */
export interface TextareaOptions {
  /**
   * Whose `awareness` is used, and whose `access` decides: while it is `read`, the element is `readonly`, and no input
   * makes an edit. Whether the app has it `readonly` stays the app's to say, before, after and meanwhile.
   */
  readonly provider?: ProviderLike | undefined
  /**
   * Where to publish the local selection, and to find the others', if not in the provider's awareness. The state's
   * `cursor` holds it as JSON of two relative positions, `anchor` and `head`; who they are is in
   * `user: { name, color }`, which the app sets.
   */
  readonly awareness?: AwarenessLike | undefined
  /**
   * The undo manager that Ctrl+Z and Ctrl+Y work on. The binding adds itself to its tracked origins and
   * takes itself out again. Without one, it makes one for the text and destroys it with itself.
   */
  readonly undoManager?: Y.UndoManager | undefined
  /**
   * What others see of text that an input method is still composing: `stream` (default) sends every step,
   * `hold` sends the result. Android keyboards compose nearly everything: there, `hold` sends word by word.
   */
  readonly composition?: 'stream' | 'hold' | undefined
  /**
   * What a reset of the form does: `restore` (default) shows the shared text again, `apply` makes the
   * element's default value the shared text, for everybody.
   */
  readonly reset?: 'restore' | 'apply' | undefined
}

/**
 * The tie between a shared text and an element. It is the origin of its own transactions.
 *
 * @example
 *   const binding = bindTextarea(text, textarea)
 *   undoButton.onclick = () => binding.undoManager.undo()
 *   binding.destroy()
 */
export interface TextareaBinding {
  /**
   * Undo and redo of what was typed here; others' edits are never undone.
   *
   * @example button.onclick = () => binding.undoManager.undo()
   */
  readonly undoManager: Y.UndoManager
  /**
   * Whether the text is longer than the element's `maxlength`. Others' edits are never cut off to fit; the
   * user can shorten the text, but not add to it. Up to date in any observer of the text that was added
   * after the binding.
   */
  readonly tooLong: boolean
  /**
   * Makes `value` the text, as one step that can be undone; only what differs is written. Use it instead of
   * `element.value = …`, which fires no event and is noticed only at the next input or remote edit. Works
   * on a read-only element too.
   */
  setValue(value: string): void
  /**
   * Unties the two: no listener, observer or node stays, and no presence. The element keeps its value.
   */
  destroy(): void
}
