import { Cursor } from './cursor.js'
import type { DocumentIndex } from './document-index.js'
import { type Condition, type Hindrance, Hindrances, Queue } from './hindrances.js'
import { TRUSTED_LIMITS } from './limits.js'
import { RangeMap } from './range-map.js'
import { endsOf } from './references.js'
import type { Block, Scan } from './scan.js'
import { skipStruct } from './struct.js'

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
  /** What this tries out something upon. */
  readonly #base: Visible | null
  /** By client: what hinders its structs. In a trial, those that differ from the base's. */
  readonly #hindered = new Map<number, Hindrances>()
  /** By client: who is hindered until it has got further. Each by its first hindrance; or by one that was the first. */
  readonly #queues = new Map<number, Queue>()
  #hindrances = 0

  /**
   * @param held the document's index; only this may add structs to it.
   * @param base for a trial: of what.
   */
  constructor(held: Held, base: Visible | null = null) {
    this.#held = held
    this.#base = base
    this.#hindrances = base?.hindrances ?? 0
  }

  /** References that wait for what they refer to, about 60 bytes each. */
  get hindrances(): number {
    return this.#hindrances
  }

  /** The clock up to which a client's structs can be seen; 0 for an unknown client. */
  clock(client: number): number {
    const held = this.#held.clock(client)
    if (this.#hindrances === 0) return held
    return Math.min(held, this.#of(client)?.first?.at ?? held)
  }

  /** Whether a condition is met. Once it is, it stays so. */
  meets({ client, clock }: Condition): boolean {
    return this.clock(client) >= clock
  }

  /** Whether all structs in an update are held, and can be seen. */
  shows({ blocks }: Scan): boolean {
    return blocks.every(({ client, end }) => this.clock(client) >= end)
  }

  /**
   * What is missing for all structs in an update to be seen, if it were taken now: one thing of it; `null` if nothing.
   */
  lack(scan: Scan): Condition | null {
    const lack = this.#gapIn(scan)
    if (lack === null || this.#hindrances === 0) return lack
    // What they refer to may be held, and wait for something in the same update.
    const trial = this.trial()
    trial.add(scan)
    return trial.hinders(scan)[0] ?? null
  }

  /** Number of clients whose structs in an update can't all be seen. */
  hindered({ blocks }: Scan): number {
    let count = 0
    let counted = -1
    for (const { client, end } of blocks) {
      if (client === counted || this.clock(client) >= end) continue
      count++
      counted = client
    }
    return count
  }

  /** For each client whose structs in an update can't all be seen, the first thing that is missing. */
  hinders({ blocks }: Scan): Condition[] {
    const missing = new Map<number, Condition>()
    for (const { client, clock, end } of blocks) {
      if (this.clock(client) >= end || missing.has(client)) continue
      missing.set(client, this.#of(client)?.first ?? { client, clock })
    }
    return [...missing.values()]
  }

  /** Takes the update in. Returns what {@link DocumentIndex.news} would have said before. */
  add(scan: Scan): boolean {
    const found = this.#gapIn(scan) === null ? null : this.#hindrancesIn(scan)
    const news = this.#held.add(scan)
    if (found) for (const [client, hindrances] of found) this.#hinder(client, hindrances)
    if (this.#hindrances > 0) this.#lift(scan)
    return news
  }

  /** The same to try out what an update would do: what is added to it isn't added to this. Good until this changes. */
  trial(): Visible {
    return new Visible(new Overlay(this.#held), this)
  }

  /**
   * What its structs come after, or refer to, that can't be seen now; what waits may be lifted by the update itself.
   */
  #gapIn({ blocks, needs }: Scan): Condition | null {
    let before: Block | null = null
    let reach = 0
    for (const block of blocks) {
      const { client } = block
      // Only where a client has another block behind a gap: an update may be of 100,000 clients.
      if (before?.client !== client) reach = this.clock(client)
      else if (before.end > reach) reach = this.#reach(client, before.end)
      if (block.clock > reach) return { client, clock: block.clock }
      before = block
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
    return Math.min(held, this.#of(client)?.from(from)?.at ?? held)
  }

  /**
   * What in an update refers to what can't be seen yet, that in the update itself included: {@link #lift} finds out.
   */
  #hindrancesIn({ bytes, blocks }: Scan): Map<number, Hindrance[]> {
    const cursor = new Cursor(bytes, 0, TRUSTED_LIMITS.maxDepth)
    const found = new Map<number, Hindrance[]>()
    /** What a block's structs up to here need: one that needs no more than those before it isn't a hindrance. */
    const needs = new Map<number, number>()
    let author = -1
    let at = 0
    const add = (client: number, clock: number): void => {
      if (clock < (needs.get(client) ?? this.clock(client))) return
      needs.set(client, clock + 1)
      const hindrance = { at, client, clock: clock + 1 }
      const known = found.get(author)
      if (known) known.push(hindrance)
      else found.set(author, [hindrance])
    }
    const references = { add }
    for (const block of blocks) {
      if (needs.size > 0) needs.clear()
      author = block.client
      at = block.clock
      cursor.pos = block.from
      while (at < block.end) at += skipStruct(cursor, cursor.byte(), author, at, references)
    }
    return found
  }

  #hinder(client: number, more: readonly Hindrance[]): void {
    if (more.length === 0) return
    const hindrances = this.#ownOf(client)
    const { first } = hindrances
    hindrances.add(more)
    this.#hindrances += more.length
    if (hindrances.first !== first) this.#enqueue(client, hindrances.first)
  }

  #enqueue(client: number, first: Hindrance | undefined): void {
    if (first) this.#ownQueueFor(first.client).add({ client, clock: first.clock })
  }

  /** Lets go of the hindrances whose references can be seen by now. Looks only at clients that got further. */
  #lift({ blocks }: Scan): void {
    const clients: number[] = []
    for (const { client } of blocks) if (client !== clients.at(-1)) clients.push(client)
    for (let client = clients.pop(); client !== undefined; client = clients.pop()) {
      this.#dropMet(client)
      if (!this.#queueFor(client)) continue
      const queue = this.#ownQueueFor(client)
      const clock = this.clock(client)
      for (let next = queue.take(clock); next !== undefined; next = queue.take(clock)) clients.push(next)
      if (queue.isEmpty && !this.#base) this.#queues.delete(client)
    }
    if (this.#hindrances === 0) this.#queues.clear()
  }

  #dropMet(client: number): void {
    const first = this.#of(client)?.first
    if (first === undefined || !this.meets(first)) return
    const hindrances = this.#ownOf(client)
    let next: Hindrance | undefined = first
    for (; next && this.meets(next); next = hindrances.first) {
      hindrances.drop()
      this.#hindrances--
    }
    if (next) this.#enqueue(client, next)
    else if (!this.#base) this.#hindered.delete(client)
  }

  #of(client: number): Hindrances | undefined {
    return this.#hindered.get(client) ?? (this.#base ? this.#base.#hindered.get(client) : undefined)
  }

  #ownOf(client: number): Hindrances {
    const own = this.#hindered.get(client) ?? this.#of(client)?.copy() ?? new Hindrances()
    this.#hindered.set(client, own)
    return own
  }

  #queueFor(client: number): Queue | undefined {
    return this.#queues.get(client) ?? (this.#base ? this.#base.#queues.get(client) : undefined)
  }

  #ownQueueFor(client: number): Queue {
    const own = this.#queues.get(client) ?? this.#queueFor(client)?.copy() ?? new Queue()
    this.#queues.set(client, own)
    return own
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
