import { BadUpdateError } from '../update/bad-update.js'
import type { DocumentIndex } from '../update/document-index.js'
import { endsOf } from '../update/references.js'
import type { Scan } from '../update/scan.js'

/**
 * Clocks that one run may take without a byte for each. What was typed or pasted took bytes once; after it was
 * deleted, a run of any length is a few bytes. Nobody types 2^27 characters.
 */
const LONGEST_EMPTY_RUN = 2 ** 27
/** How far behind what is held a range may begin. Only what got lost on the way lies in between. */
const LARGEST_GAP = 2 ** 27

/**
 * Refuses clocks that nobody can have reached by editing (PROTOCOL S8): they would take an id's clocks up to the end
 * of numbers.
 *
 * @throws BadUpdateError
 */
export const checkPlausible = (scan: Scan, index: DocumentIndex): void => {
  let before = { client: -1, end: 0 }
  for (const block of scan.blocks) {
    const { client, clock, end, from, to } = block
    if (end - clock - (to - from) > LONGEST_EMPTY_RUN) throw implausible('a run of structs without content')
    // Up to where the update's own structs of the client reach: its blocks follow each other.
    const reach = before.client === client ? before.end : 0
    if (clock > LARGEST_GAP && clock - index.clock(client) > LARGEST_GAP && clock - reach > LARGEST_GAP) {
      throw implausible('a jump of clocks')
    }
    before = block
  }
  let ends: ReadonlyMap<number, number> | null = null
  for (const { client, ranges } of scan.deletes) {
    const end = ranges[ranges.length - 1] ?? 0
    if (end <= LARGEST_GAP || end - index.clock(client) <= LARGEST_GAP) continue
    ends ??= endsOf(scan.blocks)
    if (end - (ends.get(client) ?? 0) > LARGEST_GAP) throw implausible('a deletion of what nobody wrote')
  }
}

const implausible = (what: string): BadUpdateError =>
  new BadUpdateError('implausible', `${what}, longer than anybody can have made by editing`)
