import { BadUpdateError } from './bad-update.js'
import { Cursor } from './cursor.js'
import { TRUSTED_LIMITS } from './limits.js'
import { type Block, MARK_EVERY, type Mark, type Scan, scanDeletes, scanUpdate } from './scan.js'
import { uintSize, Writer } from './writer.js'

/** Of what these bytes mean. Those of another version are of no use: the update is scanned then. */
const VERSION = 2

/**
 * What a scan has found out about an update's structs, in about a byte for each 20 of them: whoever stores both needn't
 * scan again. Deletions aren't in it, they are read quickly.
 *
 * @example
 *   scanWithIndex(update, encodeScanIndex(scanUpdate(update))) // the same as scanUpdate(update)
 */
export const encodeScanIndex = ({ bytes, blocks, needs, structs, deletesFrom }: Scan): Uint8Array => {
  const numbers = [
    VERSION,
    bytes.length,
    deletesFrom,
    structs,
    needs.size,
    ...[...needs].flat(),
    blocks.length,
  ]
  for (const { client, clock, end, structs, from, to, marks } of blocks) {
    numbers.push(client, clock, end - clock, structs, from, to - from, marks.length)
    let before = { clock, pos: from }
    for (const mark of marks) {
      numbers.push(mark.clock - before.clock, mark.pos - before.pos)
      before = mark
    }
  }
  const writer = new Writer(numbers.reduce((size, number) => size + uintSize(number), 0))
  for (const number of numbers) writer.uint(number)
  return writer.bytes
}

/**
 * An update of our own making, with what was found out about it when it was made. Without that, or when it isn't about
 * these bytes or of another version, they are scanned.
 *
 * @param index from {@link encodeScanIndex}, stored with the update and as safe from damage as it.
 * @throws BadUpdateError (INKWIRE_BAD_UPDATE)
 */
export const scanWithIndex = (bytes: Uint8Array, index: Uint8Array | undefined): Scan => {
  try {
    const scan = index === undefined ? null : decode(bytes, new Cursor(index, 0, 0))
    if (scan) return scan
  } catch (error) {
    if (!(error instanceof BadUpdateError)) throw error
  }
  return scanUpdate(bytes, TRUSTED_LIMITS)
}

const decode = (bytes: Uint8Array, index: Cursor): Scan | null => {
  if (index.uint() !== VERSION || index.uint() !== bytes.length) return null
  const deletesFrom = index.uint()
  const structs = index.uint()
  const needs = new Map<number, number>()
  for (let left = index.count(2); left > 0; left--) needs.set(index.uint(), index.uint())
  const blocks: Block[] = []
  for (let left = index.count(7); left > 0; left--) blocks.push(block(index))
  const deletes = new Cursor(bytes, deletesFrom, 0)
  const scan = { bytes, blocks, deletes: scanDeletes(deletes, TRUSTED_LIMITS), needs, structs, deletesFrom }
  return index.left === 0 && deletes.left === 0 ? scan : null
}

const block = (index: Cursor): Block => {
  const client = index.uint()
  const clock = index.uint()
  const end = clock + index.uint()
  const structs = index.uint()
  const from = index.uint()
  const to = from + index.uint()
  const marks: Mark[] = []
  let mark: Mark = { clock, pos: from, index: 0 }
  for (let left = index.count(2); left > 0; left--) {
    mark = { clock: mark.clock + index.uint(), pos: mark.pos + index.uint(), index: mark.index + MARK_EVERY }
    marks.push(mark)
  }
  return { client, clock, end, structs, from, to, marks }
}
