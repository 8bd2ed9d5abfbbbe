import { byId, setText } from './dom.js'
import { placeWhileOpen } from './popover.js'
import type { SharingWords } from './share-words.js'

const SHOW_DONE_MS = 2_000

/** What there is to send to somebody. */
export interface Links {
  readonly link: string
  /** Null when the link itself lets nobody type. */
  readonly readOnly: string | null
  readonly words: SharingWords
}

/**
 * The panel with the links to the document that is shown.
 *
 * @param links asked each time that the panel opens
 * @param done called when a link is in the clipboard
 */
export const setUpSharing = (links: () => Links, done: () => void): void => {
  const panel = byId('share', HTMLElement)
  const opener = byId('open-share', HTMLButtonElement)
  const guestPart = byId('share-read-only', HTMLElement)
  const [linkField, guestField] = [byId('link', HTMLInputElement), byId('guest-link', HTMLInputElement)]

  placeWhileOpen(panel, () => opener)
  panel.addEventListener('beforetoggle', ({ newState }) => {
    if (newState !== 'open') return
    const { link, readOnly, words } = links()
    linkField.value = link
    guestField.value = readOnly ?? ''
    guestPart.hidden = readOnly === null
    setText(byId('link-words', HTMLElement), words.link)
    setText(byId('guest-words', HTMLElement), words.readOnly)
  })
  for (const [button, field] of [
    [byId('copy', HTMLButtonElement), linkField],
    [byId('copy-guest', HTMLButtonElement), guestField],
  ] as const)
    setUpCopying(button, field, done)
}

const setUpCopying = (button: HTMLButtonElement, field: HTMLInputElement, done: () => void): void => {
  const word = button.querySelector('span')
  if (!word) throw new TypeError('the button has no word')
  const idle = word.textContent
  let timer: ReturnType<typeof setTimeout> | undefined
  field.addEventListener('focus', () => field.select())

  button.addEventListener('click', async () => {
    try {
      // Missing on pages that came over plain HTTP from another machine.
      await navigator.clipboard.writeText(field.value)
    } catch {
      // The link is selected: copying it takes one more key.
      field.focus()
      return
    }
    setText(word, 'Copied')
    button.classList.add('done')
    done()
    clearTimeout(timer)
    timer = setTimeout(() => {
      setText(word, idle)
      button.classList.remove('done')
    }, SHOW_DONE_MS)
  })
}
