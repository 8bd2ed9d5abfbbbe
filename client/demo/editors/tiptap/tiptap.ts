import { Editor } from '@tiptap/core'
import { Collaboration } from '@tiptap/extension-collaboration'
import { CollaborationCaret } from '@tiptap/extension-collaboration-caret'
import { StarterKit } from '@tiptap/starter-kit'
import * as Y from 'yjs'
import { followAccess } from '../../../access/index.js'
import { InkwireProvider } from '../../../index.js'
import { colorsOf } from '../../../presence/index.js'
import { byId } from '../../dom.js'
import { documentName, serverUrl, showStatus, userName } from '../page.js'

const doc = new Y.Doc()
const provider = new InkwireProvider(serverUrl, documentName, doc)
showStatus(provider)

const editor = new Editor({
  element: byId('editor', HTMLElement),
  extensions: [
    // Undo comes with Collaboration: it takes back one's own edits only.
    StarterKit.configure({ undoRedo: false }),
    Collaboration.configure({ document: doc }),
    CollaborationCaret.configure({ provider, user: { name: userName, ...colorsOf(userName) } }),
  ],
})
followAccess(provider, (mayWrite) => editor.setEditable(mayWrite))
