import * as Y from 'yjs'
import { apply, type Change, compose, fromDelta, transform } from './change.js'
import { Composition } from './composition.js'
import { diff, type Splice } from './diff.js'
import { type Lines, toTextChange, toTextIndex, toValue, toValueIndex } from './line-ends.js'
import {
  fromRelative,
  mapSelection,
  moveSelection,
  type RelativeSelection,
  readSelection,
  type Selection,
  type TextElement,
  toRelative,
  writeSelection,
} from './selection.js'
import { keepSelection, undoKey } from './undo.js'

/** How a binding behaves; every option may be left out. */
export interface BindingOptions {
  /**
   * The undo manager that Ctrl+Z and Ctrl+Y work on. The binding adds itself to its tracked origins and
   * takes itself out again. Without one, it makes one for the text and destroys it with itself.
   */
  readonly undoManager?: Y.UndoManager | undefined
  /**
   * What others see of text that an input method is still composing: `stream` (default) sends every step,
   * `hold` sends the result. Android keyboards compose nearly everything, so `hold` means by the word there.
   */
  readonly composition?: 'stream' | 'hold' | undefined
  /**
   * What a reset of the form does: `restore` (default) shows the shared text again, `apply` makes the
   * element's default value the shared text, for everybody.
   */
  readonly reset?: 'restore' | 'apply' | undefined
  /** Called when {@link TextBinding.tooLong} changes. */
  readonly onTooLong?: ((tooLong: boolean) => void) | undefined
}

/**
 * The tie between a shared text and an element. It is the origin of its own transactions.
 *
 * Names: `text` is the shared text as last heard of; `base` is the text that the element shows, the same
 * unless an input method is composing; `waiting` is the change from `base` to `text`; `shadow` is the
 * element's value as the binding last left or read it, so any other value is somebody's edit.
 */
export class TextBinding {
  /** Undo and redo of what was typed here; others' edits are never undone. */
  readonly undoManager: Y.UndoManager
  #text = ''
  #base = ''
  #waiting: Change = []
  #shadow = ''
  #tooLong = false
  #resetting = false
  /** What was selected before the input that is under way, in indices of the element's value. */
  #before: Selection | null = null
  readonly #lines: Lines
  readonly #composition: Composition
  readonly #abort = new AbortController()

