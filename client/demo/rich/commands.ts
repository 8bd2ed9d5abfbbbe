import { lift, setBlockType, toggleMark, wrapIn } from 'prosemirror-commands'
import type { Attrs, MarkType, NodeType } from 'prosemirror-model'
import { liftListItem, wrapInList } from 'prosemirror-schema-list'
import { type Command, type EditorState, Selection, TextSelection } from 'prosemirror-state'
import { yUndoPluginKey } from 'y-prosemirror'
import { schema } from './schema.js'

const { nodes } = schema

/** Whether what is typed now gets a mark, or all of a selection has it. */
export const hasMark = ({ selection, storedMarks, doc }: EditorState, type: MarkType): boolean => {
  const { $from, from, to, empty } = selection
  if (empty) return type.isInSet(storedMarks ?? $from.marks()) !== undefined
  return doc.rangeHasMark(from, to, type)
}

/** Whether the selection begins in a node of this kind. */
export const isInside = ({ selection: { $from } }: EditorState, type: NodeType, attrs?: Attrs): boolean => {
  for (let depth = $from.depth; depth > 0; depth--)
    if ($from.node(depth).hasMarkup(type, attrs ?? $from.node(depth).attrs)) return true
  return false
}

/** Which kind of list the selection begins in, if any: the innermost. */
const listDepth = ({ selection: { $from } }: EditorState): number => {
  for (let depth = $from.depth; depth > 0; depth--) {
    const { type } = $from.node(depth)
    if (type === nodes.bullet_list || type === nodes.ordered_list) return depth
  }
  return 0
}

/** Whether the innermost list around the selection is of this kind. */
export const isInList = (state: EditorState, type: NodeType): boolean =>
  listDepth(state) > 0 && state.selection.$from.node(listDepth(state)).type === type

/** Makes a command one step of the undo history, whatever was typed just before. */
const asStep =
  (command: Command): Command =>
  (state, dispatch, view) => {
    if (dispatch) yUndoPluginKey.getState(state)?.undoManager.stopCapturing()
    return command(state, dispatch, view)
  }

export const toggle = (type: MarkType): Command => asStep(toggleMark(type))

/** Makes text blocks of this kind, or paragraphs again if they are. */
export const toggleBlock = (type: NodeType, attrs?: Attrs): Command =>
  asStep((state, dispatch) =>
    setBlockType(isInside(state, type, attrs) ? nodes.paragraph : type, attrs)(state, dispatch),
  )

export const toggleQuote: Command = asStep((state, dispatch, view) =>
  (isInside(state, nodes.blockquote) ? lift : wrapIn(nodes.blockquote))(state, dispatch, view),
)

/** Makes a list, makes one kind of list the other, or ends it. */
export const toggleList = (type: NodeType): Command =>
  asStep((state, dispatch, view) => {
    const depth = listDepth(state)
    if (depth === 0) return wrapInList(type)(state, dispatch, view)
    const { $from } = state.selection
    if ($from.node(depth).type === type) return liftListItem(nodes.list_item)(state, dispatch, view)
    dispatch?.(state.tr.setNodeMarkup($from.before(depth), type))
    return true
  })

/** At the start of a heading, a quote or code, backspace first makes it a paragraph. */
export const plainAtStart: Command = (state, dispatch) => {
  const { $from, empty } = state.selection
  if (!empty || $from.parentOffset > 0 || $from.parent.type === nodes.paragraph) return false
  return setBlockType(nodes.paragraph)(state, dispatch)
}

/** A line end within a paragraph. */
export const breakLine: Command = (state, dispatch) => {
  dispatch?.(state.tr.replaceSelectionWith(nodes.hard_break.create()).scrollIntoView())
  return true
}

/** Selects the text from its first letter to its last: what works on a selection works on this one, too. */
export const selectText: Command = ({ doc, tr }, dispatch) => {
  dispatch?.(tr.setSelection(TextSelection.between(Selection.atStart(doc).$from, Selection.atEnd(doc).$to)))
  return true
}
