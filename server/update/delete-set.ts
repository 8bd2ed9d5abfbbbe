import { GrowingWriter } from './growing-writer.js'
import type { RangeMap } from './range-map.js'
import { descending } from './state-vector.js'

/** What is needed mostly, bytes: an id of 32 bits and a count; a clock of some thousands and a length. */
const CLIENT_BYTES = 6
const RANGE_BYTES = 4
const LEAST_BYTES = 16

/** Writes ranges as the delete set that ends a v1 update: clients descending, as Yjs does. */
export const encodeDeleteSet = (deletes: RangeMap): Uint8Array => {
  const clients = descending(deletes.ids(), deletes.clients)
  const writer = new GrowingWriter(LEAST_BYTES + deletes.clients * CLIENT_BYTES + deletes.size * RANGE_BYTES)
  writer.uint(clients.length)
  for (const client of clients) {
    const ranges = deletes.get(client)
    writer.uint(client)
    writer.uint(ranges.length >> 1)
    for (let i = 0; i < ranges.length; i += 2) {
      const start = ranges[i] ?? 0
      writer.uint(start)
      writer.uint((ranges[i + 1] ?? 0) - start)
    }
  }
  return writer.written().slice()
}
