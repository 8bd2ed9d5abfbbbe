import { addressOf, hashOf } from './address.js'
import { ago } from './ago.js'
import { byId, create, setText } from './dom.js'
import { type Entry, titleOf } from './library.js'
import { placeWhileOpen } from './popover.js'

/** The list of documents beside the page, or, where there is no room for it, behind a button. */
export interface LibraryView {
  render(entries: readonly Entry[], shown: string | null): void
  /** Puts the list away where it covers the page. */
  close(): void
}

/** What the reader may do with an entry. */
export interface LibraryActions {
  rename(name: string, typed: string): void
  pin(name: string, pinned: boolean): void
  /** Resolves when the list is as it will be for now. */
  remove(name: string): Promise<void>
  /** Whether edits of it must still be sent, by whichever window of this browser. */
  hasUnsent(name: string): Promise<boolean>
}

interface Row {
  readonly item: HTMLElement
  readonly link: HTMLAnchorElement
  readonly title: HTMLElement
  readonly about: HTMLElement
  readonly more: HTMLButtonElement
}

/** From here on the list has a place of its own; the style sheet says the same. */
const WIDE = '(min-width: 64rem)'

export const createLibraryView = (actions: LibraryActions, now: () => number): LibraryView => {
  const panel = byId('library', HTMLElement)
  const list = byId('documents', HTMLUListElement)
  const wide = matchMedia(WIDE)
  const rows = new Map<string, Row>()
  const options = createOptions(actions)

  const settle = (): void => {
    panel.popover = wide.matches ? null : 'auto'
  }
  wide.addEventListener('change', settle)
  settle()

  const rowOf = (name: string): Row => {
    const known = rows.get(name)
    if (known) return known
    const row = createRow()
    row.more.addEventListener('click', () => options.of(name, row.more))
    rows.set(name, row)
    return row
  }

  return {
    close: () => panel.popover && panel.hidePopover(),
    render(entries, shown) {
      const active = document.activeElement
      for (const [name, { item }] of rows)
        if (!entries.some((entry) => entry.name === name)) {
          rows.delete(name)
          item.remove()
        }
      entries.forEach((entry, index) => {
        const row = rowOf(entry.name)
        fill(row, entry, entry.name === shown, now())
        if (list.children[index] !== row.item) list.insertBefore(row.item, list.children[index] ?? null)
      })
      // What moves loses the focus.
      if (active instanceof HTMLElement && active.isConnected && list.contains(active)) active.focus()
      options.update(entries)
    },
  }
}

const createRow = (): Row => {
  const item = create('li', 'entry')
  const link = document.createElement('a')
  const title = create('span', 'entry-title')
  const about = create('span', 'entry-about')
  link.append(create('span', 'kind'), title, about)
  const more = document.createElement('button')
  more.type = 'button'
  more.className = 'more'
  more.popoverTargetElement = byId('entry-options', HTMLElement)
  more.append(create('span', 'dots'))
  item.append(link, more)
  return { item, link, title, about, more }
}

const KINDS = { plain: 'Plain text', rich: 'Rich text' } as const

const fill = ({ item, link, title, about, more }: Row, entry: Entry, shown: boolean, now: number): void => {
  const { name, kind, readOnly, openedAt, pinned, leaving } = entry
  const hash = hashOf({ ...addressOf(name, kind), readOnly })
  if (link.getAttribute('href') !== hash) link.href = hash
  link.title = name
  if (shown) link.ariaCurrent = 'page'
  else link.removeAttribute('aria-current')
  item.dataset.kind = kind
  item.classList.toggle('pinned', pinned)
  setText(title, titleOf(entry))
  const details = [
    ...(pinned ? ['Pinned'] : []),
    KINDS[kind],
    ...(readOnly ? ['read only'] : []),
    leaving ? 'goes once its edits are sent' : shown ? 'open now' : ago(openedAt, now),
  ]
  setText(about, details.join(' · '))
  more.ariaLabel = `Options for ${titleOf(entry)}`
}

const COPY_GOES = 'This browser’s copy goes with it.'
const UNSENT_STAYS = 'Its unsent edits stay until they are sent.'

/** The panel in which an entry is renamed, pinned or taken out. There is one, for the entry that asked for it. */
const createOptions = (actions: LibraryActions) => {
  const panel = byId('entry-options', HTMLElement)
  const field = byId('label', HTMLInputElement)
  const pin = byId('pin', HTMLButtonElement)
  const words = byId('remove-words', HTMLElement)
  let entries: readonly Entry[] = []
  let shown: { readonly name: string; readonly button: HTMLElement } | null = null
  let pinned = false
  /** Null as long as nobody knows. */
  let unsent: boolean | null = null

  const look = async (name: string): Promise<void> => {
    const found = await actions.hasUnsent(name)
    if (shown?.name !== name) return
    unsent = found
    render()
  }

  const render = (): void => {
    const entry = entries.find(({ name }) => name === shown?.name)
    if (!entry) return
    pinned = entry.pinned
    const here = unsent === null ? '' : unsent ? UNSENT_STAYS : COPY_GOES
    setText(words, `${here} On the server the document stays.`.trim())
    setText(pin, pinned ? 'Unpin' : 'Pin to the top')
    field.placeholder = entry.name
    if (document.activeElement !== field) field.value = entry.label
  }

  placeWhileOpen(panel, () => shown?.button ?? null)
  panel.addEventListener('toggle', ({ newState }) => {
    // On a telephone the keyboard would cover the rest.
    if (newState === 'open' && matchMedia('(pointer: fine)').matches) field.select()
  })
  field.addEventListener('input', () => shown && actions.rename(shown.name, field.value))
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return
    // The focus goes back to the button, which the same key press would open the panel with again.
    event.preventDefault()
    panel.hidePopover()
  })
  pin.addEventListener('click', () => shown && actions.pin(shown.name, !pinned))
  byId('remove', HTMLButtonElement).addEventListener('click', async () => {
    panel.hidePopover()
    const name = shown?.name
    shown = null
    if (name !== undefined) await actions.remove(name)
    // The button that had the focus before may be gone.
    byId('documents', HTMLUListElement).querySelector('a')?.focus()
  })

  return {
    of(name: string, button: HTMLElement): void {
      shown = { name, button }
      unsent = null
      render()
      void look(name)
    },
    update(next: readonly Entry[]): void {
      entries = next
      render()
      if (shown && panel.matches(':popover-open')) void look(shown.name)
    },
  }
}
