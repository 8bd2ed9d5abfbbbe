import { BadUpdateError } from './bad-update.js'
import { Cursor } from './cursor.js'
import { DEFAULT_LIMITS, type ScanLimits } from './limits.js'
import { Needs } from './references.js'
import type { StateVector } from './state-vector.js'
import { SKIP, SMALLEST_STRUCT, skipStruct } from './struct.js'

/** A run of structs of one client without a gap, and where its bytes lie. */
export interface Block {
  readonly client: number
  /** Clock of its first struct. */
  readonly clock: number
  /** Clock after its last struct. */
  readonly end: number
  /** Number of structs. */
  readonly structs: number
  /** Its structs are `bytes[from, to)`: no count, client or clock before them. */
  readonly from: number
  readonly to: number
  /** Places to start walking from, so that finding a clock takes no walk over all: see {@link MARK_EVERY}. */
  readonly marks: readonly Mark[]
}

/** Where in a block a struct begins. */
export interface Mark {
  readonly clock: number
  readonly pos: number
  /** Structs of the block before it. */
  readonly index: number
}

/** A client's ranges of clocks, flat: start, end, start, end, …; ascending, disjoint, not touching. */
export interface ClientRanges {
  readonly client: number
  readonly ranges: readonly number[]
}

/** What is in an update: the result of checking it. */
export interface Scan {
  readonly bytes: Uint8Array
  /** In the order of the bytes: one client's blocks follow each other, by ascending clock. */
  readonly blocks: readonly Block[]
  readonly deletes: readonly ClientRanges[]
  /**
   * What one must have of other clients to see its structs, beyond what the update itself has of them: up to which
   * clock its structs refer to something (PROTOCOL S5).
   */
  readonly needs: StateVector
  /** Structs in all blocks (Skips don't count). */
  readonly structs: number
  /** The delete set is `bytes[deletesFrom, bytes.length)`. */
  readonly deletesFrom: number
}

/** A mark lies before every 64th struct of a block. */
export const MARK_EVERY = 64

const NO_MARKS: readonly Mark[] = Object.freeze([])
const NO_DELETES: readonly ClientRanges[] = Object.freeze([])

/**
 * Checks a v1 update down to its last byte, in one pass, without building what it describes (PROTOCOL S1):
 * the work and memory it takes are bounded by the bytes that are there, not by the numbers they claim.
 *
 * What passes is read by `Y.applyUpdate` and `Y.decodeUpdate` without an exception, and as the same ranges.
 * The result refers to `bytes`, which must not change afterwards.
 *
 * @throws BadUpdateError (INKWIRE_BAD_UPDATE) with a `reason`.
 * @example
 *   scanUpdate(Uint8Array.of(0, 0)) // nothing in it: blocks [], deletes []
 */
export const scanUpdate = (bytes: Uint8Array, limits: ScanLimits = DEFAULT_LIMITS): Scan => {
  try {
    return scan(bytes, limits)
  } catch (error) {
    if (error instanceof BadUpdateError && error.reason !== 'limit' && isV2(bytes)) {
      throw new BadUpdateError('v2', 'the update is in the v2 encoding, which is not taken')
    }
    throw error
  }
}

const scan = (bytes: Uint8Array, limits: ScanLimits): Scan => {
  const cursor = new Cursor(bytes, 0, limits.maxDepth, limits.known)
  const blocks: Block[] = []
  const needs = new Needs()
  const structs = scanStructs(cursor, limits, blocks, needs)
  const deletesFrom = cursor.pos
  const deletes = scanDeletes(cursor, limits)
  const { left } = cursor
  if (left !== 0) throw new BadUpdateError('trailing', `${left} bytes left over after the update`)
  return { bytes, blocks, deletes, needs: needs.beyond(blocks), structs, deletesFrom }
}

/** Returns the number of structs, Skips not counted. */
const scanStructs = (cursor: Cursor, limits: ScanLimits, blocks: Block[], needs: Needs): number => {
  const clients = cursor.count(3 + SMALLEST_STRUCT)
  if (clients > limits.maxClients) throw tooMany(limits.maxClients, 'clients')
  const once = clients > 1 ? new Once() : null
  let total = 0
  let skips = 0
  for (let i = 0; i < clients; i++) {
    const count = cursor.count(SMALLEST_STRUCT)
    const client = cursor.uint()
    once?.check(client)
    if (count === 0) throw new BadUpdateError('empty', 'a client without structs')
    total += count
    if (total > limits.maxStructs) throw tooMany(limits.maxStructs, 'structs')
    skips += scanClient(cursor, count, client, blocks, needs)
    if (skips > limits.maxGaps) throw tooMany(limits.maxGaps, 'gaps')
  }
  return total - skips
}

