import { encodeDeleteSet } from './delete-set.js'
import type { DocumentIndex } from './document-index.js'
import { RangeMap } from './range-map.js'
import type { ClientRanges, Scan } from './scan.js'

/** Which deletions are held. */
type Held = Pick<DocumentIndex, 'newDeletes'>

/**
 * The update without the deletions that are held: with each sync step 2 Yjs sends all deletions of the document that it
 * knows of, however little is new. Structs stay as they are, down to the byte; so does an update of which nothing is
 * held.
 *
 * @example
 *   withNewDeletes(scan, index).deletes // without those that are in index
 */
export const withNewDeletes = (scan: Scan, held: Held): Scan => {
  const fresh = new RangeMap()
  const deletes: ClientRanges[] = []
  let repeated = false
  for (const { client, ranges } of scan.deletes) {
    const news = held.newDeletes(client, ranges)
    if (news.length < ranges.length) repeated = true
    if (news.length === 0) continue
    fresh.addAll(client, news)
    deletes.push({ client, ranges: news })
  }
  if (!repeated) return scan
  // Where structs lie doesn't change: the delete set comes behind them.
  const structs = scan.bytes.subarray(0, scan.deletesFrom)
  const deleteSet = encodeDeleteSet(fresh)
  const bytes = new Uint8Array(structs.length + deleteSet.length)
  bytes.set(structs)
  bytes.set(deleteSet, structs.length)
  return { ...scan, bytes, deletes }
}
