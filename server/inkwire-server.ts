import type { IncomingMessage, RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Revoked } from './auth/revocations.js'
import type { Documents } from './documents/documents.js'
import type { Address, ServerEvents } from './events.js'
import type { UnsavedReport } from './journal/journal.js'
import type { Readiness } from './readiness.js'

/**
 * A collaborative editing server for Yjs. Several can live in one process; they share nothing.
 *
 * @example
 *   const server = createServer({ port: 0, data: './documents' })
 *   const { url } = await server.listen()
 *   …
 *   const { unsaved } = await server.close()
 */
export interface InkwireServer {
  /**
   * Opens the store and listens.
   *
   * @throws InkwireError INKWIRE_STORE_LOCKED when another process has the data folder open,
   *   INKWIRE_STORE_FAILED when it can't be read or written; INKWIRE_STORE_FORMAT when it, or the list of revoked
   *   users, can't be understood; Node's own error when the address can't be bound.
   */
  listen(): Promise<Address>
  /**
   * Takes an upgrade request of an HTTP server of yours, instead of {@link listen}.
   *
   * @example
   *   http.createServer(app).on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head))
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Health, metrics and the demo, to be called from an HTTP server of yours. */
  readonly requestHandler: RequestListener
  /** Calls `listener` at each such event until the returned function is called. */
  on<Name extends keyof ServerEvents>(name: Name, listener: (event: ServerEvents[Name]) => void): () => void
  /** Whether documents can be opened and saved right now, and why not: what `/readyz` says. */
  readiness(): Readiness
  /** The documents, for the app around the server. */
  readonly documents: Documents
  /**
   * Closes a user's connections with 4403 and refuses the credentials that were issued to them so far; kept over
   * restarts. `inkwire revoke` and the control socket do the same from outside.
   *
   * @returns how many connections were closed, once it is on disk.
   * @throws InkwireError INKWIRE_BAD_OPTION for an empty name; INKWIRE_NOT_SAVED when it holds only until the server
   *   stops.
   * @example
   *   await server.revoke('eve')
   */
  revoke(user: string): Promise<{ readonly closed: number }>
  /** Takes a revocation back: older credentials count again. Returns whether there was one. */
  unrevoke(user: string): Promise<boolean>
  /** Who is revoked, and since when; the latest last. */
  revoked(): Promise<readonly Revoked[]>
  /**
   * Stops: takes nothing new, commits what it has (for at most `shutdownTimeoutMs`), tells clients to come back
   * later (1012) and closes the store. Idempotent.
   *
   * @returns what could not be saved, by document; empty when all went well.
   */
  close(): Promise<UnsavedReport>
}
