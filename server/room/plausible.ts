import { BadUpdateError } from '../update/bad-update.js'
import type { DocumentIndex } from '../update/document-index.js'
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
  for (const { client, clock, end, from, to } of scan.blocks) {
    if (end - clock - (to - from) > LONGEST_EMPTY_RUN) throw implausible('a run of structs without content')
    if (
      clock > LARGEST_GAP &&
      clock - index.clock(client) > LARGEST_GAP &&
      clock > reach(scan, client, clock)
    ) {
      throw implausible('a jump of clocks')
    }
  }
  for (const { client, ranges } of scan.deletes) {
    const end = ranges[ranges.length - 1] ?? 0
    if (end > LARGEST_GAP && end - Math.max(index.clock(client), last(scan, client)) > LARGEST_GAP) {
      throw implausible('a deletion of what nobody wrote')
    }
  }
}

/** How far the update's own blocks of a client before `clock` reach, with the gap that is allowed. */
const reach = (scan: Scan, client: number, clock: number): number => {
  let end = 0
  for (const block of scan.blocks) if (block.client === client && block.clock < clock) end = block.end
  return end + LARGEST_GAP
}

const last = (scan: Scan, client: number): number => {
  let end = 0
  for (const block of scan.blocks) if (block.client === client) end = block.end
  return end
}

const implausible = (what: string): BadUpdateError =>
  new BadUpdateError('implausible', `${what}, longer than anybody can have made by editing`)
