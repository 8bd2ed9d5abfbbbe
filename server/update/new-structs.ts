import type { DocumentIndex } from './document-index.js'
import { KNOWN_LIMITS } from './limits.js'
import { type Scan, scanUpdate } from './scan.js'
import { Splicer } from './splice.js'

/** Which structs are held. */
type Held = Pick<DocumentIndex, 'holdsPart' | 'missing'>

/**
 * The update without the structs that are held, where a run of them is held in part. Otherwise, and so nearly always, the
 * update itself, down to the byte.
 *
 * A client that gets a struct of which it has the first half takes in the second by what it has of the first. If that is
 * something else, since somebody uses one clock for two things, Yjs throws in the middle of the update, at everybody who
 * is there. A second half that was cut off beforehand is taken in as a struct of its own, whatever comes before it.
 *
 * @example
 *   withNewStructs(scanUpdate(abc), index).blocks // holds "a" already: that of "bc"
 */
export const withNewStructs = (scan: Scan, held: Held): Scan => {
  if (!scan.blocks.some(({ client, clock, end }) => held.holdsPart(client, clock, end))) return scan
  const splicer = new Splicer()
  for (const block of scan.blocks) {
    const missing = held.missing(block.client, block.clock, block.end)
    for (let i = 0; i < missing.length; i += 2) {
      splicer.addPart(scan.bytes, block, missing[i] as number, missing[i + 1] as number)
    }
  }
  return scanUpdate(splicer.build({ deleteSet: scan.bytes.subarray(scan.deletesFrom) }), KNOWN_LIMITS)
}
