import { personName, type Random } from './names.js'
import { cleanName, PALETTE, type User } from './people.js'

/** The part of a browser's `Storage` that is used. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const NAME = 'inkwire.name'
const COLOR = 'inkwire.color'

/**
 * Who sits at this window. A name that was chosen is the browser's, and lasts; one that was made up is the
 * window's, so that two windows side by side are two people.
 */
export class Identity {
  readonly #browser: Store
  readonly #window: Store
  readonly #random: Random
  #user: User

  /** @param browser `localStorage`; @param window `sessionStorage`. */
  constructor(browser: Store, window: Store, random: Random) {
    this.#browser = browser
    this.#window = window
    this.#random = random
    const color = window.getItem(COLOR) ?? PALETTE[Math.floor(random() * PALETTE.length)] ?? PALETTE[0]
    this.#user = { name: cleanName(browser.getItem(NAME) ?? '') || this.#madeUp(), color }
    window.setItem(COLOR, color)
  }

  get user(): User {
    return this.#user
  }

  /** Takes a name as it was typed; an empty one goes back to the made-up one. */
  rename(typed: string): void {
    const chosen = cleanName(typed)
    if (chosen) this.#browser.setItem(NAME, chosen)
    else this.#browser.removeItem(NAME)
    this.#user = { ...this.#user, name: chosen || this.#madeUp() }
  }

  recolor(color: string): void {
    this.#user = { ...this.#user, color }
    this.#window.setItem(COLOR, color)
  }

  #madeUp(): string {
    const name = this.#window.getItem(NAME) ?? personName(this.#random)
    this.#window.setItem(NAME, name)
    return name
  }
}

/**
 * A store that a browser may deny or that may be full; then what it is given lasts as long as the page.
 *
 * @param open gives the browser's, or throws
 */
export const lenientStore = (open: () => Store): Store => {
  const memory = new Map<string, string>()
  const attempt = <T>(action: (store: Store) => T): T | undefined => {
    try {
      return action(open())
    } catch {
      return undefined
    }
  }
  return {
    getItem: (key) => attempt((store) => store.getItem(key)) ?? memory.get(key) ?? null,
    setItem: (key, value) => {
      memory.set(key, value)
      attempt((store) => store.setItem(key, value))
    },
    removeItem: (key) => {
      memory.delete(key)
      attempt((store) => store.removeItem(key))
    },
  }
}
