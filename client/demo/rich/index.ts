/** The rich-text editor: a chunk of its own, which only rich documents load. */
import { EditorState } from 'prosemirror-state'
import { EditorView } from 'prosemirror-view'
import { ySyncPlugin, yUndoPlugin } from 'y-prosemirror'
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { Editor } from '../editor.js'
import { carets } from './carets.js'
import { keys, typedShorthand } from './keys.js'
import { links } from './link.js'
import { schema } from './schema.js'
import { toolbar } from './toolbar.js'

/** Where the editor is to be, and of what. */
export interface RichText {
  readonly doc: Y.Doc
  readonly fragment: Y.XmlFragment
  readonly awareness: Awareness
  readonly host: HTMLElement
  readonly tools: HTMLElement
}

/** Ties a fragment to an editor in `host`, until it is destroyed. */
export const editRichText = ({ doc, fragment, awareness, host, tools }: RichText): Editor => {
  let editable = false
  let placeholder = ''
  const view = new EditorView(host, {
    state: EditorState.create({
      schema,
      plugins: [
        ySyncPlugin(fragment),
        ...carets(awareness, doc),
        yUndoPlugin(),
        typedShorthand(),
        ...keys(),
        links(),
        toolbar(tools),
      ],
    }),
    // y-prosemirror draws others' carets with a delay, by which the view may be gone.
    dispatchTransaction(this: EditorView, transaction) {
      if (!this.isDestroyed) this.updateState(this.state.apply(transaction))
    },
    editable: () => editable,
    attributes: ({ doc: { content, firstChild } }) => ({
      class: 'rich-text',
      role: editable ? 'textbox' : 'document',
      'aria-label': 'Text of the document. Everybody who has its address types in it with you.',
      // Who can't type must be able to scroll.
      tabindex: '0',
      ...(editable && { 'aria-multiline': 'true', 'aria-placeholder': placeholder }),
      ...(content.size === 2 && firstChild?.type.name === 'paragraph' && { 'data-empty': placeholder }),
    }),
  })

  return {
    focus: () => view.focus(),
    update(next) {
      if (editable === next.editable && placeholder === next.placeholder) return
      editable = next.editable
      placeholder = next.placeholder
      // Has the view ask for both again.
      view.setProps({ editable: () => editable })
    },
    destroy: () => view.destroy(),
  }
}
