import { Code } from '../../shared/codes.js'
import type { Counters } from '../observe/counters.js'
import type { Refused } from '../room/member.js'
import type { Transport } from './contract.js'
import { say } from './say.js'

/** Whom to tell. */
export interface RefusedClient {
  /** Speaks `inkwire.1`: gets rejections (PROTOCOL X5). */
  readonly extended: boolean
  close(code: number, reason: string): void
}

/**
 * Tells a client which of its messages were refused, in words that it knows, and no more often than is of use: a client
 * that sends without reading must not fill the server's memory with answers.
 */
export class Refusals {
  readonly #client: RefusedClient
  readonly #transport: Transport
  readonly #counters: Counters
  /** A client without extensions was told that it may not write; once is enough (PROTOCOL A4). */
  #toldReadOnly = false
  /** What it was told about its presence; each thing once. */
  readonly #toldPresence = new Set<string>()

  constructor(client: RefusedClient, transport: Transport, counters: Counters) {
    this.#client = client
    this.#transport = transport
    this.#counters = counters
  }

  /** Update message number `message`; 0 for initial content (PROTOCOL A4, S10, X9). */
  update(message: number, why: Refused): void {
    if (this.#transport.full) {
      // It would have to be told more than it reads.
      this.#client.close(why.code, why.reason)
      return
    }
    this.#counters.reject(why.code)
    if (this.#client.extended) {
      this.#reject(message, why)
    } else if (why.code !== Code.forbidden) {
      deny(this.#transport, why.reason)
      this.#client.close(why.code, why.reason)
    } else if (!this.#toldReadOnly) {
      this.#toldReadOnly = true
      deny(this.#transport, why.reason)
    }
  }

  /** Some of what it says about presence (PROTOCOL S6). */
  presence(why: Refused): void {
    this.#counters.reject(why.code)
    if (!this.#client.extended || this.#toldPresence.has(why.reason)) return
    this.#toldPresence.add(why.reason)
    this.#reject(0, why)
  }

  /** A signal (PROTOCOL X10). */
  signal(why: Refused): void {
    this.#counters.reject(why.code)
    // Who is told more than it reads is told nothing: nobody waits for this.
    if (this.#client.extended && !this.#transport.outlet.congested) this.#reject(0, why)
  }

  #reject(message: number, { code, reason }: Refused): void {
    say(this.#transport, { type: 'rejection', message, code, reason })
  }
}

/** What a client without extensions understands of it (PROTOCOL W6, C3). */
export const deny = (transport: Transport, reason: string): void =>
  say(transport, { type: 'permissionDenied', reason })
