import { defaultKeymap } from '@codemirror/commands'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import * as Y from 'yjs'
import { followAccess } from '../../../access/index.js'
import { InkwireProvider } from '../../../index.js'
import { byId } from '../../dom.js'
import { documentName, serverUrl, showStatus } from '../page.js'

const doc = new Y.Doc()
const text = doc.getText('text')
const provider = new InkwireProvider(serverUrl, documentName, doc)
showStatus(provider)

const access = new Compartment()
// The binding's undo, by keys and by the browser's command, doesn't ask whether one may.
const writing = keymap.of(yUndoManagerKeymap)
const reading = [
  EditorState.readOnly.of(true),
  EditorView.editable.of(false),
  EditorView.domEventHandlers({ beforeinput: () => true }),
]
const view = new EditorView({
  parent: byId('editor', HTMLElement),
  doc: text.toString(),
  extensions: [
    lineNumbers(),
    EditorView.lineWrapping,
    access.of([]),
    keymap.of(defaultKeymap),
    yCollab(text, provider.awareness),
  ],
})
followAccess(provider, (mayWrite) => {
  view.dispatch({ effects: access.reconfigure(mayWrite ? writing : reading) })
})
