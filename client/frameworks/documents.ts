import { Doc } from 'yjs'
import { type InkwireOptions, InkwireProvider } from '../index.js'
import { OpenDocument, type Patience } from './open-document.js'

const PATIENCE: Patience = { lingerMs: 500, unclaimedMs: 30_000 }

/** The documents that components of this page have open: one provider and one socket each, however many use it. */
export class Documents {
  readonly #open = new Map<string, OpenDocument>()
  readonly #patience: Patience

  constructor(patience: Patience = PATIENCE) {
    this.#patience = patience
  }

  /** The document if it is open. */
  get(serverUrl: string, name: string): OpenDocument | undefined {
    return this.#open.get(keyOf(serverUrl, name))
  }

  /**
   * The document, opened if it isn't; `options` count only then.
   *
   * @throws InkwireError INKWIRE_BAD_NAME for a name that no URL can carry
   */
  open(serverUrl: string, name: string, options: InkwireOptions = {}): OpenDocument {
    const found = this.get(serverUrl, name)
    if (found) return found
    const key = keyOf(serverUrl, name)
    const provider = new InkwireProvider(serverUrl, name, new Doc(), options)
    const opened = new OpenDocument(provider, this.#patience, () => this.#open.delete(key))
    this.#open.set(key, opened)
    return opened
  }
}

const keyOf = (serverUrl: string, name: string): string => JSON.stringify([serverUrl, name])

/** Those of this page. */
export const documents = new Documents()
