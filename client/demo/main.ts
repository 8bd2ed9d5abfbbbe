import { Code, InkwireError } from '../index.js'
import { Ledger } from '../saves.js'
import { type Address, addressIn, addressOf, DEFAULT_NAME, hashOf, type Kind } from './address.js'
import type { Connection } from './connection.js'
import { byId, setText } from './dom.js'
import { Identity, lenientStore } from './identity.js'
import { forget, namesWithUnsent } from './kept.js'
import { Library, titleOf } from './library.js'
import { createLibraryView } from './library-view.js'
import { documentName } from './names.js'
import { OpenDocument } from './open-document.js'
import { createPaper } from './paper.js'
import { chooseColor, readOthers } from './people.js'
import { createPeopleView } from './people-view.js'
import { findServer, type Server } from './server.js'
import { setUpSharing } from './share-view.js'
import { shareWords } from './share-words.js'
import { Shelf } from './shelf.js'
import { createStatusView } from './status-view.js'
import { describe } from './words.js'

const INVITATION =
  'Type here. Open this address in a second window, or send it to somebody, and type together.'
const NOTHING_YET = 'Nothing has been written here yet.'
/** How often the status bar is looked over while edits wait: their age is a part of it, ms. */
const REFRESH_MS = 250
/** How often is looked whether what is to be removed from the list can be, ms. */
const LEAVING_MS = 1_000
/** How often the list says anew how long ago something was, ms. */
const AGE_MS = 60_000
/** What a window without a document has saved. */
const NOTHING = new Ledger().state()
/** Where a window remembers that it works offline: a reload is no reason to send what was held back. */
const PAUSED = 'inkwire.offline'
const NO_SUCH_NAME: Connection = { state: 'stopped', code: Code.noSuchDocument, reason: '' }

const heading = byId('name', HTMLElement)
const readOnlyTag = byId('read-only', HTMLElement)
const shareButton = byId('open-share', HTMLButtonElement)

const browser = lenientStore(() => localStorage)
const browserWindow = lenientStore(() => sessionStorage)
const identity = new Identity(browser, browserWindow, Math.random)
const library = new Library(browser, Date.now)
let paused = browserWindow.getItem(PAUSED) !== null
const paper = createPaper()
const status = createStatusView(
  (remedy) => {
    switch (remedy) {
      case 'retry':
        return shelf.shown?.provider.connect()
      case 'reload':
        return location.reload()
      case 'discard':
        return void discard()
      default:
        return remedy satisfies never
    }
  },
  (next) => {
    paused = next
    if (paused) browserWindow.setItem(PAUSED, 'yes')
    else browserWindow.removeItem(PAUSED)
    for (const document of shelf.documents) document.pause(paused)
    renderStatus()
  },
  paused,
)
const people = createPeopleView((typed) => {
  identity.rename(typed)
  introduce()
})
const list = createLibraryView(
  {
    rename: (name, typed) => changeLibrary(() => library.rename(name, typed)),
    pin: (name, pinned) => changeLibrary(() => library.pin(name, pinned)),
    remove: (name) => remove(name),
    hasUnsent: async (name) =>
      shelf.hasUnsafeEdits(name) || (await namesWithUnsent(server.url)).includes(name),
  },
  Date.now,
)

let server: Server = { url: '', authorization: null }
let shown: Address = addressOf(DEFAULT_NAME)
/** Whether the document that is shown is in the list as opened now. */
let listed = false
/** Whether some document is to be removed from the list once its edits are sent: looking for one takes time. */
let leaving = false
let removing: Promise<void> | null = null
let nextLook: ReturnType<typeof setTimeout> | undefined
/** What to say while no document is shown. */
let without: Connection = { state: 'connecting' }
let stopShowing = (): void => {}
let refresh: ReturnType<typeof setTimeout> | undefined

/** Removes what was to be removed once its edits are sent, and now they are. */
const removeLeaving = async (): Promise<void> => {
  if (!leaving) return
  removing ??= removeSent().finally(() => {
    removing = null
  })
  await removing
}

