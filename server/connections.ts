import type { Connection } from './connection.js'
import type { Session } from './session.js'

/**
 * How often silent connections get a sign of life. A client that hears nothing for 30 s gives up (y-websocket); one
 * that was spoken to just after a beat hears of us two beats later, so two must be well below that (PROTOCOL W6).
 */
const BEAT_MS = 7_500

/** One connected client. */
export interface Client {
  readonly id: number
  readonly document: string
  readonly connection: Connection
  readonly session: Session
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
      for (const { connection, session } of this.#clients) {
        session.sendMark()
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
    for (const { session } of [...this.#clients]) session.close(code, reason)
    const cut = setTimeout(() => {
      for (const { connection } of this.#clients) connection.terminate()
    }, graceMs)
    await emptied
    clearTimeout(cut)
  }
}
