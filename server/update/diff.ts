import type { Scan } from './scan.js'
import { splice } from './splice.js'
import type { StateVector } from './state-vector.js'

/**
 * What one at `since` lacks of a scanned update: `Y.diffUpdate` by bytes, found through the scan's marks instead
 * of by decoding everything before. All deletions are in it, as state vectors don't tell which are known.
 *
 * @param deleteSet an encoded delete set to end with instead of the update's own.
 */
export const diffUpdate = (scan: Scan, since: StateVector, deleteSet?: Uint8Array): Uint8Array =>
  splice([scan], { since, deleteSet: deleteSet ?? scan.bytes.subarray(scan.deletesFrom) })