  /** @internal made by `bindTextarea` and `bindInput` */
  constructor(
    readonly ytext: Y.Text,
    readonly element: TextElement,
    private readonly options: BindingOptions = {},
    /** Called after anything that moves text or selection. */
    private readonly changed: () => void = () => {},
  ) {
    const { doc } = ytext
    if (!doc) throw new TypeError('bind: the text is not part of a document yet')
    this.#lines = element.localName === 'textarea' ? 'multi' : 'single'
    const { signal } = this.#abort

    this.undoManager = options.undoManager ?? new Y.UndoManager(ytext, { trackedOrigins: new Set() })
    this.undoManager.addTrackedOrigin(this)
    const stopKeeping = keepSelection(this.undoManager, this, this.#takeSelection, this.#restoreSelection)

    this.#composition = new Composition(element, signal, this.#commit, this.#settle)
    const on = <E extends Event>(type: string, listener: (event: E) => void) =>
      element.addEventListener(type, listener as (event: Event) => void, { signal })
    on('beforeinput', this.#onBeforeInput)
    on('input', this.#onInput)
    on('keydown', this.#onKey)
    const stopFollowing = this.#followRoot()

    ytext.observe(this.#onText)
    doc.on('destroy', this.destroy)
    signal.addEventListener('abort', () => {
      stopFollowing()
      ytext.unobserve(this.#onText)
      doc.off('destroy', this.destroy)
      stopKeeping()
      if (options.undoManager) this.undoManager.removeTrackedOrigin(this)
      else this.undoManager.destroy()
    })

    this.#text = contentOf(ytext)
    this.#base = this.#text
    this.#shadow = element.value
    this.#render()
  }

  /**
   * Whether the text is longer than the element's `maxlength`. Others' edits are never cut off to fit; the
   * user can shorten the text but not add to it.
   */
  get tooLong(): boolean {
    return this.#tooLong
  }

  /**
   * Makes `value` the text, as one step that can be undone; only what differs is written. Use it instead of
   * `element.value = …`, which fires no event and is noticed at the next input or remote edit only.
   */
  setValue(value: string): void {
    this.#commit()
    this.undoManager.stopCapturing()
    this.#edit(diff(toValue(this.#base, this.#lines), toValue(value, this.#lines)))
    this.undoManager.stopCapturing()
    if (!this.#composition.active) this.#render()
  }

  /** Undoes the last step made here. */
  undo(): void {
    this.#commit()
    this.undoManager.undo()
  }

  /** Takes back the last {@link undo}. */
  redo(): void {
    this.#commit()
    this.undoManager.redo()
  }

  /** The selection in indices of the shared text; `null` if the element has none. */
  selection(): Selection | null {
    const selection = readSelection(this.element)
    return selection && this.#toText(selection)
  }

  /** Where a selection of the shared text lies in the element's value. */
  inElement(selection: Selection): Selection {
    return moveSelection(selection, (index) => toValueIndex(this.#base, index, this.#lines))
  }

  /** Unties the two: no listener, timer or observer stays. The element keeps its value. */
  readonly destroy = (): void => {
    if (this.#abort.signal.aborted) return
    this.#commit()
    this.#abort.abort()
  }

  readonly #onText = (event: Y.YTextEvent, transaction: Y.Transaction): void => {
    const next = contentOf(this.ytext)
    let change: Change = transaction.origin === this ? [] : fromDelta(event.delta)
    // Observers that write make Yjs report changes twice; what the text says counts.
    if (apply(this.#text, change) !== next) change = toChange(diff(this.#text, next))
    this.#text = next
    this.#waiting = compose(this.#waiting, change)
    if (transaction.origin === this || this.#composition.active) return
    this.#commit()
    this.#render()
  }

  readonly #onBeforeInput = (event: InputEvent): void => {
    const undo = event.inputType === 'historyUndo'
    if (undo || event.inputType === 'historyRedo') {
      event.preventDefault()
      if (!this.#composition.active) this[undo ? 'undo' : 'redo']()
      return
    }
    if (!this.#composition.active) this.#commit()
    this.#before = readSelection(this.element)
  }

  readonly #onInput = (): void => {
    if (this.#composition.active && this.options.composition === 'hold') return
    this.#commit()
    if (this.#composition.active) this.changed()
    else this.#render()
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const action = undoKey(event)
    if (!action || event.defaultPrevented || this.#composition.active) return
    event.preventDefault()
    if (this.#writable) this[action]()
  }

  /** After a composition: what it held goes out, what waited comes in. */
  readonly #settle = (): void => {
    this.#commit()
    this.#render()
  }

  /** Takes up whatever is in the element now, whoever put it there. */
  readonly #commit = (): void => {
    const { value } = this.element
    const bad = this.element.validity.badInput // half a number: its value reads as ''
    if (value === this.#shadow || this.#resetting || bad || !this.#writable) return
    this.#edit(diff(toValue(this.#base, this.#lines), value, readSelection(this.element)?.end))
    this.#shadow = value
  }

  get #writable(): boolean {
    return !this.element.readOnly && !this.element.disabled
  }

  /** One edit of what the element shows, carried over to the shared text as one transaction. */
  #edit(splice: Splice | null): void {
    if (!splice) return
    const edit = toTextChange(this.#base, splice, this.#lines)
    const change = transform(edit, this.#waiting, true)
    this.ytext.doc?.transact(() => {
      let index = 0
      for (const part of change) {
        if (typeof part === 'string') {
          this.ytext.insert(index, part)
          index += part.length
        } else if (part < 0) this.ytext.delete(index, -part)
        else index += part
      }
      this.#waiting = transform(this.#waiting, edit, false)
      this.#base = apply(this.#base, edit)
      this.#text = apply(this.#text, change)
      this.#before = null
    }, this)
  }

  /** Brings the element up to the shared text, with selection and scroll position where they belong. */
  #render(): void {
    const { element } = this
    const selection = readSelection(element)
    const moved = selection && mapSelection(this.#toBase(selection), this.#waiting)
    const value = toValue(this.#text, this.#lines)
    const splice = diff(this.#shadow, value)
    this.#base = this.#text
    this.#waiting = []
    if (splice || element.value !== value) {
      const { scrollTop, scrollLeft } = element
      if (splice && selection && element.value === this.#shadow)
        element.setRangeText(splice.insert, splice.start, splice.end, 'preserve')
      else element.value = value
      this.#shadow = element.value
      if (moved) writeSelection(element, this.inElement(moved))
      element.scrollTop = scrollTop
      element.scrollLeft = scrollLeft
    }
    const tooLong = element.maxLength >= 0 && this.#shadow.length > element.maxLength
    if (tooLong !== this.#tooLong) {
      this.#tooLong = tooLong
      this.options.onTooLong?.(tooLong)
    }
    this.changed()
  }

  /** A selection of the element's value in indices of the text it shows. */
  #toBase(selection: Selection): Selection {
    return moveSelection(selection, (index, right) => toTextIndex(this.#base, index, this.#lines, right))
  }

  /** A selection of the element's value in indices of the shared text. */
  #toText(selection: Selection): Selection {
    return mapSelection(this.#toBase(selection), this.#waiting)
  }

  readonly #takeSelection = (): RelativeSelection | null => {
    const selection = this.#before ?? readSelection(this.element)
    return selection && toRelative(this.ytext, this.#toText(selection))
  }

  readonly #restoreSelection = (kept: RelativeSelection): void => {
    const selection = fromRelative(this.ytext, kept)
    if (!selection || this.#composition.active) return
    writeSelection(this.element, this.inElement(selection))
    this.changed()
  }

  /**
   * Listens for a reset of the form where it can be heard before the values change: at the root, which
   * changes when the element is moved into a shadow tree, removed or added again.
   */
  #followRoot(): () => void {
    let stop = () => {}
    let root: Node | undefined
    const follow = () => {
      if (!this.element.isConnected) this.#composition.end()
      this.changed()
      if (root === this.element.getRootNode()) return
      stop()
      const now = this.element.getRootNode()
      now.addEventListener('reset', this.#onReset, true)
      stop = () => now.removeEventListener('reset', this.#onReset, true)
      root = now
    }
    follow()
    const observer = new ResizeObserver(follow)
    observer.observe(this.element)
    return () => {
      observer.disconnect()
      stop()
    }
  }

  readonly #onReset = (event: Event): void => {
    if (event.target !== this.element.form || this.#resetting) return
    this.#resetting = true
    // The values change after the event, and microtasks may run before that.
    const timer = setTimeout(() => {
      this.#resetting = false
      if (this.options.reset === 'apply') this.#commit()
      this.#composition.end()
      this.#render()
    })
    this.#abort.signal.addEventListener('abort', () => clearTimeout(timer))
  }
}

const toChange = (splice: Splice | null): Change =>
  splice ? [splice.start, splice.start - splice.end, splice.insert] : []

/** The text with one character for each index, whatever else was put into it. */
const contentOf = (ytext: Y.Text): string => {
  const text = ytext.toString()
  return text.length === ytext.length ? text : apply('', fromDelta(ytext.toDelta()))
}