const removeSent = async (): Promise<void> => {
  const left = library.entries.filter((entry) => entry.leaving)
  for (const { name } of left) {
    // Another window of this browser may have edits to send as well.
    if (shelf.hasUnsafeEdits(name) || !(await forget(server.url, name))) continue
    if (library.find(name)?.leaving) changeLibrary(() => library.remove(name))
  }
  leaving = library.entries.some((entry) => entry.leaving)
  clearTimeout(nextLook)
  // What another window has sent, nobody tells us; nor when the browser has noted that it is sent.
  if (leaving) nextLook = setTimeout(removeLeaving, LEAVING_MS)
}

/** Removes a document from the list: now, or as soon as no window has edits of it to send. */
const remove = async (name: string): Promise<void> => {
  // Whoever is at it already doesn't know of this one.
  await removing
  library.leave(name)
  // If it is the one that is shown, it doesn't come back by itself.
  if (name === shown.name) listed = true
  leaving = true
  await removeLeaving()
  renderLibrary()
  status.announce(library.find(name) ? 'Goes once its edits are sent' : 'Removed from the list')
}

const renderStatus = (): void => {
  const document = shelf.shown
  const connection = document?.connection ?? without
  const saves = document?.provider.saveState ?? NOTHING
  const access = document?.provider.access ?? null
  const elsewhere = shelf.unsafeEditsElsewhere
  const refusal = document?.refusal ?? null
  const { onLine: online } = navigator
  const { readOnly: readOnlyLink } = shown
  const device = document?.provider.device.status
  const keeps = device === 'stored' || device === 'storing'
  const situation = { connection, saves, access, refusal, keeps, paused, readOnlyLink, online, elsewhere }
  status.render(describe({ ...situation, now: Date.now() }))

  const reading = access === 'read' || readOnlyLink
  readOnlyTag.hidden = !reading
  // A link to nothing is of use to nobody.
  shareButton.hidden = connection.state === 'stopped' && connection.code === Code.noSuchDocument
  paper.update({
    editable: document !== null && !reading && connection.state !== 'stopped',
    placeholder: connection.state !== 'live' ? '' : reading ? NOTHING_YET : INVITATION,
  })
  clearTimeout(refresh)
  if (saves.pending + elsewhere > 0) refresh = setTimeout(renderStatus, REFRESH_MS)
}

const renderLibrary = (): void => {
  list.render(library.entries, shelf.shown?.name ?? null)
  const title = titleOf(library.find(shown.name) ?? { name: shown.name, label: '' })
  setText(heading, title)
  heading.title = shown.name
  document.title = `${title} – Inkwire`
}

const changeLibrary = (change: () => void): void => {
  change()
  renderLibrary()
}

/** Whether the token, if any, was of no use. */
const isRefused = (connection: Connection | undefined): boolean =>
  connection?.state === 'stopped' &&
  (connection.code === Code.unauthenticated || connection.code === Code.forbidden)

/** Something about a document has changed. */
const changed = (): void => {
  shelf.tidy()
  lay()
  const state = shelf.shown?.connection.state
  if (state === 'live' && !listed) enlist()
  if (state === 'live' || isRefused(shelf.shown?.connection)) coverToken()
  renderStatus()
}

/**
 * The server has seen the token: the address need not show it to everybody who looks at the screen. One that let us in
 * is kept by the list; one that didn't is good for nothing but another try in this window.
 */
const coverToken = (): void => {
  if (addressIn(location.hash)?.token) history.replaceState(null, '', hashOf({ ...shown, token: null }))
}

/**
 * Lays the document that is shown on the paper, as plain or as rich text: what it is made of is for its content to say,
 * and an address may be wrong.
 */
const lay = (): void => {
  const document = shelf.shown
  if (!document) return
  const kind = document.kindOr(shown.kind)
  if (kind !== shown.kind) {
    shown = { ...shown, kind }
    listed = false
    history.replaceState(null, '', hashOf({ ...shown, token: addressIn(location.hash)?.token ?? null }))
  }
  paper.show(document, kind)
}

