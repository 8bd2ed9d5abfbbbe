import type { LogFields } from '../observe/log.js'
import type { Session } from '../session/session.js'
import type { Connection } from './connection.js'

/**
 * How often silent connections get a sign of life. A client that hears nothing for 30 s gives up (y-websocket); one
 * that was spoken to just after a beat hears of us two beats later, so two must be well below that (PROTOCOL W6).
 */
const BEAT_MS = 7_500

/** What a connection is for: one document (a visit), or several, each on a channel (a trunk, PROTOCOL X11). */
export interface Guest {
  /** One for each document. */
  visits(): Iterable<{ readonly session: Session }>
  start(): void
  /** One message has arrived. */
  receive(payload: Uint8Array): void
  /** The socket's buffer has been emptied. */
  drained(): void
  /** Nothing it sends is taken any more; what was taken is still acknowledged. */
  stopReading(): void
  close(code: number, reason: string): void
  /** The connection is gone. */
  ended(code: number): void
  /** Who that is, for the log. */
  readonly fields: LogFields
}

/** One connected client. */
export interface Client {
  readonly connection: Connection
  readonly guest: Guest
}

/** Everybody who is connected, and the one timer that keeps all of them alive. */
export class Connections {
  readonly #clients = new Set<Client>()
  readonly #timer: NodeJS.Timeout
  #lastPing = 0
  #emptied: (() => void) | null = null

  /** @param heartbeatMs how often each is pinged; who hasn't answered by the next ping is cut off. */
  constructor(heartbeatMs: number, clock: () => number) {
    this.#lastPing = clock()
    const beatMs = Math.min(BEAT_MS, heartbeatMs)
    this.#timer = setInterval(() => {
      // A beat may come a little early; half a beat of tolerance keeps pings at their rhythm.
      const ping = clock() - this.#lastPing >= heartbeatMs - beatMs / 2
      if (ping) this.#lastPing = clock()
      for (const { connection, guest } of this.#clients) {
        for (const { session } of guest.visits()) session.sendMark()
        connection.beat(ping)
      }
    }, beatMs)
  }

  get size(): number {
    return this.#clients.size
  }

  [Symbol.iterator](): IterableIterator<Client> {
    return this.#clients.values()
  }

  add(client: Client): void {
    this.#clients.add(client)
  }

  delete(client: Client): void {
    this.#clients.delete(client)
    if (this.#clients.size === 0) this.#emptied?.()
  }

  /** Closes all with a code, and cuts off those that haven't answered within `graceMs`. */
  async closeAll(code: number, reason: string, graceMs: number): Promise<void> {
    clearInterval(this.#timer)
    if (this.#clients.size === 0) return
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve
    })
    for (const { guest } of [...this.#clients]) guest.close(code, reason)
    const cut = setTimeout(() => {
      for (const { connection } of this.#clients) connection.terminate()
    }, graceMs)
    await emptied
    clearTimeout(cut)
  }
}
