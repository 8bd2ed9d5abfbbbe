import { expect, it } from 'vitest'
import { checkPlausible } from '../../server/room/plausible.js'
import { DocumentIndex } from '../../server/update/document-index.js'
import { scanUpdate } from '../../server/update/scan.js'
import { counted } from '../support/counted.js'
import { forgeOfMany } from '../support/forge.js'

const FAR = 2 ** 27

it('costs in proportion to the update: deletions far ahead of many clients', () => {
  const clients = Array.from({ length: 2000 }, (_, i) => 2000 - i)
  const update = forgeOfMany(
    clients.map((client) => ({ client, structs: [{ gc: 10 }] })),
    clients.map((client) => [client, FAR, 1] as const),
  )
  const scan = scanUpdate(update)
  const blocks = counted(scan.blocks)
  checkPlausible({ ...scan, blocks: blocks.list }, new DocumentIndex())
  expect(blocks.looks()).toBeLessThan(10 * clients.length)
})

it('costs in proportion to the update: many gaps far ahead', () => {
  const gaps = Array.from({ length: 900 }, () => [{ skip: 1 }, { gc: 1 }]).flat()
  const update = forgeOfMany([{ client: 1, clock: FAR, structs: [{ gc: 1 }, ...gaps] }])
  const scan = scanUpdate(update)
  const blocks = counted(scan.blocks)
  checkPlausible({ ...scan, blocks: blocks.list }, new DocumentIndex())
  expect(blocks.looks()).toBeLessThan(10 * scan.blocks.length)
})
