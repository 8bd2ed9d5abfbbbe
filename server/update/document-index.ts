import { encodeDeleteSet } from './delete-set.js'
import { EncodedVector } from './encoded-vector.js'
import { RangeMap } from './range-map.js'
import { missingRanges, type Ranges, uncoveredRanges } from './ranges.js'
import type { Scan } from './scan.js'
import { encodeStateVector } from './state-vector.js'

/** From this many clients on, the state vector is kept in pieces rather than written anew when it has changed. */
const MANY_CLIENTS = 1000

/**
 * Which structs and deletions a document has, as ranges of clocks: enough to tell news from repetition without
 * a `Y.Doc`. A document of 260,000 edits by a few authors is a few numbers and its delete ranges.
 */
export class DocumentIndex {
  #structs = new RangeMap()
  #deletes = new RangeMap()
  #stateVector: Uint8Array | null = null
  /** The same in pieces, of a document with many clients. */
  #pieces: EncodedVector | null = null
  #deleteSet: Uint8Array | null = null

  /** Whether the update holds any struct or deletion that is not held yet (PROTOCOL S2). */
  news(scan: Scan): boolean {
    for (const block of scan.blocks)
      if (!this.#structs.covers(block.client, block.clock, block.end)) return true
    for (const { client, ranges } of scan.deletes) if (!this.#deletes.coversAll(client, ranges)) return true
    return false
  }

  /**
   * Whether any of its structs come after a gap: their author's earlier ones are neither held nor in the update
   * itself. Whether they refer to something that is missing is another question, for {@link Visible}.
   */
  hasGap(scan: Scan): boolean {
    let client = -1
    let reach = 0
    for (const block of scan.blocks) {
      if (block.client !== client) {
        client = block.client
        reach = this.#structs.reach(client, 0)
      }
      if (block.clock > reach) return true
      if (block.end > reach) reach = this.#structs.reach(client, block.end)
    }
    return false
  }

  /**
   * How many of its delete ranges are about structs neither held nor in the update: those that a client has to
   * keep aside and go through again at every later update. Honest ones are few.
   */
  danglingDeletes(scan: Scan): number {
    let dangling = 0
    let brought: RangeMap | null = null
    for (const { client, ranges } of scan.deletes) {
      if (this.#structs.coversAll(client, ranges)) continue
      brought ??= structsOf(scan)
      for (let i = 0; i < ranges.length; i += 2) {
        const start = ranges[i] ?? 0
        const end = ranges[i + 1] ?? 0
        if (this.#structs.covers(client, start, end) || brought.covers(client, start, end)) continue
        dangling++
      }
    }
    return dangling
  }

  /** Delete ranges that are about structs not held. Looks at all of them. */
  dangling(): number {
    let dangling = 0
    for (const client of this.#deletes.ids()) {
      const ranges = this.#deletes.get(client)
      if (this.#structs.coversAll(client, ranges)) continue
      for (let i = 0; i < ranges.length; i += 2) {
        if (!this.#structs.covers(client, ranges[i] ?? 0, ranges[i + 1] ?? 0)) dangling++
      }
    }
    return dangling
  }

  /** Whether something is missing before any of the structs held. Looks at all clients. */
  incomplete(): boolean {
    if (this.gaps > 0) return true
    let incomplete = false
    this.#structs.forEachReach((_, reach) => {
      if (reach === 0) incomplete = true
    })
    return incomplete
  }

  /** Whether all structs of a client from `start` to `end` are held. */
  holds(client: number, start: number, end: number): boolean {
    return this.#structs.covers(client, start, end)
  }

  /** Whether some of a client's clocks from `start` to `end` are held, and some aren't. */
  holdsPart(client: number, start: number, end: number): boolean {
    return this.#structs.meets(client, start, end) && !this.#structs.covers(client, start, end)
  }

  /** Which of a client's clocks from `start` to `end` aren't held. */
  missing(client: number, start: number, end: number): Ranges {
    return missingRanges(this.#structs.get(client), start, end)
  }

  /** Whether all structs of a client in these ranges (ascending, disjoint) are held. */
  holdsAll(client: number, ranges: Ranges): boolean {
    return this.#structs.coversAll(client, ranges)
  }

  /** Those of these ranges (ascending, disjoint) of a client of which not all is held as deleted, in full. */
  newDeletes(client: number, ranges: Ranges): Ranges {
    return uncoveredRanges(this.#deletes.get(client), ranges)
  }

  /** Takes the update in. Returns what {@link news} would have said before. */
  add(scan: Scan): boolean {
    let structs = false
    for (const block of scan.blocks) {
      if (!this.#structs.add(block.client, block.clock, block.end)) continue
      structs = true
      this.#pieces?.touch(block.client)
    }
    let deletes = false
    for (const { client, ranges } of scan.deletes) if (this.#deletes.addAll(client, ranges)) deletes = true
    if (structs) this.#stateVector = null
    if (deletes) this.#deleteSet = null
    return structs || deletes
  }

  /** The clock up to which a client's structs are held without a gap; 0 for an unknown client. */
  clock(client: number): number {
    return this.#structs.reach(client, 0)
  }

  /** Up to where a client's structs are held from a clock on; that clock itself if it isn't. */
  reach(client: number, from: number): number {
    return this.#structs.reach(client, from)
  }

  /** Tells of each client how far it is held without a gap, 0 if its first struct isn't; in no particular order. */
  forEachClock(tell: (client: number, clock: number) => void): void {
    this.#structs.forEachReach(tell)
  }

  /** What is held without a gap, per client. */
  stateVector(): Map<number, number> {
    const vector = new Map<number, number>()
    this.#structs.forEachReach((client, reach) => {
      if (reach > 0) vector.set(client, reach)
    })
    return vector
  }

  /** {@link stateVector} as bytes for a sync step 1; kept until it changes, so don't change them. */
  encodeStateVector(): Uint8Array {
    this.#stateVector ??=
      this.clients < MANY_CLIENTS ? encodeStateVector(this.stateVector()) : this.#inPieces().encode()
    return this.#stateVector
  }

  /** Whether this is the document's state vector, and long: a short one is read at once. */
  isLongVector(encoded: Uint8Array): boolean {
    return this.clients >= MANY_CLIENTS && Buffer.compare(this.encodeStateVector(), encoded) === 0
  }

  #inPieces(): EncodedVector {
    this.#pieces ??= new EncodedVector({
      clock: (client) => this.clock(client),
      all: () => this.stateVector(),
    })
    return this.#pieces
  }

  /** All deletions as the end of an update; kept until they change, so don't change them. */
  encodeDeleteSet(): Uint8Array {
    this.#deleteSet ??= encodeDeleteSet(this.#deletes)
    return this.#deleteSet
  }

  /** Number of client ids that wrote something: each costs some 150 bytes here. */
  get clients(): number {
    return this.#structs.clients
  }

  /** Whether any struct of a client is held. */
  hasClient(client: number): boolean {
    return this.#structs.has(client)
  }

  /** Number of runs of structs beyond the first of each client: places where something is missing. */
  get gaps(): number {
    return this.#structs.size - this.#structs.clients
  }

  /** Number of delete ranges: a measure of what a sync costs at least. */
  get deleteRanges(): number {
    return this.#deletes.size
  }

  clone(): DocumentIndex {
    const clone = new DocumentIndex()
    clone.#structs = this.#structs.clone()
    clone.#deletes = this.#deletes.clone()
    clone.#stateVector = this.#stateVector
    clone.#deleteSet = this.#deleteSet
    return clone
  }
}

const structsOf = (scan: Scan): RangeMap => {
  const structs = new RangeMap()
  for (const { client, clock, end } of scan.blocks) structs.add(client, clock, end)
  return structs
}
