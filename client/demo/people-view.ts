import { byId, create } from './dom.js'
import { initials } from './names.js'
import type { Person, User } from './people.js'
import { placeWhileOpen } from './popover.js'

/** The avatars in the page's head and the list that opens from there. */
export interface PeopleView {
  render(me: User, others: readonly Person[]): void
}

/** More avatars than this become a number; a phone has less room. */
const SHOWN = 4
const SHOWN_ON_PHONE = 2

/** @param rename called with each keystroke in the field for one's own name */
export const createPeopleView = (rename: (typed: string) => void): PeopleView => {
  const others = byId('others', HTMLUListElement)
  const everybody = byId('everybody', HTMLUListElement)
  const me = byId('me', HTMLButtonElement)
  const panel = byId('people', HTMLElement)
  const field = byId('own-name', HTMLInputElement)
  const phone = matchMedia('(max-width: 26rem)')
  let people: readonly Person[] = []
  let rendered = ''

  const renderOthers = (): void => {
    const room = phone.matches ? SHOWN_ON_PHONE : SHOWN
    const hidden = people.length > room ? people.length - room + 1 : 0
    others.replaceChildren(...people.slice(0, people.length - hidden).map(avatarItem))
    if (hidden > 0) others.append(more(hidden))
  }

  phone.addEventListener('change', renderOthers)
  field.addEventListener('input', () => rename(field.value))
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return
    // The focus goes back to the button, which the same key press would open the panel with again.
    event.preventDefault()
    panel.hidePopover()
  })
  placeWhileOpen(panel, () => me)
  panel.addEventListener('toggle', ({ newState }) => {
    if (newState === 'open') field.select()
  })

  return {
    render(user, here) {
      // Presence changes with every keystroke, and a click on a node that was replaced meanwhile is none.
      const next = JSON.stringify([user, here])
      if (next === rendered) return
      rendered = next
      people = here
      renderOthers()
      me.replaceChildren(avatar(initials(user.name), user.color), create('span', 'own', user.name))
      me.ariaLabel = `${user.name} (you). Change your name, see who is here`
      me.title = 'Change your name, see who is here'
      if (document.activeElement !== field) field.value = user.name
      everybody.replaceChildren(
        listItem(`${user.name} (you)`, avatar(initials(user.name), user.color)),
        ...people.map((person) => listItem(person.name, avatar(person.initials, person.color))),
      )
    },
  }
}

/** A picture made of letters, for the eye only: beside it stands the name. */
const avatar = (letters: string, color?: string): HTMLElement => {
  const node = create('span', 'avatar')
  node.ariaHidden = 'true'
  node.dataset.letters = letters
  if (color) node.style.setProperty('--color', color)
  return node
}

const avatarItem = ({ name, initials: letters, color }: Person): HTMLElement => {
  const item = create('li', '')
  item.title = name
  item.append(avatar(letters, color), create('span', 'unseen', name))
  return item
}

const more = (people: number): HTMLElement => {
  const item = create('li', '')
  item.append(avatar(`+${people}`), create('span', 'unseen', `and ${people} more`))
  return item
}

const listItem = (name: string, icon: HTMLElement): HTMLElement => {
  const item = create('li', '')
  item.append(icon, create('span', 'name', name))
  return item
}
