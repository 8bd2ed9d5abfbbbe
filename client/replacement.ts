import type { Closed, Reset } from './options.js'
import type { Handover, RecoveryHost } from './recovery.js'

type Provider = Reset['provider']

/**
 * Whether and when a provider's document is given up for another one; how, is `recovery.ts`, which is loaded when it is
 * needed, as few ever do.
 */
export class Replacement implements Handover {
  /** When this provider took another one's place, ms since 1970; 0: it didn't. */
  since = 0
  active = false
  readonly old: Provider
  readonly host: RecoveryHost
  readonly end = new AbortController()
  #running: Promise<Provider> | undefined

  constructor(old: Provider, host: RecoveryHost) {
    this.old = old
    this.host = host
  }

  /** Without being asked by the app, so not too often. The app hears by events what becomes of it. */
  recover(why: Closed): void {
    this.start(why, this.since).catch(() => {})
  }

  /** @param since when the last one began; 0 for the app's own wish. */
  start(why: Closed, since = 0): Promise<Provider> {
    // One at a time.
    this.#running ??= import('./recovery.js')
      .then(({ replace }) => replace(this, why, since))
      .finally(() => {
        this.active = false
        this.#running = undefined
      })
    return this.#running
  }
}