const shelf = new Shelf((name) => {
  const token = shown.token ?? library.find(name)?.token ?? null
  return new OpenDocument(server.url, name, { token, paused }, changed)
})

const askToStay = (event: BeforeUnloadEvent): void => {
  if (shelf.fragileEdits > 0) event.preventDefault()
}

/** Goes on with what the server has: what it refused is given up, and the browser's copy with it. */
const discard = async (): Promise<void> => {
  const document = shelf.shown
  if (!document) return
  removeEventListener('beforeunload', askToStay)
  document.destroy()
  await forget(server.url, document.name, true)
  location.reload()
}

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

/** Puts the document that is shown, and that the server gives, on the list. */
const enlist = (): void => {
  listed = true
  changeLibrary(() => library.opened(shown))
}

/** Shows the document that the address names. */
const follow = (): void => {
  const named = addressIn(location.hash)
  const address = named ?? addressOf(DEFAULT_NAME)
  // The bare address gets its document's name, too: it is what one sends to others.
  if (named === null) history.replaceState(null, '', hashOf(address))
  list.close()
  const first = shelf.shown === null
  const same = shelf.shown?.name === address.name
  shown = address
  listed = false
  if (!same) open()
  shelf.shown?.identify(address.token)
  introduce()
  changed()
  renderLibrary()
  // To the eye the text is another one; to the ear nothing has happened.
  if (shelf.shown && !same && !first) status.announce(`${heading.textContent} is shown`)
}

/** Takes the document of the address from the shelf, in place of the one that was shown. */
const open = (): void => {
  stopShowing()
  stopShowing = () => {}
  paper.clear()
  try {
    const document = shelf.show(shown.name)
    const { awareness } = document.provider
    awareness.on('change', renderPeople)
    stopShowing = () => {
      awareness.off('change', renderPeople)
      document.leave()
    }
  } catch (error) {
    if (!(error instanceof InkwireError)) throw error
    without = NO_SUCH_NAME
  }
}

const create = (kind: Kind): void => {
  const address = addressOf(documentName(Math.random), kind)
  library.opened(address)
  location.hash = hashOf(address)
  // The caret goes where one wants to type, once the page has followed.
  addEventListener('hashchange', () => paper.focus(), { once: true })
}

/** The links to the document that is shown. */
const links = () => {
  const token = shown.token ?? library.find(shown.name)?.token ?? null
  const access = shelf.shown?.provider.access ?? null
  const linkTo = (address: Address): string => new URL(hashOf(address), location.href).href
  return {
    link: linkTo({ ...shown, token }),
    readOnly: shown.readOnly || access === 'read' ? null : linkTo({ ...shown, readOnly: true, token: null }),
    words: shareWords({
      authorization: server.authorization,
      token: token !== null,
      access,
      readOnlyLink: shown.readOnly,
    }),
  }
}

const start = async (): Promise<void> => {
  shown = addressIn(location.hash) ?? shown
  introduce()
  renderLibrary()
  server = await findServer(location.href, () => {
    without = { state: 'lost' }
    renderStatus()
  })
  follow()
  addEventListener('hashchange', follow)
  for (const name of await namesWithUnsent(server.url)) shelf.fetch(name)
  leaving = true
  void removeLeaving()
}

setUpSharing(links, () => status.announce('Link copied'))
byId('new-plain', HTMLButtonElement).addEventListener('click', () => create('plain'))
byId('new-rich', HTMLButtonElement).addEventListener('click', () => create('rich'))
byId('skip', HTMLButtonElement).addEventListener('click', () => paper.focus())
addEventListener('online', renderStatus)
addEventListener('offline', renderStatus)
addEventListener('storage', (event) => {
  if (!Library.concerns(event)) return
  // What another window wants removed may wait for the edits of this one.
  leaving ||= library.entries.some((entry) => entry.leaving)
  void removeLeaving()
  renderLibrary()
})
setInterval(renderLibrary, AGE_MS)
addEventListener('beforeunload', askToStay)
void start()
