import type { RangeMap, Ranges } from './ranges.js'
import { uintSize, Writer } from './writer.js'

/** What an update ends with when it deletes nothing. */
export const NO_DELETES: Uint8Array = Uint8Array.of(0)

/** Writes ranges as the delete set that ends a v1 update: clients descending, as Yjs does. */
export const encodeDeleteSet = (deletes: RangeMap): Uint8Array => {
  const clients = [...deletes.entries()].sort((left, right) => right[0] - left[0])
  let size = uintSize(clients.length)
  for (const [client, ranges] of clients) size += uintSize(client) + rangesSize(ranges)
  const writer = new Writer(size)
  writer.uint(clients.length)
  for (const [client, ranges] of clients) {
    writer.uint(client)
    writer.uint(ranges.length >> 1)
    for (let i = 0; i < ranges.length; i += 2) {
      const start = ranges[i] ?? 0
      writer.uint(start)
      writer.uint((ranges[i + 1] ?? 0) - start)
    }
  }
  return writer.bytes
}

const rangesSize = (ranges: Ranges): number => {
  let size = uintSize(ranges.length >> 1)
  for (let i = 0; i < ranges.length; i += 2) {
    const start = ranges[i] ?? 0
    size += uintSize(start) + uintSize((ranges[i + 1] ?? 0) - start)
  }
  return size
}
