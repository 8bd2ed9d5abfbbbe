import type { Text, Transaction, YTextEvent } from 'yjs'
import { UndoManager } from 'yjs'
import { apply, type Change, fromDelta, invert, rebase } from './change.js'
import { followComposition } from './composition.js'
import { shareCursors } from './cursors.js'
import { diff, type Splice } from './diff.js'
import {
  HIDDEN_IN_INPUT,
  HIDDEN_IN_TEXTAREA,
  toTextChange,
  toTextIndex,
  toValue,
  toValueIndex,
} from './line-ends.js'
import type { TextareaBinding, TextareaOptions } from './options.js'
import {
  fromRelative,
  mapSelection,
  moveSelection,
  type RelativeSelection,
  readSelection,
  type Selection,
  type TextElement,
  toRelative,
} from './selection.js'
import { keepSelection, undoAction } from './undo.js'

/** Ties the two; see `bindTextarea`. */
export const bind = (ytext: Text, element: TextElement, options: TextareaOptions = {}): TextareaBinding => {
  const undoManager = options.undoManager ?? new UndoManager(ytext, { trackedOrigins: new Set() })
  const hidden = element.localName === 'input' ? HIDDEN_IN_INPUT : HIDDEN_IN_TEXTAREA
  const aborter = new AbortController()
  const { signal } = aborter

  /** The shared text as last heard of. */
  let text = contentOf(ytext)
  /**
   * The text that the element shows, and the changes that lead from there to the shared text. They wait only
   * while an input method composes: then the element may not be written to.
   */
  let base = text
  let waiting: readonly Change[] = []
  /** The element's value as it was left or read last: any other value is somebody's edit. */
  let shadow = element.value
  /** What was selected before the input that is under way. */
  let before: RelativeSelection | null = null
  let root: Node | undefined
  let resetting = false

  const writable = () => !element.readOnly && !element.disabled

  /**
   * Carries an edit of the element's value over to the shared text, as one transaction.
   *
   * @param done whether the element shows it already
   */
  const write = (splice: Splice, done: boolean) => {
    const edit = toTextChange(base, splice, hidden)
    const [change, others] = rebase(edit, waiting)
    waiting = done ? others : [...waiting, change]
    if (done) base = apply(base, edit)
    ytext.doc?.transact(() => {
      let index = 0
      for (const part of change) {
        if (typeof part === 'string') {
          ytext.insert(index, part)
          index += part.length
        } else if (part < 0) ytext.delete(index, -part)
        else index += part
      }
      text = contentOf(ytext)
    }, binding)
    before = null
  }

  /** Takes up whatever is in the element now, whoever put it there. */
  const commit = (last?: boolean) => {
    const { value } = element
    if (
      value === shadow ||
      !writable() ||
      resetting || // what it leaves is nobody's edit
      element.validity.badInput || // half a number reads as ''
      (!last && options.composition === 'hold' && composition.active())
    )
      return
    write(diff(toValue(base, hidden), value, element.selectionEnd), true)
    shadow = value
  }

  /** Brings the element up to the shared text, with selection and scroll position where they belong. */
  const render = () => {
    const value = toValue(text, hidden)
    const selection = readSelection(element)
    const moved = selection && toText(selection)
    base = text
    waiting = []
    if (element.value !== value) {
      const { scrollTop, scrollLeft } = element
      if (moved) {
        const [start, minusRemoved, insert] = diff(element.value, value)
        element.setRangeText(insert, start, start - minusRemoved, 'preserve')
        element.setSelectionRange(...toElement(moved))
      } else element.value = value
      element.scrollTop = scrollTop
      element.scrollLeft = scrollLeft
    }
    shadow = element.value
  }

  const settle = () => {
    if (signal.aborted) return
    commit()
    if (!composition.active()) render()
    update?.()
    // A reset is heard at the root only: it does not leave a shadow tree. The element may have been moved.
    const now = element.getRootNode()
    if (now !== root) now.addEventListener('reset', onReset, { capture: true, signal })
    root = now
  }

  /** A selection of the element's value in indices of the shared text. */
  const toText = (selection: Selection) =>
    waiting.reduce(
      mapSelection,
      moveSelection(mapSelection(selection, diff(element.value, toValue(base, hidden))), (index) =>
        toTextIndex(base, index, hidden),
      ),
    )
  /** The other way. */
  const toElement = (selection: Selection) =>
    mapSelection(
      moveSelection(
        waiting.reduceRight((moved, change) => mapSelection(moved, invert(change)), selection),
        (index) => toValueIndex(base, index, hidden),
      ),
      diff(toValue(base, hidden), element.value),
    )
  const selected = () => {
    const selection = readSelection(element)
    return selection && toRelative(ytext, toText(selection))
  }

  /** Where in the element something lies that was selected here or elsewhere. */
  const locate = (relative: unknown) => {
    const selection = fromRelative(ytext, relative)
    return selection && toElement(selection)
  }

  const onText = (event: YTextEvent, { origin }: Transaction) => {
    const next = contentOf(ytext)
    let change: Change = origin === binding ? [] : fromDelta(event.delta)
    // When observers write, Yjs reports some changes twice: what the text says counts.
    if (apply(text, change) !== next) change = diff(text, next)
    text = next
    if (change.length) waiting = [...waiting, change]
    if (origin !== binding) settle()
  }

  const onReset = ({ target }: Event) => {
    if (target !== element.form) return
    composition.end()
    resetting = true
    // The values change after the event, and microtasks may run before that.
    setTimeout(() => {
      resetting = false
      if (options.reset !== 'apply') shadow = element.value
      settle()
    })
  }

  const onUndo = (event: Event) => {
    const action = undoAction(event)
    if (!action || event.defaultPrevented) return
    event.preventDefault()
    if (composition.active() || !writable()) return
    commit()
    undoManager[action]()
  }

  const binding: TextareaBinding = {
    undoManager,
    get tooLong() {
      return element.value.length > element.maxLength >>> 0 // -1 is no limit
    },
    setValue(value) {
      commit()
      before = selected()
      undoManager.stopCapturing()
      write(diff(toValue(base, hidden), toValue(value, hidden)), false)
      undoManager.stopCapturing()
      settle()
    },
    destroy() {
      if (signal.aborted) return
      commit(true)
      aborter.abort()
      ytext.unobserve(onText)
      stopKeeping()
      if (options.undoManager) undoManager.removeTrackedOrigin(binding)
      else undoManager.destroy()
    },
  }

  const on = (type: string, listener: (event: Event) => void) =>
    element.addEventListener(type, listener, { signal })
  const composition = followComposition(element, on, commit, settle)
  on('keydown', onUndo)
  on('beforeinput', onUndo)
  on('beforeinput', () => {
    commit()
    before = selected()
  })
  on('input', () => element.validity.badInput || settle())
  const update = options.awareness && shareCursors(options.awareness, element, on, selected, locate, signal)
  const stopKeeping = keepSelection(
    undoManager,
    binding,
    () => before,
    selected,
    (kept) => {
      const selection = locate(kept)
      if (selection && !composition.active()) element.setSelectionRange(...selection)
    },
  )
  undoManager.addTrackedOrigin(binding)
  ytext.observe(onText)
  settle()
  return binding
}

/** The text with one character for each index, whatever else was put into it. */
const contentOf = (ytext: Text): string => apply('', fromDelta(ytext.toDelta()))
