import { Cursor } from './cursor.js'
import type { DocumentIndex } from './document-index.js'
import { TRUSTED_LIMITS } from './limits.js'
import { RangeMap } from './ranges.js'
import { endsOf } from './references.js'
import type { Block, Scan } from './scan.js'
import { skipStruct } from './struct.js'

/** That a client's structs can be seen up to a clock. */
export interface Condition {
  readonly client: number
  readonly clock: number
}

/** A struct at `at`, and what has to be seen before it. */
interface Hindrance extends Condition {
  readonly at: number
}

/** What is held, as far as this wants to know. */
type Held = Pick<DocumentIndex, 'clock' | 'reach' | 'add'>

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
  readonly #held: Held
  /** Of each client, descending: nothing from the last one's struct on can be seen. */
  readonly #hindered = new Map<number, Hindrance[]>()
  #hindrances = 0

  /** @param held the document's index; only this may add structs to it. */
  constructor(held: Held) {
    this.#held = held
  }

  /** References that wait for what they refer to, about 60 bytes each. */
  get hindrances(): number {
    return this.#hindrances
  }

  /** The clock up to which a client's structs can be seen; 0 for an unknown client. */
  clock(client: number): number {
    const held = this.#held.clock(client)
    if (this.#hindrances === 0) return held
    return Math.min(held, this.#hindered.get(client)?.at(-1)?.at ?? held)
  }

  /** Whether a condition is met. Once it is, it stays so. */
  meets({ client, clock }: Condition): boolean {
    return this.clock(client) >= clock
  }

  /** Whether all structs in an update are held, and can be seen. */
  shows({ blocks }: Scan): boolean {
    return blocks.every(({ client, end }) => this.clock(client) >= end)
  }

  /** What is missing for all structs in an update to be seen, if it were taken now: one thing of it; `null` if nothing. */
  lack(scan: Scan): Condition | null {
    const lack = this.#gapIn(scan)
    if (lack === null || this.#hindrances === 0) return lack
    // What they refer to may be held, and wait for something in the same update.
    const trial = this.trial()
    trial.add(scan)
    return trial.hinders(scan)[0] ?? null
  }

  /** For each client whose structs in an update can't all be seen, the first thing that is missing. */
  hinders({ blocks }: Scan): Condition[] {
    const missing = new Map<number, Condition>()
    for (const { client, clock, end } of blocks) {
      if (this.clock(client) >= end || missing.has(client)) continue
      missing.set(client, this.#hindered.get(client)?.at(-1) ?? { client, clock })
    }
    return [...missing.values()]
  }

  /** Takes the update in. Returns what {@link DocumentIndex.news} would have said before. */
  add(scan: Scan): boolean {
    const found = this.#gapIn(scan) === null ? null : this.#hindrancesIn(scan)
    const news = this.#held.add(scan)
    if (found) for (const [client, hindrances] of found) this.#hinder(client, hindrances)
    if (this.#hindrances > 0) this.#lift()
    return news
  }

  /** The same to try out what an update would do: what is added to it isn't added to this. Good until this changes. */
  trial(): Visible {
    const trial = new Visible(new Overlay(this.#held))
    for (const [client, hindrances] of this.#hindered) trial.#hindered.set(client, [...hindrances])
    trial.#hindrances = this.#hindrances
    return trial
  }

  /** What its structs come after, or refer to, that can't be seen now; what waits may be lifted by the update itself. */
  #gapIn({ blocks, needs }: Scan): Condition | null {
    let client = -1
    let reach = 0
    for (const block of blocks) {
      if (block.client !== client) {
        client = block.client
        reach = this.clock(client)
      }
      if (block.clock > reach) return { client, clock: block.clock }
      if (block.end > reach) reach = this.#reach(client, block.end)
    }
    let ends: ReadonlyMap<number, number> | null = null
    for (const [client, clock] of needs) {
      if (this.clock(client) >= clock) continue
      ends ??= endsOf(blocks)
      const end = ends.get(client)
      if (end === undefined || this.#reach(client, end) < clock) return { client, clock }
    }
    return null
  }

  /** Up to where a client's structs could be seen if they could up to `from`. */
  #reach(client: number, from: number): number {
    const held = this.#held.reach(client, from)
    if (this.#hindrances === 0) return held
    return Math.min(held, this.#hindered.get(client)?.findLast(({ at }) => at >= from)?.at ?? held)
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

  #hindrancesOf(cursor: Cursor, block: Block): Hindrance[] {
    const found: Hindrance[] = []
    /** What its structs up to here need: one that needs no more than those before it isn't a hindrance of its own. */
    const needs = new Map<number, number>()
    let at = block.clock
    const add = (client: number, clock: number): void => {
      if (clock < (needs.get(client) ?? this.clock(client))) return
      needs.set(client, clock + 1)
      found.push({ at, client, clock: clock + 1 })
    }
    cursor.pos = block.from
    while (at < block.end) at += skipStruct(cursor, cursor.byte(), block.client, at, { add })
    return found
  }

  #hinder(client: number, hindrances: readonly Hindrance[]): void {
    if (hindrances.length === 0) return
    const all = [...(this.#hindered.get(client) ?? []), ...hindrances]
    all.sort((one, other) => other.at - one.at)
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
      for (; next && this.meets(next); next = hindrances.at(-1)) hindrances.pop()
      this.#hindrances -= before - hindrances.length
      if (!next) this.#hindered.delete(client)
      else if (waiting.get(next.client)?.push(client) === undefined) waiting.set(next.client, [client])
      if (hindrances.length === before) continue
      clients.push(...(waiting.get(client) ?? []))
      waiting.delete(client)
    }
  }
}

/** What is held, and some more on top of it. */
class Overlay implements Held {
  readonly #below: Held
  readonly #more = new RangeMap()

  constructor(below: Held) {
    this.#below = below
  }

  clock(client: number): number {
    return this.reach(client, this.#below.clock(client))
  }

  reach(client: number, from: number): number {
    let reach = from
    for (;;) {
      const further = this.#below.reach(client, this.#more.reach(client, reach))
      if (further === reach) return reach
      reach = further
    }
  }

  /** Whether there is news in it isn't asked. */
  add({ blocks }: Scan): boolean {
    for (const { client, clock, end } of blocks) this.#more.add(client, clock, end)
    return true
  }
}
