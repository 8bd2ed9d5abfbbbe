import { defaultKeymap } from '@codemirror/commands'
import { Compartment } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import * as Y from 'yjs'
import { InkwireProvider } from '../../../index.js'
import { byId } from '../../dom.js'
import { documentName, serverUrl, showStatus } from '../page.js'

const doc = new Y.Doc()
const text = doc.getText('text')
const provider = new InkwireProvider(serverUrl, documentName, doc)
showStatus(provider)

const editable = new Compartment()
const view = new EditorView({
  parent: byId('editor', HTMLElement),
  doc: text.toString(),
  extensions: [
    lineNumbers(),
    EditorView.lineWrapping,
    keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
    yCollab(text, provider.awareness),
    editable.of([]),
  ],
})
provider.on('access', (access) => {
  view.dispatch({ effects: editable.reconfigure(EditorView.editable.of(access !== 'read')) })
})
