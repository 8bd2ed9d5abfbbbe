import type { Closed, Reset } from './options.js'
import type { RecoveryHost } from './recovery.js'

type Provider = Reset['provider']

/**
 * Whether and when a provider's document is given up for another one; how, is `recovery.ts`, which is loaded when it is
 * needed, as few ever do.
 */
export class Replacement {
  /** When this provider took another one's place, ms since 1970; 0: it didn't. */
  since = 0
  /** Whether a successor is coming up, which has the connection now. */
  handedOver = false
  #running: Promise<Provider> | undefined
  readonly #end = new AbortController()
  readonly #old: Provider
  readonly #host: RecoveryHost

  constructor(old: Provider, host: RecoveryHost) {
    this.#old = old
    this.#host = host
  }

  /** By itself, so not too often. What becomes of it is told by events. */
  recover(why: Closed): void {
    this.start(why, this.since).catch(() => {})
  }

  /** @param since when the last one began; 0 for the app's own wish. */
  start(why: Closed, since = 0): Promise<Provider> {
    // One at a time.
    this.#running ??= import('./recovery.js')
      .then(({ replace }) => replace(this.#old, this.#host, why, since, this.#end.signal))
      .finally(() => {
        this.handedOver = false
        this.#running = undefined
      })
    return this.#running
  }

  /** The provider is destroyed: its successor, too, unless that has taken over. */
  end(): void {
    this.#end.abort()
  }
}
