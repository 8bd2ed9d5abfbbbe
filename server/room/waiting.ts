import type { DocumentIndex } from '../update/document-index.js'
import type { Foreign, Owners } from './owners.js'

/**
 * A message that waits for what others have yet to bring (PROTOCOL S7). It is asked after each update of the document,
 * so it remembers how far it has come: what was there once stays there, and isn't looked at again.
 */
export class Waiting<M> {
  readonly #foreign: readonly Foreign<M>[]
  /** How far it has come: in the list of what it waits for, and in the ranges of that entry. */
  #next = 0
  #range = 0

  /** @param foreign what it waits for. */
  constructor(foreign: readonly Foreign<M>[]) {
    this.#foreign = foreign
  }

  /** Whether all of it has been brought, or can't be expected of its owner any more. */
  isOver(owners: Pick<Owners<M>, 'keeps'>, index: Pick<DocumentIndex, 'holds'>): boolean {
    for (;;) {
      const foreign = this.#foreign[this.#next]
      if (foreign === undefined) return true
      if (owners.keeps(foreign.owner, foreign.client) && !this.#isHeld(foreign, index)) return false
      this.#next++
      this.#range = 0
    }
  }

  #isHeld({ client, ranges }: Foreign<M>, index: Pick<DocumentIndex, 'holds'>): boolean {
    for (; this.#range < ranges.length; this.#range += 2) {
      if (!index.holds(client, ranges[this.#range] ?? 0, ranges[this.#range + 1] ?? 0)) return false
    }
    return true
  }
}
