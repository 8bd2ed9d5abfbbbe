import Quill from 'quill'
import QuillCursors from 'quill-cursors'
import { QuillBinding } from 'y-quill'
import * as Y from 'yjs'
import { followAccess } from '../../../access/index.js'
import { InkwireProvider } from '../../../index.js'
import { byId } from '../../dom.js'
import { documentName, serverUrl, showStatus } from '../page.js'

const doc = new Y.Doc()
const text = doc.getText('text')
const provider = new InkwireProvider(serverUrl, documentName, doc)
showStatus(provider)

Quill.register('modules/cursors', QuillCursors)
const quill = new Quill(byId('editor', HTMLElement).appendChild(document.createElement('div')), {
  theme: 'snow',
  modules: {
    cursors: true,
    toolbar: [['bold', 'italic'], [{ list: 'ordered' }, { list: 'bullet' }], ['link']],
    // What others write is no step of one's own.
    history: { userOnly: true },
  },
})
new QuillBinding(text, quill, provider.awareness)
followAccess(provider, (mayWrite) => quill.enable(mayWrite))
