import { expect, it } from 'vitest'
import { DocumentIndex } from '../../server/update/document-index.js'
import { scanUpdate } from '../../server/update/scan.js'
import { Visible } from '../../server/update/visible.js'
import { counted } from '../support/counted.js'
import { type ForgedAuthor, forgeOfMany } from '../support/forge.js'

/** One struct of each of many clients, at a clock. */
const each = (clients: number, clock: number): ForgedAuthor[] =>
  Array.from({ length: clients }, (_, i) => ({ client: clients - i, clock, structs: [{ gc: 1 }] }))

it('costs in proportion to the update: gaps of many clients that it closes and refers beyond', () => {
  const visible = new Visible(new DocumentIndex())
  visible.add(scanUpdate(forgeOfMany(each(2000, 1))))
  const structs = Array.from({ length: 2000 }, (_, i) => ({ behind: [i + 1, 1] as const }))
  const scan = scanUpdate(forgeOfMany([{ client: 9000, structs }, ...each(2000, 0)]))
  const blocks = counted(scan.blocks)
  expect(visible.lack({ ...scan, blocks: blocks.list })).toBe(null)
  expect(blocks.looks()).toBeLessThan(10 * 2000)
})
