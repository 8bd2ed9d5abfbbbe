import { BlockNoteEditor } from '@blocknote/core'
import * as Y from 'yjs'
import { followAccess } from '../../../access/index.js'
import { InkwireProvider } from '../../../index.js'
import { colorsOf } from '../../../presence/index.js'
import { byId } from '../../dom.js'
import { documentName, serverUrl, showStatus, userName } from '../page.js'

const doc = new Y.Doc()
const provider = new InkwireProvider(serverUrl, documentName, doc)
showStatus(provider)

const { color } = colorsOf(userName)
const editor = BlockNoteEditor.create({
  collaboration: { provider, fragment: doc.getXmlFragment('blocks'), user: { name: userName, color } },
})
editor.mount(byId('editor', HTMLElement))
followAccess(provider, (mayWrite) => {
  editor.isEditable = mayWrite
})
