import * as Y from 'yjs'
import { apply, type Change, fromDelta, invert } from './change.js'
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
import { edit, type Shown } from './shown.js'
import { keepSelection, undoKey } from './undo.js'

/** Ties the two; see `bindTextarea`. */
export const bind = (ytext: Y.Text, element: TextElement, options: TextareaOptions): TextareaBinding => {
  const { doc } = ytext
  if (!doc) throw new TypeError('the text is in no document')
  const { awareness, composition: mode, reset } = options
  const undoManager = options.undoManager ?? new Y.UndoManager(ytext, { trackedOrigins: new Set() })
  const hidden = element.localName === 'input' ? HIDDEN_IN_INPUT : HIDDEN_IN_TEXTAREA
  const aborter = new AbortController()
  const { signal } = aborter

  /** The shared text as last heard of. */
  let text = contentOf(ytext)
  let shown: Shown = { base: text, waiting: [] }
  /** The element's value as it was left or read last: any other value is somebody's edit. */
  let shadow = element.value
  /** What was selected before the input that is under way, in the element and in the shared text. */
  let before: Selection | null = null
  let selectedBefore: RelativeSelection | null = null
  let root: Node | undefined
  let resetting: ReturnType<typeof setTimeout> | undefined

  const writable = () => !element.readOnly && !element.disabled

  /**
   * Carries an edit of the element's value over to the shared text, as one transaction.
   *
   * @param done whether the element shows it already
   */
  const write = (splice: Splice | null, done: boolean) => {
    if (!splice) return
    selectedBefore = selected(before)
    before = null
    doc.transact(() => {
      const [next, change] = edit(shown, toTextChange(shown.base, splice, hidden))
      shown = done ? next : { base: shown.base, waiting: [...shown.waiting, change] }
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
  }

  /** Takes up whatever is in the element now, whoever put it there. */
  const commit = () => {
    const { value } = element
    // What a reset leaves is nobody's edit; half a number reads as ''.
    if (value === shadow || resetting || !writable() || element.validity.badInput) return
    write(diff(toValue(shown.base, hidden), value, element.selectionEnd), true)
    shadow = value
  }

  /** Brings the element up to the shared text, with selection and scroll position where they belong. */
  const render = () => {
    const selection = readSelection(element)
    const moved = selection && toText(selection)
    shown = { base: text, waiting: [] }
    const splice = diff(element.value, toValue(text, hidden))
    if (splice) {
      const { scrollTop, scrollLeft } = element
      if (moved) {
        element.setRangeText(splice.insert, splice.start, splice.end, 'preserve')
        select(moved)
      } else element.value = toValue(text, hidden)
      element.scrollTop = scrollTop
      element.scrollLeft = scrollLeft
    }
    shadow = element.value
    // A reset is heard at the root only: it does not leave a shadow tree. The element may have been moved.
    if (root !== element.getRootNode()) {
      root = element.getRootNode()
      root.addEventListener('reset', onReset, { capture: true, signal })
    }
    update?.()
  }

  const settle = () => {
    commit()
    render()
  }

  /** A selection of the element's value in indices of the shared text. */
  const toText = (selection: Selection) =>
    shown.waiting.reduce(
      mapSelection,
      moveSelection(selection, (index) => toTextIndex(shown.base, index, hidden)),
    )
  /** The other way. */
  const toElement = (selection: Selection) =>
    moveSelection(
      shown.waiting.reduceRight((moved, change) => mapSelection(moved, invert(change)), selection),
      (index) => toValueIndex(shown.base, index, hidden),
    )
  const select = (selection: Selection) => {
    const { start, end, direction } = toElement(selection)
    element.setSelectionRange(start, end, direction)
  }
  const selected = (selection: Selection | null = readSelection(element)) =>
    selection && toRelative(ytext, toText(selection))

  const onText = (event: Y.YTextEvent, transaction: Y.Transaction) => {
    const own = transaction.origin === binding
    const next = contentOf(ytext)
    let change: Change = own ? [] : fromDelta(event.delta)
    // When observers write, Yjs reports some changes twice: what the text says counts.
    if (apply(text, change) !== next) {
      const splice = diff(text, next)
      change = splice ? [splice.start, splice.start - splice.end, splice.insert] : []
    }
    text = next
    if (change.length) shown = { base: shown.base, waiting: [...shown.waiting, change] }
    if (!own && !composition.active()) settle()
  }

  const step = (action: 'undo' | 'redo') => {
    if (composition.active() || !writable()) return
    commit()
    undoManager[action]()
  }

  const on = (type: string, listener: (event: Event) => void) =>
    element.addEventListener(type, listener, { signal })

  on('beforeinput', (event) => {
    const action = /^history(un|re)do$/i.exec((event as InputEvent).inputType)
    if (action) {
      event.preventDefault()
      step(action[1] === 'Un' ? 'undo' : 'redo')
    } else {
      if (!composition.active()) commit()
      before = readSelection(element)
    }
  })
  on('keydown', (event) => {
    const action = undoKey(event as KeyboardEvent)
    if (!action || event.defaultPrevented) return
    event.preventDefault()
    step(action)
  })

  const onReset = (event: Event) => {
    if (event.target !== element.form) return
    composition.end()
    clearTimeout(resetting)
    // The values change after the event, and microtasks may run before that.
    resetting = setTimeout(() => {
      resetting = undefined
      if (reset === 'apply') commit()
      render()
    })
  }

  const binding: TextareaBinding = {
    ytext,
    element,
    undoManager,
    get tooLong() {
      return element.maxLength >= 0 && element.value.length > element.maxLength
    },
    setValue(value) {
      commit()
      before = readSelection(element)
      undoManager.stopCapturing()
      write(diff(toValue(shown.base, hidden), toValue(value, hidden)), false)
      undoManager.stopCapturing()
      if (!composition.active()) render()
    },
    undo: () => step('undo'),
    redo: () => step('redo'),
    destroy() {
      if (signal.aborted) return
      commit()
      aborter.abort()
      clearTimeout(resetting)
      composition.stop()
      ytext.unobserve(onText)
      doc.off('destroy', binding.destroy)
      stopKeeping()
      if (options.undoManager) undoManager.removeTrackedOrigin(binding)
      else undoManager.destroy()
    },
  }

  const composition = followComposition(element, on, commit, settle)
  on('input', () => {
    if (composition.active()) {
      if (mode !== 'hold') commit()
    } else if (!element.validity.badInput) settle()
    update?.()
  })
  const update =
    awareness &&
    shareCursors(
      awareness,
      element,
      () => selected(),
      (cursor) => {
        const selection = fromRelative(ytext, cursor)
        return selection && toElement(selection)
      },
      signal,
    )
  const stopKeeping = keepSelection(
    undoManager,
    binding,
    () => selectedBefore,
    () => selected(),
    (kept) => {
      const selection = composition.active() ? null : fromRelative(ytext, kept)
      if (selection) select(selection)
    },
  )
  undoManager.addTrackedOrigin(binding)
  ytext.observe(onText)
  doc.on('destroy', binding.destroy)
  render()
  return binding
}

/** The text with one character for each index, whatever else was put into it. */
const contentOf = (ytext: Y.Text): string => {
  const text = ytext.toString()
  return text.length === ytext.length ? text : apply('', fromDelta(ytext.toDelta()))
}
