import { LexicalCollaboration } from '@lexical/react/LexicalCollaborationContext'
import { CollaborationPlugin } from '@lexical/react/LexicalCollaborationPlugin'
import { LexicalComposer } from '@lexical/react/LexicalComposer'
import { useLexicalComposerContext } from '@lexical/react/LexicalComposerContext'
import { ContentEditable } from '@lexical/react/LexicalContentEditable'
import { LexicalErrorBoundary } from '@lexical/react/LexicalErrorBoundary'
import { RichTextPlugin } from '@lexical/react/LexicalRichTextPlugin'
import type { Provider } from '@lexical/yjs'
import { useCallback } from 'react'
import { createRoot } from 'react-dom/client'
import * as Y from 'yjs'
import { followAccess } from '../../../access/index.js'
import { InkwireProvider } from '../../../index.js'
import { colorsOf } from '../../../presence/index.js'
import { byId } from '../../dom.js'
import { documentName, serverUrl, showStatus, userName } from '../page.js'

/** An empty paragraph as Lexical stores it. By `shouldBootstrap` and `editorState` everybody would bring one. */
const initialContent = (doc: Y.Doc): void => {
  const paragraph = new Y.XmlText()
  paragraph.setAttribute('__type', 'paragraph')
  doc.get('root', Y.XmlText).insertEmbed(0, paragraph)
}

/** Ties the editor that is around it to the document. Lexical connects and disconnects by itself. */
const Together = () => {
  const [editor] = useLexicalComposerContext()
  const open = useCallback(
    (name: string, docs: Map<string, Y.Doc>): Provider => {
      const doc = docs.get(name) ?? new Y.Doc()
      docs.set(name, doc)
      const provider = new InkwireProvider(serverUrl, name, doc, { connect: false, initialContent })
      followAccess(provider, (mayWrite) => editor.setEditable(mayWrite))
      // Not before: Lexical replaces all of the presence when it begins.
      provider.once('synced', () => showStatus(provider))
      // Its type wants an awareness with Lexical's own fields in it, which no provider's has before Lexical sets them.
      return provider as unknown as Provider
    },
    [editor],
  )
  return (
    <CollaborationPlugin
      id={documentName}
      providerFactory={open}
      shouldBootstrap={false}
      username={userName}
      cursorColor={colorsOf(userName).color}
    />
  )
}

createRoot(byId('editor', HTMLElement)).render(
  <LexicalCollaboration>
    <LexicalComposer initialConfig={{ namespace: 'notes', editorState: null, onError: reportError }}>
      <RichTextPlugin contentEditable={<ContentEditable />} ErrorBoundary={LexicalErrorBoundary} />
      <Together />
    </LexicalComposer>
  </LexicalCollaboration>,
)
