import { byId, setText } from './dom.js'

const SHOW_DONE_MS = 2_000

/**
 * Makes the button copy the page's address, so that it can be sent to somebody.
 *
 * @param done called when it is in the clipboard
 */
export const setUpCopyLink = (done: () => void): void => {
  const button = byId('copy', HTMLButtonElement)
  const label = button.querySelector('span')
  if (!label) throw new TypeError('the button has no label')
  const idle = label.textContent
  let timer: ReturnType<typeof setTimeout> | undefined

  const say = (text: string, copied: boolean): void => {
    setText(label, text)
    button.classList.toggle('done', copied)
  }

  button.addEventListener('click', async () => {
    try {
      // Missing on pages that came over plain HTTP from another machine.
      await navigator.clipboard.writeText(location.href)
    } catch {
      prompt('Copy this address and send it to somebody:', location.href)
      return
    }
    say('Copied', true)
    done()
    clearTimeout(timer)
    timer = setTimeout(() => say(idle, false), SHOW_DONE_MS)
  })
}
