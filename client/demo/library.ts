import type { Address } from './address.js'
import type { Store } from './identity.js'
import { cleanName } from './people.js'

/** A document that this browser has opened, and what it remembers of it. */
export interface Entry extends Address {
  /** What the reader calls it here; empty: by its name. Nobody else ever sees it. */
  readonly label: string
  /** When it was last opened, milliseconds since 1970. */
  readonly openedAt: number
  readonly pinned: boolean
  /** Whether it was taken off the list while edits had to be sent: then it goes once they are. */
  readonly leaving: boolean
}

const KEY = 'inkwire.documents'
/** More than anybody looks through; of those that aren't pinned, the oldest are forgotten. */
const MOST = 200

/**
 * The documents that this browser has opened. The list is kept here and nowhere else: a server that told its
 * documents' names to everybody would give away what protects most of them.
 *
 * Each operation reads what is stored anew, since other windows write to it too.
 */
export class Library {
  readonly #store: Store
  readonly #now: () => number

  /** @param store `localStorage`; @param now milliseconds since 1970. */
  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Whether a `storage` event is about this list; a key of null means that everything was cleared. */
  static concerns({ key }: { readonly key: string | null }): boolean {
    return key === null || key === KEY
  }

  /** Pinned ones first, then the ones that were opened last. */
  get entries(): readonly Entry[] {
    return this.#read().sort(
      (a, b) => Number(b.pinned) - Number(a.pinned) || b.openedAt - a.openedAt || (a.name < b.name ? -1 : 1),
    )
  }

  find(name: string): Entry | undefined {
    return this.#read().find((entry) => entry.name === name)
  }

  /** Puts a document in, or on top again; label and pin stay, and so does a token that it came with before. */
  opened(address: Address): void {
    const { label = '', pinned = false, token = null } = this.find(address.name) ?? {}
    const entry = {
      ...address,
      token: address.token ?? token,
      label,
      pinned,
      leaving: false,
      openedAt: this.#now(),
    }
    this.#write([entry, ...this.#without(address.name)])
  }

  /** Takes what was typed as a name for it; an empty one goes back to its own. */
  rename(name: string, typed: string): void {
    this.#change(name, { label: cleanName(typed) })
  }

  pin(name: string, pinned: boolean): void {
    this.#change(name, { pinned })
  }

  /** Marks a document as one to be removed once its edits are sent; whoever opens it anew wants it after all. */
  leave(name: string): void {
    this.#change(name, { leaving: true })
  }

  /** Forgets a document, and its token with it. On the server it stays as it is. */
  remove(name: string): void {
    this.#write(this.#without(name))
  }

  #change(name: string, change: Partial<Entry>): void {
    this.#write(this.#read().map((entry) => (entry.name === name ? { ...entry, ...change } : entry)))
  }

  #without(name: string): Entry[] {
    return this.#read().filter((entry) => entry.name !== name)
  }

  #read(): Entry[] {
    try {
      const stored: unknown = JSON.parse(this.#store.getItem(KEY) ?? '[]')
      return Array.isArray(stored) ? stored.flatMap(toEntry) : []
    } catch {
      return []
    }
  }

  #write(entries: readonly Entry[]): void {
    const surplus = [...entries]
      .filter(({ pinned }) => !pinned)
      .sort((a, b) => b.openedAt - a.openedAt)
      .slice(MOST)
    this.#store.setItem(KEY, JSON.stringify(entries.filter((entry) => !surplus.includes(entry))))
  }
}

/** What was stored may be from another version of this page, or anything. */
const toEntry = (stored: unknown): Entry[] => {
  const says = Object(stored) as Readonly<Record<string, unknown>>
  if (typeof says.name !== 'string' || says.name === '') return []
  return [
    {
      name: says.name,
      kind: says.kind === 'rich' ? 'rich' : 'plain',
      readOnly: says.readOnly === true,
      token: typeof says.token === 'string' ? says.token : null,
      label: typeof says.label === 'string' ? cleanName(says.label) : '',
      openedAt: typeof says.openedAt === 'number' ? says.openedAt : 0,
      pinned: says.pinned === true,
      leaving: says.leaving === true,
    },
  ]
}

/** What a document is called in this browser. */
export const titleOf = ({ name, label }: Pick<Entry, 'name' | 'label'>): string => label || name
