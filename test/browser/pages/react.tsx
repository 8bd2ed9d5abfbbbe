/** The page of the React tests: two components on one document, under StrictMode. */
import { StrictMode, Suspense, useCallback, useState } from 'react'
import { createRoot } from 'react-dom/client'
import {
  useDocument,
  usePresence,
  useSaveState,
  useSyncedDocument,
  useText,
} from '../../../client/react/index.js'
import { bindTextarea } from '../../../client/textarea/index.js'

const { hash } = new URL(location.href)
const [server = '', user = ''] = decodeURIComponent(hash.slice(1)).split(' ')

const Editor = ({ name }: { readonly name: string }) => {
  const { doc, provider, status, synced } = useDocument(server, name)
  const text = doc?.getText('body')
  const tie = useCallback(
    (element: HTMLTextAreaElement | null) => {
      if (element && text) return bindTextarea(text, element, { provider: provider ?? undefined }).destroy
      return undefined
    },
    [text, provider],
  )
  return (
    <>
      <textarea ref={tie} />
      <output id="status">{`${status} ${synced}`}</output>
    </>
  )
}

const Beside = ({ name }: { readonly name: string }) => {
  const { doc, provider } = useDocument(server, name)
  const text = useText(doc?.getText('body'))
  const { status, durable } = useSaveState(provider)
  const { others } = usePresence(provider, { name: user })
  return (
    <>
      <output id="text">{text}</output>
      <output id="save">{`${status} ${durable}`}</output>
      <output id="others">{others.map((person) => person.name).join()}</output>
    </>
  )
}

const Later = () => {
  const { doc } = useSyncedDocument(server, 'later')
  return <output id="later">{useText(doc.getText('body')) || 'empty'}</output>
}

const App = () => {
  const [name, setName] = useState('notes')
  const [shown, setShown] = useState(true)
  const [later, setLater] = useState(false)
  Object.assign(window, { setName, setShown, setLater })
  return (
    <>
      {shown && <Editor name={name} />}
      {shown && <Beside name={name} />}
      {later && (
        <Suspense fallback={<output id="fallback">…</output>}>
          <Later />
        </Suspense>
      )}
    </>
  )
}

createRoot(document.body.appendChild(document.createElement('main'))).render(
  <StrictMode>
    <App />
  </StrictMode>,
)

declare global {
  interface Window {
    setName(name: string): void
    setShown(shown: boolean): void
    setLater(later: boolean): void
  }
}
