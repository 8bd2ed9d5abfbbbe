import type { Scan } from '../update/scan.js'
import type { Member } from './member.js'

/** A document's initial content, on its way to the disk (PROTOCOL X9). */
export interface Seed {
  readonly update: Uint8Array
  readonly scan: Scan
}

/**
 * Initial content is to be there exactly once, also when the server dies. So it is on disk before anybody sees it:
 * whoever saw it would offer it again after a restart, beside what somebody else would bring then. While it is being
 * written, everything that would be answered from the document, or go into it, waits.
 */
export class Seeding {
  #seed: Seed | null = null
  readonly #waiting = new Set<Member>()
  #done: (() => void)[] = []

  /** Whether initial content is on its way. */
  get running(): boolean {
    return this.#seed !== null
  }

  start(seed: Seed): void {
    this.#seed = seed
  }

  /** A member has to wait; it is told to go on. */
  wait(member: Member): void {
    this.#waiting.add(member)
  }

  leave(member: Member): void {
    this.#waiting.delete(member)
  }

  /** Resolves when none is on its way. */
  async settled(): Promise<void> {
    while (this.#seed) {
      await new Promise<void>((resolve) => {
        this.#done.push(resolve)
      })
    }
  }

  /** It is on disk: gives it to be taken, once. */
  take(): Seed | null {
    const seed = this.#seed
    this.#seed = null
    return seed
  }

  /** It was taken: those who waited go on. */
  letGoOn(): void {
    for (const resolve of this.#done.splice(0)) resolve()
    for (const member of this.#waiting) {
      this.#waiting.delete(member)
      member.goOn()
    }
  }
}
