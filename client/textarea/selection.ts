import * as Y from 'yjs'
import { type Change, mapIndex } from './change.js'

/** The elements a binding can be made for. */
export type TextElement = HTMLTextAreaElement | HTMLInputElement

/** What is selected, in UTF-16 indices. `start` is never behind `end`; a caret has both the same. */
export interface Selection {
  readonly start: number
  readonly end: number
  readonly direction: 'forward' | 'backward' | 'none'
}

/** A selection that holds on to characters of the shared text instead of indices. */
export interface RelativeSelection {
  readonly anchor: Y.RelativePosition
  readonly head: Y.RelativePosition
}

/** The selection of an element; `null` for inputs that have none (`type=email`, `number` and so on). */
export const readSelection = (element: TextElement): Selection | null => {
  const { selectionStart: start, selectionEnd: end, selectionDirection } = element
  return start === null || end === null ? null : { start, end, direction: selectionDirection ?? 'none' }
}

/** Selects, unless this is selected already: doing it again would end a drag. */
export const writeSelection = (element: TextElement, { start, end, direction }: Selection): void => {
  const now = readSelection(element)
  if (now && (now.start !== start || now.end !== end || now.direction !== direction))
    element.setSelectionRange(start, end, direction)
}

/** The selection with both ends moved by `move`; a caret stays one, and the ends never cross. */
export const moveSelection = (
  { start, end, direction }: Selection,
  move: (index: number, right: boolean) => number,
): Selection => {
  const last = move(end, false)
  return { start: start === end ? last : Math.min(move(start, true), last), end: last, direction }
}

/**
 * The selection after a change of the text: a caret stays behind the character on its left, the ends of a
 * range stay with the first and the last character in it.
 */
export const mapSelection = (selection: Selection, change: Change): Selection =>
  moveSelection(selection, (index, right) => mapIndex(change, index, right))

/** The same, as positions that others understand and that outlive any number of changes. */
export const toRelative = (ytext: Y.Text, { start, end, direction }: Selection): RelativeSelection => {
  const at = (index: number, association: number) =>
    Y.createRelativePositionFromTypeIndex(ytext, index, association)
  const last = at(end, -1)
  const first = start === end ? last : at(start, 0)
  return direction === 'backward' ? { anchor: last, head: first } : { anchor: first, head: last }
}

/** Where the positions lie now; `null` when that is not in this text, or when what came in is no position. */
export const fromRelative = (ytext: Y.Text, { anchor, head }: RelativeSelection): Selection | null => {
  const at = (position: Y.RelativePosition) => {
    const found = ytext.doc && Y.createAbsolutePositionFromRelativePosition(position, ytext.doc)
    return found?.type === ytext ? found.index : null
  }
  try {
    const [from, to] = [at(anchor), at(head)]
    if (from === null || to === null) return null
    return to < from
      ? { start: to, end: from, direction: 'backward' }
      : { start: from, end: to, direction: 'forward' }
  } catch {
    return null // others' positions may be anything
  }
}
