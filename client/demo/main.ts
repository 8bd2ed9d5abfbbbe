import { Code, InkwireError, type SaveState } from '../index.js'
import { DEFAULT_NAME, hashOf, nameInHash } from './address.js'
import type { Connection } from './connection.js'
import { setUpCopyLink } from './copy-link.js'
import { byId, setText } from './dom.js'
import { Identity, lenientStore } from './identity.js'
import { documentName } from './names.js'
import { OpenDocument } from './open-document.js'
import { chooseColor, readOthers } from './people.js'
import { createPeopleView } from './people-view.js'
import { findServer } from './server.js'
import { Shelf } from './shelf.js'
import { createStatusView } from './status-view.js'
import { describe } from './words.js'

const INVITATION =
  'Type here. Open this address in a second window, or send it to somebody, and type together.'
/** How often the status bar is looked over while edits wait: their age is a part of it, ms. */
const REFRESH_MS = 250
/** What a window without a document has saved. */
const NOTHING: SaveState = {
  status: 'unknown',
  supported: null,
  durability: null,
  pending: 0,
  received: 0,
  rejected: 0,
  durable: 0,
  oldestPending: null,
}
const NO_SUCH_NAME: Connection = { state: 'stopped', code: Code.noSuchDocument, reason: '' }

const text = byId('text', HTMLTextAreaElement)
const heading = byId('name', HTMLElement)
const readOnlyTag = byId('read-only', HTMLElement)

const identity = new Identity(
  lenientStore(() => localStorage),
  lenientStore(() => sessionStorage),
  Math.random,
)
const status = createStatusView((remedy) => {
  if (remedy === 'reload') location.reload()
  else shelf.shown?.provider.connect()
})
const people = createPeopleView((typed) => {
  identity.rename(typed)
  introduce()
})

let server = ''
/** What to say while no document is shown. */
let without: Connection = { state: 'connecting' }
let stopShowing = (): void => {}
let refresh: ReturnType<typeof setTimeout> | undefined

const renderStatus = (): void => {
  const document = shelf.shown
  const connection = document?.connection ?? without
  const saves = document?.provider.saveState ?? NOTHING
  const access = document?.provider.access ?? null
  const elsewhere = shelf.unsafeEditsElsewhere
  const refusal = document?.refusal ?? null
  const { onLine: online } = navigator
  status.render(describe({ connection, saves, access, refusal, online, elsewhere, now: Date.now() }))

  readOnlyTag.hidden = access !== 'read'
  text.readOnly = document === null || access === 'read' || connection.state === 'stopped'
  text.placeholder = connection.state === 'live' ? INVITATION : ''
  clearTimeout(refresh)
  if (saves.pending + elsewhere > 0) refresh = setTimeout(renderStatus, REFRESH_MS)
}

const changed = (): void => {
  shelf.tidy()
  renderStatus()
}

const shelf = new Shelf((name) => new OpenDocument(server, name, changed))

const introduce = (): void => {
  shelf.shown?.introduce(identity.user)
  renderPeople()
}

const renderPeople = (): void => {
  const awareness = shelf.shown?.provider.awareness
  const others = awareness ? readOthers(awareness.getStates(), awareness.clientID) : []
  people.render(identity.user, others)
  if (!awareness) return
  const color = chooseColor(identity.user.color, awareness.clientID, others)
  if (color === identity.user.color) return
  identity.recolor(color)
  introduce()
}

/** Shows the document that the address names. */
const follow = (): void => {
  const named = nameInHash(location.hash)
  const name = named ?? DEFAULT_NAME
  // The bare address gets its document's name, too: it is what one sends to others.
  if (named === null) history.replaceState(null, '', hashOf(name))
  if (shelf.shown?.name === name) return
  stopShowing()
  stopShowing = () => {}
  text.value = ''
  setText(heading, name)
  heading.title = name
  document.title = `${name} – Inkwire`
  try {
    const shown = shelf.show(name)
    stopShowing = shown.show(text, renderPeople)
  } catch (error) {
    if (!(error instanceof InkwireError)) throw error
    without = NO_SUCH_NAME
  }
  introduce()
  renderStatus()
}

const start = async (): Promise<void> => {
  introduce()
  setText(heading, nameInHash(location.hash) ?? DEFAULT_NAME)
  server = await findServer(location.href, () => {
    without = { state: 'lost' }
    renderStatus()
  })
  follow()
  addEventListener('hashchange', follow)
}

setUpCopyLink(() => status.announce('Address copied'))
byId('new', HTMLButtonElement).addEventListener('click', () => {
  location.hash = hashOf(documentName(Math.random))
  text.focus()
})
addEventListener('online', renderStatus)
addEventListener('offline', renderStatus)
addEventListener('beforeunload', (event) => {
  const { shown } = shelf
  if ((shown?.unsafeEdits ?? 0) + shelf.unsafeEditsElsewhere > 0) event.preventDefault()
})
void start()
