import type { JournalState } from './journal/journal.js'

/**
 * Where a server listens.
 *
 * @example
 *   const { url } = await server.listen()
 */
export interface Address {
  readonly host: string
  readonly port: number
  /** For people and browsers: `http://127.0.0.1:1234`. */
  readonly url: string
}

/**
 * What a server tells the app around it.
 *
 * @example
 *   const stop = server.on('storage', ({ status }) => console.log(`the store is ${status}`))
 */
export interface ServerEvents {
  /** It accepts connections. */
  readonly listening: Address
  /** A client connected to a document. `connection` is unique within the server. */
  readonly connect: { readonly connection: number; readonly document: string }
  /** That client's connection has ended, with this close code. */
  readonly disconnect: { readonly connection: number; readonly document: string; readonly code: number }
  /** A document was loaded for its first client. */
  readonly open: { readonly document: string; readonly generation: string }
  /** A document has left memory. */
  readonly unload: { readonly document: string }
  /** The store's state has changed: `failing` means that edits are received and relayed, but not saved. */
  readonly storage: JournalState
}

/** Listeners by event name. Small, typed, and `on` returns its own undo. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()

  /**
   * Calls `listener` at each `name` until the returned function is called. What a listener throws goes to whoever
   * caused the event.
   */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    return () => void listeners.delete(listener)
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as (event: Events[Name]) => void)(event)
  }
}
