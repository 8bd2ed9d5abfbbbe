import * as Y from 'yjs'
import { InkwireProvider } from '../../../client/index.js'

/** A page with a provider that tests look into: `location.hash` is the server's URL. */
const doc = new Y.Doc()
const provider = new InkwireProvider(location.hash.slice(1), 'doc', doc, { warnBeforeLeaving: true })
provider.awareness.setLocalStateField('user', { name: 'Ada' })

Object.assign(window, { provider, text: doc.getText('t') })
