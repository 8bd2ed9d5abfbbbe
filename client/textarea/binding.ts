import type { Doc, Text, Transaction, YTextEvent } from 'yjs'
import { apply, type Change, fromDelta, isText, rebase } from './change.js'
import { followComposition } from './composition.js'
import { shareCursors } from './cursors.js'
import { diff } from './diff.js'
import { HIDDEN_IN_INPUT, HIDDEN_IN_TEXTAREA, toTextChange, toTextIndex, toValue } from './line-ends.js'
import { listen } from './listen.js'
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
import { UndoManager } from './yjs.js'

/** Ties the two; see `bindTextarea`. */
export const bind = (ytext: Text, element: TextElement, options: TextareaOptions = {}): TextareaBinding => {
  const { provider, awareness = provider?.awareness } = options
  const undoManager = options.undoManager ?? new UndoManager(ytext, { trackedOrigins: new Set() })
  const hidden = element.localName === 'input' ? HIDDEN_IN_INPUT : HIDDEN_IN_TEXTAREA
  const aborter = new AbortController()
  const { signal } = aborter
  // Ends an earlier binding of this element: two would take each other's edits for the user's, and write them again,
  // for ever.
  element.dispatchEvent(new Event('inkwire'))

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
  /** Whether what happens to the element is nobody's edit: its form is being reset, or it is typed for others. */
  let ignoring = false

  /**
   * Whether the user may write. While the server takes no edits, the element is read-only. If the app makes it so, the
   * attribute has another value, and stays.
   */
  const writable = () => {
    if (signal.aborted || provider?.access !== 'read') {
      if (element.matches('[readonly=inkwire]')) element.readOnly = false
    } else if (!element.readOnly) element.setAttribute('readonly', 'inkwire')
    return element.matches(':read-write')
  }

  /** Writes an edit to the shared text, as one transaction. */
  const write = (change: Change) => {
    ;(ytext.doc as Doc).transact(() => {
      let index = 0
      for (const part of change) {
        if (isText(part)) {
          ytext.insert(index, part)
          index += part.length
        } else if (part < 0) ytext.delete(index, -part)
        else index += part
      }
    }, binding)
    before = null
  }

  /** Takes up whatever is in the element now, whoever put it there. */
  const commit = (last?: boolean) => {
    const value = element.value
    if (
      !writable() ||
      value === shadow ||
      ignoring ||
      element.validity.badInput || // half a number reads as ''
      (!last && options.composition === 'hold' && composing())
    )
      return
    const edit = toTextChange(base, diff(toValue(base, hidden), value, element.selectionEnd), hidden)
    let change: Change
    ;[change, waiting] = rebase(edit, waiting)
    base = apply(base, edit)
    text = apply(text, change) // nothing to be shown here
    shadow = value
    write(change)
  }

  /** Brings the element up to the shared text, with selection and scroll position where they belong. */
  const render = () => {
    const value = toValue(text, hidden)
    const selection = selectedText()
    base = text
    waiting = []
    if (element.value !== value) {
      const scrollTop = element.scrollTop
      const [start, minusRemoved, insert] = diff(element.value, value)
      // After a script's edit a browser lays out all of the text: 0.2 s for a megabyte. After typing only those lines,
      // but for each it takes 10 ms, and more when they are many.
      if (value.length > 1e5 && insert.split('\n').length < 9 && element.matches(':focus')) {
        // Nobody hears of it, and the browser's own undo history, which takes it down, is out of reach.
        ignoring = true
        element.setSelectionRange(start, start - minusRemoved)
        document.execCommand('insertText', false, insert)
        ignoring = false
      }
      element.value = value
      if (selection) element.setSelectionRange(...toElement(selection))
      element.scrollTop = scrollTop
    }
    shadow = element.value
  }

  const settle = () => {
    if (signal.aborted) return
    commit()
    if (!composing()) render()
    update?.()
    // The element may have been moved to this form just now; who listens already isn't added again.
    element.form?.addEventListener('reset', onReset, { signal })
  }

  /** What is selected, in indices of the shared text. */
  const selectedText = () => {
    const selection = readSelection(element)
    return (
      selection &&
      waiting.reduce(
        mapSelection,
        moveSelection(mapSelection(selection, diff(element.value, toValue(base, hidden))), (index) =>
          toTextIndex(base, index, hidden),
        ),
      )
    )
  }
  /** The other way. */
  const toElement = (selection: Selection) =>
    mapSelection(
      moveSelection(selection, (index) => toValue(text.slice(0, index), hidden).length),
      diff(toValue(text, hidden), element.value),
    )
  const selected = () => {
    const selection = selectedText()
    return selection && toRelative(ytext, selection)
  }

  /** Where in the element something lies that was selected here or elsewhere. */
  const locate = (relative: unknown) => {
    const selection = fromRelative(ytext, relative)
    return selection && toElement(selection)
  }

  const onText = (event: YTextEvent, { origin }: Transaction) => {
    const next = contentOf(ytext)
    if (next !== text) {
      let change: Change = fromDelta(event.delta)
      // When observers write, Yjs reports some changes twice: what the text says counts.
      if (apply(text, change) !== next) change = diff(text, next)
      waiting = [...waiting, change]
      text = next
    }
    if (origin !== binding) settle()
  }

  const onReset = ({ target }: Event) => {
    if (target !== element.form) return
    endComposition()
    ignoring = true
    // The values change after the event, and microtasks may run before that.
    setTimeout(() => {
      ignoring = false
      if (options.reset !== 'apply') shadow = element.value
      settle()
    })
  }

  const onUndo = (event: Event) => {
    const action = undoAction(event)
    if (!action || event.defaultPrevented) return
    event.preventDefault()
    if (!composing() && writable()) {
      commit()
      undoManager[action]()
    }
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
      write(toTextChange(text, diff(toValue(text, hidden), toValue(value, hidden)), hidden))
      undoManager.stopCapturing()
      settle()
    },
    destroy() {
      if (signal.aborted) return
      commit(true)
      aborter.abort()
      writable()
      ytext.unobserve(onText)
      if (options.undoManager) undoManager.removeTrackedOrigin(binding)
      else undoManager.destroy()
    },
  }

  const on = (type: string, listener: (event: Event) => void) =>
    element.addEventListener(type, listener, { signal })
  const [composing, endComposition] = followComposition(element, on, commit, settle)
  on('inkwire', binding.destroy)
  on('keydown', onUndo)
  on('beforeinput', (event) => {
    onUndo(event)
    commit()
    before = selected()
  })
  on('input', (event) =>
    ignoring ? event.stopImmediatePropagation() : element.validity.badInput || settle(),
  )
  const update = awareness && shareCursors(awareness, element, on, selected, locate, signal)
  keepSelection(
    undoManager,
    binding,
    () => before,
    selected,
    (kept) => {
      const selection = locate(kept)
      if (selection && !composing()) element.setSelectionRange(...selection)
    },
    signal,
  )
  undoManager.addTrackedOrigin(binding)
  ytext.observe(onText)
  if (provider) listen(signal, provider, 'access', settle)
  settle()
  return binding
}

/** The text with one character for each index, whatever else was put into it. */
const contentOf = (ytext: Text): string => apply('', fromDelta(ytext.toDelta()))
