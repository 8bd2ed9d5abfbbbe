/**
 * What all editor pages have in common, and what isn't about any editor: which document, who one is, the line below.
 */
import type { InkwireProvider, SaveState } from '../../index.js'
import { createPresence, type Person } from '../../presence/index.js'
import { byId } from '../dom.js'

const query = new URLSearchParams(location.search)

/** Where documents are: the server that sent this page, or `?server=ws://…`. */
export const serverUrl = query.get('server') ?? location.origin.replace(/^http/, 'ws')

/** The editor's document, or the one that the address names: `?document=…`. */
export const documentName = query.get('document') ?? `editors/${document.body.dataset.editor}`

/** `?name=…`, or somebody. */
export const userName = query.get('name') ?? `Guest ${Math.floor(Math.random() * 1_000)}`

/** Fills the line below the editor: where one's edits are, and who else is here. Says who one is. */
export const showStatus = (provider: InkwireProvider): void => {
  const presence = createPresence(provider.awareness)
  presence.setUser({ name: userName })
  const status = byId('status', HTMLElement)
  const others = byId('others', HTMLElement)
  const show = (): void => {
    const { wsconnected, access, saveState } = provider
    if (!wsconnected) status.textContent = 'Connecting…'
    else status.textContent = access === 'read' ? 'Read only' : inWords(saveState)
  }
  const showOthers = (people: readonly Person[]): void => {
    others.replaceChildren(
      ...people.map(({ name, color }) => {
        const item = document.createElement('li')
        item.textContent = name
        item.style.backgroundColor = color
        return item
      }),
    )
  }
  provider.on('save', show)
  provider.on('status', show)
  provider.on('access', show)
  presence.others.subscribe(showOthers)
  show()
  showOthers(presence.others.get())
}

const inWords = ({ status, pending }: SaveState): string => {
  switch (status) {
    case 'saved':
      return 'Safe on the server’s disk'
    case 'received':
      return `${pending} received`
    case 'device':
      return `${pending} on this device`
    case 'rejected':
      return 'The server refused an edit: it is on this device only'
    case 'unknown':
      return 'Connected'
    default:
      return status satisfies never
  }
}
