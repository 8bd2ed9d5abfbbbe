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
 * a component that goes away must not take with it what was just typed. When the provider begins anew (event
 * `reset`), the new document takes the old one's place.
 */
export class OpenDocument {
  /** Kept when all that the server holds is here, or when it refused for good. */
  readonly settled: Promise<void>
  readonly #patience: Patience
  readonly #onEnd: () => void
  readonly #users = new Set<() => void>()
  #state: LiveDocument
  #closed: Closed | null = null
  #whoLeft: { readonly user?: unknown } = {}
  #expired = false
  #ended = false
  #timer: ReturnType<typeof setTimeout>
  #settle = (): void => {}

  /** @param onEnd called when the document was destroyed, by this or by the app */
  constructor(provider: InkwireProvider, patience: Patience, onEnd: () => void) {
    this.#patience = patience
    this.#onEnd = onEnd
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#state = this.#read(provider)
    this.#follow(provider)
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
    const { awareness } = this.#state.provider
    // Children set the user before their parent uses the document: without a state, that would be lost.
    if (awareness.getLocalState() === null) awareness.setLocalState({ ...this.#whoLeft })
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
    const { awareness } = this.#state.provider
    const { user } = awareness.getLocalState() ?? {}
    this.#whoLeft = user === undefined ? {} : { user }
    awareness.setLocalState(null)
    this.#endIfSaved()
  }

  #endIfSaved(): void {
    const { saveState, shouldConnect } = this.#state.provider
    const { pending, rejected, supported } = saveState
    const hopeful = pending > rejected && supported !== false && shouldConnect
    if (!this.#expired || hopeful || this.#ended) return
    this.#ended = true
    this.#state.doc.destroy()
  }

  #follow(provider: InkwireProvider): void {
    const changed = (): void => {
      // A provider that was replaced may still tell something at its end.
      if (this.#state.provider === provider) this.#changed(provider)
    }
    for (const event of ['status', 'synced', 'access', 'save'] as const) provider.on(event, changed)
    provider.on('closed', (closed) => {
      this.#closed = closed
      changed()
    })
    provider.on('reset', ({ provider: next }) => {
      this.#follow(next)
      this.#changed(next)
    })
    provider.doc.once('destroy', () => {
      if (this.#state.provider !== provider) return
      clearTimeout(this.#timer)
      this.#onEnd()
    })
  }

  #changed(provider: InkwireProvider): void {
    const before = this.#state
    const now = this.#read(provider)
    if (now.closed || now.synced) this.#settle()
    const keys = Object.keys(now) as (keyof LiveDocument)[]
    if (keys.some((key) => now[key] !== before[key])) {
      this.#state = now
      for (const user of [...this.#users]) user()
    }
    this.#endIfSaved()
  }

  #read(provider: InkwireProvider): LiveDocument {
    const { doc, wsconnected, wsconnecting, synced, access, shouldConnect } = provider
    if (shouldConnect) this.#closed = null
    const status = wsconnected ? 'connected' : wsconnecting ? 'connecting' : 'disconnected'
    return { doc, provider, status, synced, access, closed: this.#closed }
  }
}
