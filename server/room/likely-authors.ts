import type { DocumentIndex } from '../update/document-index.js'
import type { Scan } from '../update/scan.js'
import type { StateVector } from '../update/state-vector.js'

/** Ids under which one client may have edits that the server lacks; an honest one has a few, one for each page load. */
const MOST_IDS = 1000
/** A client that hasn't asked within this time isn't going to, ms: y-websocket asks when its socket opens. */
const ASKS_WITHIN_MS = 5000

/**
 * Which stock connections may themselves have made what arrives by another way: over their client's previous
 * connection, whose last bytes come after the new one is there, or by a peer that passes it on. To them such an update
 * would look like the confirmation of an edit (PROTOCOL S4).
 *
 * An author holds its own edits. So it is one who, asking, claimed to hold more under an id than the server had; or one
 * who hasn't asked yet, of whom nothing is known.
 */
export class LikelyAuthors<M> {
  /** Stock members that haven't asked yet, and since when they are here, ms. */
  readonly #unasked = new Map<M, number>()
  /** By client id: who held more under it than the server, and up to which clock. */
  readonly #ahead = new Map<number, Map<M, number>>()
  readonly #idsOf = new Map<M, number[]>()
  readonly #clock: () => number

  /** @param clock milliseconds, monotonic. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  join(member: M): void {
    this.#unasked.set(member, this.#clock())
  }

  /** A member says what it holds (PROTOCOL W3). */
  asked(member: M, holds: StateVector, index: DocumentIndex): void {
    this.leave(member)
    const ids: number[] = []
    for (const [client, clock] of holds) {
      if (clock <= index.clock(client)) continue
      if (ids.length >= MOST_IDS) break
      ids.push(client)
      const ahead = this.#ahead.get(client)
      if (ahead) ahead.set(member, clock)
      else this.#ahead.set(client, new Map([[member, clock]]))
    }
    if (ids.length > 0) this.#idsOf.set(member, ids)
  }

  leave(member: M): void {
    this.#unasked.delete(member)
    for (const client of this.#idsOf.get(member) ?? []) {
      const ahead = this.#ahead.get(client)
      ahead?.delete(member)
      if (ahead?.size === 0) this.#ahead.delete(client)
    }
    this.#idsOf.delete(member)
  }

  /** Who may have made what is in an update; may name one twice. */
  *of({ blocks }: Scan): Generator<M, void, void> {
    for (const [member, since] of this.#unasked) {
      if (this.#clock() - since < ASKS_WITHIN_MS) yield member
      else this.#unasked.delete(member)
    }
    if (this.#ahead.size === 0) return
    for (const { client, clock } of blocks) {
      const ahead = this.#ahead.get(client)
      if (ahead) for (const [member, held] of ahead) if (held > clock) yield member
    }
  }
}
