import { InkwireError } from '../../shared/errors.js'
import { BadUpdateError } from './bad-update.js'
import { Cursor } from './cursor.js'
import { DEFAULT_LIMITS } from './limits.js'
import { uintSize, Writer } from './writer.js'

/** For each client, the clock up to which (exclusive) everything is held. A client that is not listed is at 0. */
export type StateVector = ReadonlyMap<number, number>

/** What is asked of a state vector where only some clients matter. */
export type Clocks = Pick<StateVector, 'get'>

/**
 * Reads the body of a sync step 1 (PROTOCOL W3).
 *
 * @param maxClients refuses more; honest vectors have an entry for each client id that ever wrote.
 * @throws InkwireError INKWIRE_BAD_MESSAGE for anything truncated, trailing, past 2^53 − 1, claiming more
 *   entries than there are bytes, or listing a client twice.
 * @example
 *   decodeStateVector(Uint8Array.of(1, 5, 3)) // Map { 5 => 3 }
 */
export const decodeStateVector = (
  bytes: Uint8Array,
  maxClients = DEFAULT_LIMITS.maxClients,
): Map<number, number> => {
  const vector = new Map<number, number>()
  try {
    const cursor = new Cursor(bytes, 0, 0)
    const count = cursor.count(2)
    if (count > maxClients) throw new BadUpdateError('limit', `more than ${maxClients} clients`)
    for (let i = 0; i < count; i++) vector.set(cursor.uint(), cursor.uint())
    if (cursor.left !== 0) throw new BadUpdateError('trailing', 'bytes left over')
    if (vector.size !== count) throw new BadUpdateError('client-twice', 'a client is listed twice')
  } catch (cause) {
    if (!(cause instanceof BadUpdateError)) throw cause
    throw new InkwireError('INKWIRE_BAD_MESSAGE', `malformed state vector: ${cause.message}`, { cause })
  }
  return vector
}

/** Writes a state vector as Yjs does: clients descending, those at 0 left out. */
export const encodeStateVector = (vector: StateVector): Uint8Array => {
  const clients = sortedClients(vector)
  let size = uintSize(clients.length)
  for (const client of clients) size += uintSize(client) + uintSize(vector.get(client) ?? 0)
  const writer = new Writer(size)
  writer.uint(clients.length)
  for (const client of clients) {
    writer.uint(client)
    writer.uint(vector.get(client) ?? 0)
  }
  return writer.bytes
}

/** The clients of a state vector in the order in which Yjs writes them, without those at 0. */
export const sortedClients = (vector: StateVector): Float64Array => {
  const clients = new Float64Array(vector.size)
  let count = 0
  for (const [client, clock] of vector) if (clock > 0) clients[count++] = client
  return clients.subarray(0, count).sort().reverse()
}

/**
 * Client ids in the order in which Yjs writes them. Numbers by themselves are sorted many times as fast as pairs: a
 * document may have 100,000 clients.
 *
 * @param count of the ids.
 */
export const descending = (ids: Iterable<number>, count: number): Float64Array => {
  const sorted = new Float64Array(count)
  let at = 0
  for (const id of ids) sorted[at++] = id
  return sorted.sort().reverse()
}

/** Whether one who is at `left` lacks nothing that one at `right` has. */
export const coversStateVector = (left: StateVector, right: StateVector): boolean => {
  for (const [client, clock] of right) if ((left.get(client) ?? 0) < clock) return false
  return true
}
