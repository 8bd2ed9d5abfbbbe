import {
  type AbstractType,
  createAbsolutePositionFromRelativePosition,
  createRelativePositionFromTypeIndex,
  type Doc,
  decodeRelativePosition,
  encodeRelativePosition,
  type RelativePosition,
} from 'yjs'
import { toBytes, toText } from './base64.js'

/**
 * A shared type whose elements have indices: `Y.Text`, `Y.Array`, `Y.XmlFragment`.
 *
 * @example
 *   const sequence: Sequence = doc.getText('body')
 */
export type Sequence = Parameters<typeof createRelativePositionFromTypeIndex>[0]

/**
 * A place in a shared sequence that moves with what is around it: a short string, to be stored or sent.
 * @see createAnchor
 * @example
 *   comments.set(id, { text: 'Really?', at: createAnchor(text, 5) })
 */
export type Anchor = string

/**
 * A part of a shared sequence, as JSON: to be stored with a comment, say. @see createRangeAnchor
 *
 * @example
 *   const { start, end } = createRangeAnchor(text, 4, 9)
 */
export interface RangeAnchor {
  readonly start: Anchor
  readonly end: Anchor
}

/**
 * Where a {@link RangeAnchor} lies now; `start` is before `end`.
 *
 * @example
 *   const range = resolveRange(text, comment.at)
 *   if (range) highlight(range.start, range.end)
 */
export interface Range {
  readonly start: number
  readonly end: number
}

/**
 * Holds on to a place.
 *
 * @param index UTF-16 index in a text, index of the element in an array
 * @param side whose place it is: that of the element on its right (default) or on its left. Where there is none, it
 *   is the end or the start of the sequence, and is never deleted.
 * @throws TypeError if the sequence is not part of a document yet
 * @example
 *   const anchor = createAnchor(text, 5)
 *   text.insert(0, 'Oh! ')
 *   resolveAnchor(text, anchor) // 9
 */
export const createAnchor = (sequence: Sequence, index: number, side: 'left' | 'right' = 'right'): Anchor => {
  if (!sequence.doc) throw new TypeError('the sequence is not part of a document yet')
  const position = createRelativePositionFromTypeIndex(sequence, index, side === 'left' ? -1 : 0)
  return toText(encodeRelativePosition(position))
}

/**
 * Where it is now. An undo that brings the element back brings the anchor back.
 *
 * @returns null if the element it held on to is deleted or hasn't arrived yet, if it is of another sequence, or if
 *   it is no anchor at all: what others send may be anything.
 * @example
 *   const index = resolveAnchor(text, comment.at) ?? text.length
 */
export const resolveAnchor = (sequence: Sequence, anchor: unknown): number | null => {
  const index = indexOf(sequence, anchor)
  return index === null || index.deleted ? null : index.index
}

/**
 * Holds on to a part of a sequence, from the first element in it to the last: what is inserted in between belongs to
 * it, what is inserted at its ends doesn't.
 *
 * @param start index of its first element
 * @param end index behind its last element
 * @throws RangeError if it is empty; TypeError if the sequence is not part of a document yet
 * @example
 *   const comment = { text: 'Really?', at: createRangeAnchor(text, 4, 9) }
 *   comments.push([comment])
 *   const range = resolveRange(text, comment.at) // null: everything in it was deleted
 */
export const createRangeAnchor = (sequence: Sequence, start: number, end: number): RangeAnchor => {
  if (!(start < end)) throw new RangeError('an empty range has nothing to hold on to')
  return { start: createAnchor(sequence, start, 'right'), end: createAnchor(sequence, end, 'left') }
}

/**
 * Where it is now. An end whose element was deleted moves inward.
 *
 * @returns null if all that was in it is deleted, and as {@link resolveAnchor} does
 * @example
 *   const range = resolveRange(text, comment.at)
 *   if (!range) comment.remove()
 */
export const resolveRange = (sequence: Sequence, range: unknown): Range | null => {
  const { start: first, end: last } = Object(range) as { readonly start?: unknown; readonly end?: unknown }
  const start = indexOf(sequence, first)
  const end = indexOf(sequence, last)
  return start && end && start.index < end.index ? { start: start.index, end: end.index } : null
}

/**
 * Holds on to a place in a rich text, as its editor's binding knows it: of a selection, say. A rich text is many
 * sequences, one in another; bindings turn their editor's positions into relative positions of Yjs, and back.
 *
 * @param side as for {@link createAnchor}: for a range that isn't to grow at its ends, `right` for its start and `left`
 *   for its end
 * @returns null if the position is nowhere in the document
 * @example
 *   // ProseMirror; for Tiptap, the same functions are in @tiptap/y-tiptap
 *   const { type, binding } = ySyncPluginKey.getState(view.state)
 *   const position = absolutePositionToRelativePosition(view.state.selection.from, type, binding.mapping)
 *   comment.start = anchorFromPosition(doc, position)
 */
export const anchorFromPosition = (
  doc: Doc,
  position: RelativePosition,
  side: 'left' | 'right' = 'right',
): Anchor | null => {
  const place = createAbsolutePositionFromRelativePosition(position, doc)
  return place && createAnchor(place.type, place.index, side)
}

/**
 * Where it is now, for the editor's binding. If what it held on to is deleted, it is where that was: a range is empty
 * once everything in it is.
 *
 * @returns null if the paragraph around it is deleted or hasn't arrived yet, and for what is no anchor
 * @example
 *   const position = positionFromAnchor(doc, comment.start)
 *   const from = position && relativePositionToAbsolutePosition(doc, type, position, binding.mapping)
 */
export const positionFromAnchor = (doc: Doc, anchor: unknown): RelativePosition | null => {
  if (typeof anchor !== 'string') return null
  try {
    const position = decodeRelativePosition(toBytes(anchor))
    let around: AbstractType<unknown> | null | undefined
    around = createAbsolutePositionFromRelativePosition(position, doc)?.type
    if (!around) return null
    for (; around?._item; around = around._item.parent as AbstractType<unknown>) {
      if (around._item.deleted) return null
    }
    return position
  } catch {
    return null
  }
}

/** Where a position lies, and whether the element that it holds on to is deleted; null if nowhere in `sequence`. */
const indexOf = (
  sequence: Sequence,
  anchor: unknown,
): { readonly index: number; readonly deleted: boolean } | null => {
  const { doc, _item: item } = sequence
  if (!doc || item?.deleted || typeof anchor !== 'string') return null
  try {
    const position = decodeRelativePosition(toBytes(anchor))
    const place = createAbsolutePositionFromRelativePosition(position, doc)
    if (place?.type !== sequence) return null
    if (position.item === null) return { index: place.index, deleted: false }
    // An element that is there has two sides; they are one place once it is deleted.
    const otherSide = { ...position, assoc: position.assoc < 0 ? 0 : -1 }
    const other = createAbsolutePositionFromRelativePosition(otherSide, doc)
    return { index: place.index, deleted: other?.index === place.index }
  } catch {
    return null
  }
}
