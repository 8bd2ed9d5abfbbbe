import { isLong, LongRanges } from './long-ranges.js'
import {
  addRange,
  coversRange,
  coversRanges,
  endOf,
  firstEndingAt,
  meetsRange,
  mergeRanges,
  type Ranges,
  startOf,
} from './ranges.js'

/** Up to this many ranges are added one by one: that costs less than a pass over all that are there. */
const FEW = 16
/** Where many are there, adding one costs about as much as a pass over this many. */
const PASS = 128

/**
 * What is held of one client. A number n is [0, n): so the structs of nearly all clients take no object of their own,
 * and there may be 100,000. One range by itself is never changed, and may be a scan's; of others this has its own
 * array.
 */
type Held = number | Ranges | LongRanges

/** {@link Ranges} for every client. A client that types on costs one changed number. */
export class RangeMap {
  readonly #clients = new Map<number, Held>()
  #size = 0

  get clients(): number {
    return this.#clients.size
  }

  /** Number of ranges, of all clients. */
  get size(): number {
    return this.#size
  }

  /** Adds `[start, end)`; returns whether any of it was new. Constant time where the client's last range ends. */
  add(client: number, start: number, end: number): boolean {
    const held = this.#clients.get(client)
    if (held === undefined) {
      this.#clients.set(client, start === 0 ? end : [start, end])
      this.#size++
      return true
    }
    if (typeof held === 'number' && start <= held) {
      if (end <= held) return false
      this.#clients.set(client, end)
      return true
    }
    const before = sizeOf(held)
    if (held instanceof LongRanges) {
      const added = held.add(start, end)
      this.#size += held.size - before
      return added
    }
    const ranges = ownRanges(held)
    if (!addRange(ranges, start, end)) return false
    this.#size += (ranges.length >> 1) - before
    if (ranges !== held || ranges.length === 2 || isLong(ranges)) this.#clients.set(client, heldOf(ranges))
    return true
  }

  /**
   * Adds ranges of one client (ascending, disjoint); returns whether any of it was new. Don't change them afterwards.
   */
  addAll(client: number, more: Ranges): boolean {
    const held = this.#clients.get(client)
    if (held === undefined) {
      if (more.length === 0) return false
      this.#clients.set(client, more.length > 2 && !isLong(more) ? more.slice() : heldOf(more))
      this.#size += more.length >> 1
      return true
    }
    if (coversAll(held, more)) return false
    const before = sizeOf(held)
    if (more.length <= FEW * 2 || (more.length >> 1) * PASS < before) {
      for (let i = 0; i < more.length; i += 2) this.add(client, more[i] ?? 0, more[i + 1] ?? 0)
      return true
    }
    const merged = heldOf(mergeRanges(flat(held), more))
    this.#clients.set(client, merged)
    this.#size += sizeOf(merged) - before
    return true
  }

  /** Adds all of another map; its arrays stay its own. */
  addMap(other: RangeMap): void {
    for (const [client, held] of other.#clients) this.addAll(client, flat(held))
  }

  /** Whether all of `[start, end)` is held. */
  covers(client: number, start: number, end: number): boolean {
    const held = this.#clients.get(client)
    if (held === undefined) return false
    if (typeof held === 'number') return end <= held
    return held instanceof LongRanges ? held.covers(start, end) : coversRange(held, start, end)
  }

  /** Whether all of `ranges` (ascending, disjoint) is held. */
  coversAll(client: number, ranges: Ranges): boolean {
    const held = this.#clients.get(client)
    return held === undefined ? ranges.length === 0 : coversAll(held, ranges)
  }

  /** Whether any of `[start, end)` is held. */
  meets(client: number, start: number, end: number): boolean {
    const held = this.#clients.get(client)
    if (held === undefined) return false
    if (typeof held === 'number') return start < held
    return held instanceof LongRanges ? held.meets(start, end) : meetsRange(held, start, end)
  }

  /** How far one gets from `clock` without a gap: `clock` itself when it is not held. */
  reach(client: number, clock: number): number {
    const held = this.#clients.get(client)
    return held === undefined ? clock : reach(held, clock)
  }

  /** Whether anything of a client is held. */
  has(client: number): boolean {
    return this.#clients.has(client)
  }

  /** A client's ranges; a view, don't keep it across changes. */
  get(client: number): Ranges {
    const held = this.#clients.get(client)
    return held === undefined ? [] : flat(held)
  }

  /** All clients, in no particular order. */
  ids(): IterableIterator<number> {
    return this.#clients.keys()
  }

  /** Tells of each client how far it is held from its first clock on, 0 if that isn't; in no particular order. */
  forEachReach(tell: (client: number, reach: number) => void): void {
    this.#clients.forEach((held, client) => {
      tell(client, reach(held, 0))
    })
  }

  clone(): RangeMap {
    const clone = new RangeMap()
    clone.addMap(this)
    return clone
  }
}

/** As it is kept: of several ranges the array itself. */
const heldOf = (ranges: Ranges): Held => {
  if (isLong(ranges)) return new LongRanges(ranges)
  return ranges.length === 2 && ranges[0] === 0 ? endOf(ranges, 0) : ranges
}

/** To be changed. */
const ownRanges = (held: number | Ranges): number[] => {
  if (typeof held === 'number') return [0, held]
  return held.length === 2 ? held.slice() : (held as number[])
}

const flat = (held: Held): Ranges => {
  if (typeof held === 'number') return [0, held]
  return held instanceof LongRanges ? held.flat() : held
}

const sizeOf = (held: Held): number => {
  if (typeof held === 'number') return 1
  return held instanceof LongRanges ? held.size : held.length >> 1
}

const coversAll = (held: Held, ranges: Ranges): boolean => {
  if (typeof held === 'number') return (ranges[ranges.length - 1] ?? 0) <= held
  return held instanceof LongRanges ? held.coversAll(ranges) : coversRanges(held, ranges)
}

const reach = (held: Held, clock: number): number => {
  if (typeof held === 'number') return Math.max(held, clock)
  if (held instanceof LongRanges) return held.reach(clock)
  const index = firstEndingAt(held, clock)
  return startOf(held, index) <= clock ? endOf(held, index) : clock
}
