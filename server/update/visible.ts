import { Cursor } from './cursor.js'
import type { DocumentIndex } from './document-index.js'
import { TRUSTED_LIMITS } from './limits.js'
import type { Block, Scan } from './scan.js'
import { skipStruct } from './struct.js'

/** A struct of a client, at `clock`, and what has to be seen before it: `on`'s structs up to `end`. */
interface Hindrance {
  readonly clock: number
  readonly on: number
  readonly end: number
}

/**
 * Which of a document's structs can be seen. A client that gets a struct keeps it aside until it has its author's
 * earlier ones and those it refers to (origin, right origin, parent), and these can be seen themselves: the rule is
 * Yjs's (`integrateStructs` in its `encoding.js`). So to be held isn't to be there (PROTOCOL S5).
 *
 * Nearly always all can be seen, and this holds nothing.
 *
 * @example
 *   visible.add(scan) // B's "b", typed behind A's "a", which was lost
 *   visible.shows(scan) // false
 *   visible.add(scanUpdate(a))
 *   visible.shows(scan) // true
 */
export class Visible {
  readonly #index: DocumentIndex
  /** Of each client, descending by clock: nothing from the last one's on can be seen. */
  readonly #hindered = new Map<number, Hindrance[]>()
  #hindrances = 0

  /** @param index of the document; only this may add to it. */
  constructor(index: DocumentIndex) {
    this.#index = index
  }

  /** References that wait for what they refer to, about 60 bytes each. */
  get hindrances(): number {
    return this.#hindrances
  }

  /** The clock up to which a client's structs can be seen; 0 for an unknown client. */
  clock(client: number): number {
    const held = this.#index.clock(client)
    if (this.#hindrances === 0) return held
    return Math.min(held, this.#hindered.get(client)?.at(-1)?.clock ?? held)
  }

  /** Whether all structs in an update are held, and can be seen. */
  shows({ blocks }: Scan): boolean {
    return blocks.every(({ client, end }) => this.clock(client) >= end)
  }

  /**
   * Whether all structs in an update could be seen if it were taken now. Seldom false though they could: if what they
   * refer to is held, and waits for something in the same update.
   */
  wouldShow({ blocks, needs }: Scan): boolean {
    let client = -1
    let reach = 0
    for (const block of blocks) {
      if (block.client !== client) {
        client = block.client
        reach = this.clock(client)
      }
      if (block.clock > reach) return false
      if (block.end > reach) reach = this.#reach(client, block.end)
    }
    for (const [on, end] of needs) {
      if (this.clock(on) >= end) continue
      const last = blocks.findLast((block) => block.client === on)
      if (!last || this.#reach(on, last.end) < end) return false
    }
    return true
  }

  /** Takes the update into the index. Returns what {@link DocumentIndex.news} would have said before. */
  add(scan: Scan): boolean {
    const found = this.wouldShow(scan) ? null : this.#hindrancesIn(scan)
    const news = this.#index.add(scan)
    if (found) for (const [client, hindrances] of found) this.#hinder(client, hindrances)
    if (this.#hindrances > 0) this.#lift()
    return news
  }

  /** Up to where a client's structs could be seen if they could up to `from`. */
  #reach(client: number, from: number): number {
    const held = this.#index.reach(client, from)
    if (this.#hindrances === 0) return held
    const next = this.#hindered.get(client)?.findLast(({ clock }) => clock >= from)
    return Math.min(held, next?.clock ?? held)
  }

  /** What in an update refers to what can't be seen yet, that in the update itself included: {@link #lift} finds out. */
  #hindrancesIn({ bytes, blocks }: Scan): Map<number, Hindrance[]> {
    const cursor = new Cursor(bytes, 0, TRUSTED_LIMITS.maxDepth)
    const found = new Map<number, Hindrance[]>()
    for (const block of blocks) {
      const hindrances = found.get(block.client)
      if (hindrances) hindrances.push(...this.#hindrancesOf(cursor, block))
      else found.set(block.client, this.#hindrancesOf(cursor, block))
    }
    return found
  }

  #hindrancesOf(cursor: Cursor, { client, clock: first, end: last, from }: Block): Hindrance[] {
    const found: Hindrance[] = []
    /** What its structs up to here need: one that needs no more than those before it isn't a hindrance of its own. */
    const needs = new Map<number, number>()
    let clock = first
    const add = (on: number, at: number): void => {
      if (at < (needs.get(on) ?? this.clock(on))) return
      needs.set(on, at + 1)
      found.push({ clock, on, end: at + 1 })
    }
    cursor.pos = from
    while (clock < last) clock += skipStruct(cursor, cursor.byte(), client, clock, { add })
    return found
  }

  #hinder(client: number, hindrances: readonly Hindrance[]): void {
    if (hindrances.length === 0) return
    const all = [...(this.#hindered.get(client) ?? []), ...hindrances]
    all.sort((one, other) => other.clock - one.clock)
    this.#hindered.set(client, all)
    this.#hindrances += hindrances.length
  }

  /** Lets go of the hindrances whose references can be seen by now. Looks at each client once, and when it got further. */
  #lift(): void {
    /** By the client that they wait for. */
    const waiting = new Map<number, number[]>()
    const clients = [...this.#hindered.keys()]
    for (let client = clients.pop(); client !== undefined; client = clients.pop()) {
      const hindrances = this.#hindered.get(client) ?? []
      const before = hindrances.length
      let next = hindrances.at(-1)
      for (; next && this.clock(next.on) >= next.end; next = hindrances.at(-1)) hindrances.pop()
      this.#hindrances -= before - hindrances.length
      if (!next) this.#hindered.delete(client)
      else if (waiting.get(next.on)?.push(client) === undefined) waiting.set(next.on, [client])
      if (hindrances.length === before) continue
      clients.push(...(waiting.get(client) ?? []))
      waiting.delete(client)
    }
  }
}
