import * as Y from 'yjs'
import { InkwireProvider } from '../../../client/index.js'
import { shared } from '../../../client/shared/index.js'

/** A page with many documents on one connection: `location.hash` is the server's URL. */
const open = (name: string): InkwireProvider =>
  new InkwireProvider(location.hash.slice(1), name, new Y.Doc(), { connection: shared })

const providers = Array.from({ length: 30 }, (_, i) => open(`doc/${i}`))

Object.assign(window, { openDocument: open, providers })