/** Reads the structs of one client. Returns how many of them were Skips. */
const scanClient = (cursor: Cursor, count: number, client: number, blocks: Block[], needs: Needs): number => {
  let clock = cursor.uint()
  let start = clock
  let from = cursor.pos
  let index = 0
  let marks: Mark[] | null = null
  let skips = 0
  for (let i = 0; i < count; i++) {
    const pos = cursor.pos
    const info = cursor.byte()
    if (info === SKIP) {
      if (index > 0) blocks.push(blockOf(client, start, clock, index, from, pos, marks))
      clock += cursor.uint()
      if (clock > Number.MAX_SAFE_INTEGER) throw pastTheEnd()
      skips++
      start = clock
      from = cursor.pos
      index = 0
      marks = null
      continue
    }
    if (index > 0 && index % MARK_EVERY === 0) {
      marks ??= []
      marks.push({ clock, pos, index })
    }
    clock += skipStruct(cursor, info, client, clock, needs)
    if (clock > Number.MAX_SAFE_INTEGER) throw pastTheEnd()
    index++
  }
  if (index > 0) blocks.push(blockOf(client, start, clock, index, from, cursor.pos, marks))
  return skips
}

// No closure in scanClient instead: it would be made anew for each of 100,000 clients.
const blockOf = (
  client: number,
  clock: number,
  end: number,
  structs: number,
  from: number,
  to: number,
  marks: readonly Mark[] | null,
): Block => ({ client, clock, end, structs, from, to, marks: marks ?? NO_MARKS })

/** Reads a delete set, to its end. */
export const scanDeletes = (cursor: Cursor, limits: ScanLimits): readonly ClientRanges[] => {
  const clients = cursor.count(2)
  if (clients === 0) return NO_DELETES
  const once = clients > 1 ? new Once() : null
  const deletes: ClientRanges[] = []
  let total = 0
  for (let i = 0; i < clients; i++) {
    const client = cursor.uint()
    once?.check(client)
    const count = cursor.count(2)
    total += Math.max(count, 1)
    if (total > limits.maxDeleteRanges) throw tooMany(limits.maxDeleteRanges, 'delete ranges')
    if (count > 0) deletes.push({ client, ranges: scanRanges(cursor, count) })
  }
  return deletes
}

const scanRanges = (cursor: Cursor, count: number): number[] => {
  let start = cursor.uint()
  let end = start + lengthOfRange(cursor, start)
  // An array that has grown has room for 16 more: for a client with one range, 100 bytes that nobody needs.
  const ranges = [start, end]
  for (let i = 1; i < count; i++) {
    start = cursor.uint()
    if (start < end) throw new BadUpdateError('delete-order', 'delete ranges overlap or are out of order')
    const after = start + lengthOfRange(cursor, start)
    if (start === end) ranges[ranges.length - 1] = after
    else ranges.push(start, after)
    end = after
  }
  return ranges
}

const lengthOfRange = (cursor: Cursor, start: number): number => {
  const length = cursor.uint()
  if (length === 0) throw new BadUpdateError('empty', 'a delete range of length 0')
  if (start + length > Number.MAX_SAFE_INTEGER) throw pastTheEnd()
  return length
}

const tooMany = (limit: number, what: string): BadUpdateError =>
  new BadUpdateError('limit', `more ${what} than the ${limit} that are taken`)

const pastTheEnd = (): BadUpdateError => new BadUpdateError('overflow', 'a clock is past 2^53 - 1')

/**
 * Sees to it that no client comes twice. Present Yjs writes clients in descending order, which takes no memory to
 * check; earlier versions wrote delete sets in any order.
 */
class Once {
  #last = Number.POSITIVE_INFINITY
  #descending: number[] = []
  #seen: Set<number> | null = null

  check(client: number): void {
    if (this.#seen === null && client < this.#last) {
      this.#last = client
      this.#descending.push(client)
      return
    }
    this.#seen ??= new Set(this.#descending)
    if (this.#seen.has(client)) throw new BadUpdateError('client-twice', `client ${client} is listed twice`)
    this.#seen.add(client)
  }
}

/** Whether the bytes have the frame of a v2 update: a 0 and nine length-prefixed columns. */
const isV2 = (bytes: Uint8Array): boolean => {
  if (bytes[0] !== 0 || bytes.length < 11) return false
  const cursor = new Cursor(bytes, 1, 0)
  try {
    for (let column = 0; column < 9; column++) cursor.skip(cursor.uint())
    return true
  } catch {
    return false
  }
}
