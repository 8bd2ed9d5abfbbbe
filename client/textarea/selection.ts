import type { AbsolutePosition, Doc, Text } from 'yjs'
import { type Change, mapIndex } from './change.js'
import {
  createAbsolutePositionFromRelativePosition,
  createRelativePositionFromJSON,
  createRelativePositionFromTypeIndex,
  relativePositionToJSON,
} from './yjs.js'

/** The elements a binding can be made for. */
export type TextElement = HTMLTextAreaElement | HTMLInputElement

/** What is selected, in UTF-16 indices. `start` is never behind `end`; a caret has both the same. */
export type Selection = readonly [
  start: number,
  end: number,
  direction?: 'forward' | 'backward' | 'none' | undefined,
]

/**
 * A selection that holds on to characters of the shared text instead of indices: two relative positions of
 * Yjs in their JSON form, to be kept or sent.
 */
export interface RelativeSelection {
  readonly anchor: unknown
  readonly head: unknown
}

/** The selection of an element; `null` for inputs that have none (`type=email`, `number` and so on). */
export const readSelection = (element: TextElement): Selection | null => {
  const { selectionStart: start, selectionEnd: end, selectionDirection } = element
  return start === null ? null : [start, end as number, selectionDirection as Selection[2]]
}

/** The selection with both ends moved by `move`; a caret stays one, and the ends never cross. */
export const moveSelection = (
  [start, end, direction]: Selection,
  move: (index: number, right: boolean) => number,
): Selection => {
  const last = move(end, false)
  return [Math.min(move(start, start < end), last), last, direction]
}

/**
 * The selection after a change of the text: a caret stays behind the character on its left, the ends of a
 * range stay with the first and the last character in it.
 */
export const mapSelection = (selection: Selection, change: Change): Selection =>
  moveSelection(selection, (index, right) => mapIndex(change, index, right))

/** The same, as positions that others understand and that outlive any number of changes. */
export const toRelative = (ytext: Text, [start, end, direction]: Selection): RelativeSelection => {
  const at = (index: number, association: number): unknown =>
    relativePositionToJSON(createRelativePositionFromTypeIndex(ytext, index, association))
  const head = at(end, -1)
  const anchor = start < end ? at(start, 0) : head
  return direction === 'backward' ? { anchor: head, head: anchor } : { anchor, head }
}

/** Where it lies now; `null` if not in this text, or if it is no selection: what others send may be anything. */
export const fromRelative = (ytext: Text, selection: unknown): Selection | null => {
  const at = (position: unknown): number => {
    const { type, index } = createAbsolutePositionFromRelativePosition(
      createRelativePositionFromJSON(position),
      ytext.doc as Doc,
    ) as AbsolutePosition
    if (type !== ytext) throw type
    return index
  }
  try {
    const { anchor, head } = selection as RelativeSelection
    const from = at(anchor)
    const to = at(head)
    return to < from ? [to, from, 'backward'] : [from, to]
  } catch {
    return null
  }
}
