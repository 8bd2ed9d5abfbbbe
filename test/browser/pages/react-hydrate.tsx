/** A page that a server rendered: imported in Node it is the component, in a browser it comes alive. */
import { StrictMode, Suspense } from 'react'
import { hydrateRoot } from 'react-dom/client'
import {
  useDocument,
  usePresence,
  useSaveState,
  useSyncedDocument,
  useText,
} from '../../../client/react/index.js'

interface Place {
  readonly server: string
}

const Notes = ({ server }: Place) => {
  const { doc, provider, status } = useDocument(server, 'notes')
  const { status: saved } = useSaveState(provider)
  const { others } = usePresence(provider, { name: 'Ada' })
  const text = useText(doc?.getText('body'))
  return <p id="notes">{`${status}, ${saved}, ${others.length}: ${text}`}</p>
}

const Synced = ({ server }: Place) => {
  const { doc } = useSyncedDocument(server, 'notes')
  return <p id="synced">{useText(doc.getText('body'))}</p>
}

export const App = ({ server }: Place) => (
  <StrictMode>
    <Notes server={server} />
    <Suspense fallback={<p id="synced">…</p>}>
      <Synced server={server} />
    </Suspense>
  </StrictMode>
)

if (typeof document !== 'undefined') {
  const { server = '' } = document.body.dataset
  const root = document.querySelector('main')
  if (root) hydrateRoot(root, <App server={server} />)
}
