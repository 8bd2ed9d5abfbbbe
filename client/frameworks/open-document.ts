import type { Doc } from 'yjs'
import type { Closed, InkwireProvider } from '../index.js'
import type { LiveDocument } from './state.js'

/** How long a document that nobody uses stays open, ms. */
export interface Patience {
  /** After its last user has gone: React's StrictMode takes every component away once and brings it back. */
  readonly lingerMs: number
  /** Before its first user has come: a component that waits for the document (Suspense) isn't there yet. */
  readonly unclaimedMs: number
}

/**
 * A document with its provider, for as long as anybody uses it; and until its edits are saved, if there is hope:
 * a component that goes away must not take with it what was just typed.
 */
export class OpenDocument {
  /** Kept when all that the server holds is here, or when it refused for good. */
  readonly settled: Promise<void>
  readonly #provider: InkwireProvider
  readonly #patience: Patience
  readonly #users = new Set<() => void>()
  #state: LiveDocument
  #closed: Closed | null = null
  #expired = false
  #ended = false
  #timer: ReturnType<typeof setTimeout>
  #settle = (): void => {}

  constructor(doc: Doc, provider: InkwireProvider, patience: Patience) {
    this.#provider = provider
    this.#patience = patience
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#state = this.#read(doc)
    const changed = (): void => this.#changed()
    for (const event of ['status', 'synced', 'access', 'save'] as const) provider.on(event, changed)
    provider.on('closed', (closed) => {
      this.#closed = closed
      this.#changed()
    })
    doc.once('destroy', () => clearTimeout(this.#timer))
    this.#timer = setTimeout(this.#expire, patience.unclaimedMs)
  }

  get state(): LiveDocument {
    return this.#state
  }

  /**
   * Uses the document.
   *
   * @param listener called whenever `state` has changed
   * @returns how to stop using it
   */
  use(listener: () => void): () => void {
    clearTimeout(this.#timer)
    this.#expired = false
    const { awareness } = this.#provider
    if (awareness.getLocalState() === null) awareness.setLocalState({})
    const user = (): void => listener()
    this.#users.add(user)
    return () => {
      if (this.#users.delete(user) && this.#users.size === 0)
        this.#timer = setTimeout(this.#expire, this.#patience.lingerMs)
    }
  }

  readonly #expire = (): void => {
    this.#expired = true
    // Whatever has still to be saved, nobody is here.
    this.#provider.awareness.setLocalState(null)
    this.#endIfSaved()
  }

  #endIfSaved(): void {
    const { saveState, shouldConnect } = this.#provider
    const { pending, rejected, supported } = saveState
    const hopeful = pending > rejected && supported !== false && shouldConnect
    if (!this.#expired || hopeful || this.#ended) return
    this.#ended = true
    this.#state.doc.destroy()
  }

  #changed(): void {
    const before = this.#state
    const now = this.#read(before.doc)
    if (now.closed || now.synced) this.#settle()
    const keys = Object.keys(now) as (keyof LiveDocument)[]
    if (keys.some((key) => now[key] !== before[key])) {
      this.#state = now
      for (const user of [...this.#users]) user()
    }
    this.#endIfSaved()
  }

  #read(doc: Doc): LiveDocument {
    const provider = this.#provider
    const { wsconnected, wsconnecting, synced, access, shouldConnect } = provider
    if (shouldConnect) this.#closed = null
    const status = wsconnected ? 'connected' : wsconnecting ? 'connecting' : 'disconnected'
    return { doc, provider, status, synced, access, closed: this.#closed }
  }
}
