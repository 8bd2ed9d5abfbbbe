import * as Y from 'yjs'
import { apply, type Change, fromDelta } from './change.js'
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
  /** What was selected before the input that is under way. */
  let before: Selection | null = null
  let root: Node | undefined
  let resetting: ReturnType<typeof setTimeout> | undefined

  const writable = () => !element.readOnly && !element.disabled

  /** Carries an edit of what the element shows over to the shared text, as one transaction. */
  const write = (splice: Splice | null) => {
    if (!splice) return
    doc.transact(() => {
      const [next, change] = edit(shown, toTextChange(shown.base, splice, hidden))
      shown = next
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
    write(diff(toValue(shown.base, hidden), value, element.selectionEnd))
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
  /** The other way; only while nothing waits. */
  const toElement = (selection: Selection) =>
    moveSelection(selection, (index) => toValueIndex(text, index, hidden))
  const select = (selection: Selection) => {
    const { start, end, direction } = toElement(selection)
    element.setSelectionRange(start, end, direction)
  }
  const selected = (own?: boolean) => {
    const selection = (own && before) || readSelection(element)
    return selection && toRelative(ytext, toText(selection))
  }

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
    shown = { base: shown.base, waiting: [...shown.waiting, change] }
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
      before = null
      undoManager.stopCapturing()
      write(diff(toValue(shown.base, hidden), toValue(value, hidden)))
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
    if (!composition.active()) settle()
    else if (mode !== 'hold') commit()
    update?.()
  })
  const update =
    awareness &&
    shareCursors(
      awareness,
      element,
      selected,
      (cursor) => {
        const selection = shown.waiting.length ? null : fromRelative(ytext, cursor)
        return selection && toElement(selection)
      },
      signal,
    )
  const stopKeeping = keepSelection(undoManager, binding, selected, (kept) => {
    const selection = composition.active() ? null : fromRelative(ytext, kept)
    if (selection) select(selection)
  })
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
