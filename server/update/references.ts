import type { StateVector } from './state-vector.js'

/** What is told of each struct that another one refers to: as its origin, its right origin, or its parent. */
export interface References {
  /** @param clock of another client's struct. */
  add(client: number, clock: number): void
}

const NONE: StateVector = new Map()

/** Where a client's structs end. */
interface End {
  readonly client: number
  readonly end: number
}

/**
 * The clock after each client's last struct.
 *
 * @param blocks of an update: one client's follow each other, by ascending clock.
 */
export const endsOf = (blocks: readonly End[]): ReadonlyMap<number, number> => {
  const ends = new Map<number, number>()
  for (const { client, end } of blocks) ends.set(client, end)
  return ends
}

/** Collects how much of other clients one must have to see some structs. */
export class Needs implements References {
  #needs: Map<number, number> | null = null
  /** The last one added: neighbours mostly refer to neighbours. */
  #client = -1
  #end = 0

  add(client: number, clock: number): void {
    if (client === this.#client && clock < this.#end) return
    this.#client = client
    this.#end = clock + 1
    this.#needs ??= new Map()
    if ((this.#needs.get(client) ?? 0) <= clock) this.#needs.set(client, clock + 1)
  }

  /**
   * The part of it that is neither in the update itself nor before what the update has of the same client.
   *
   * @param blocks of the update: one client's follow each other, by ascending clock.
   */
  beyond(blocks: readonly End[]): StateVector {
    if (this.#needs === null) return NONE
    if (blocks.length > 1) {
      const ends = endsOf(blocks)
      for (const [client, clock] of this.#needs)
        if (clock <= (ends.get(client) ?? 0)) this.#needs.delete(client)
    }
    return this.#needs.size > 0 ? this.#needs : NONE
  }
}
