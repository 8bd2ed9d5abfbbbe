import type { Outlet } from './answer.js'
import type { Member } from './member.js'

const NOWHERE: Outlet = { congested: false, write: () => {}, stream: () => {} }

/**
 * A member of a room that is no client: it brings one update and leaves when that is durable. What the room passes
 * on to it goes nowhere.
 */
export class Importer implements Member {
  readonly extended = true
  readonly user = ''
  readonly mayWrite = true
  readonly outlet = NOWHERE
  readonly saved: Promise<void>
  #resolve: () => void = () => undefined
  #reject: (reason: Error) => void = () => undefined

  /** @param closed makes the error for a room that closes before the update is durable. */
  constructor(readonly closed: (reason: string) => Error) {
    this.saved = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  requestMissing(): void {}
  refuse(): void {}
  goOn(): void {}
  probe(): void {}
  /** It brings nothing more, and leaves when what it has brought is durable. */
  dismiss(): void {}

  acknowledge(): void {
    this.#resolve()
  }

  close(_code: number, reason: string): void {
    this.#reject(this.closed(reason))
  }
}
