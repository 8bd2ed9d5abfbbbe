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

it('counts the clients whose structs in an update can’t all be seen, each once', () => {
  const visible = new Visible(new DocumentIndex())
  const scan = scanUpdate(
    forgeOfMany([
      { client: 9, structs: [{ gc: 1 }] },
      { client: 8, structs: [{ gc: 1 }, { skip: 1 }, { gc: 1 }, { skip: 1 }, { gc: 1 }] },
      { client: 7, structs: [{ gc: 1 }, { behind: [3, 4] }, { gc: 1 }] },
      { client: 6, clock: 2, structs: [{ gc: 1 }, { skip: 1 }, { gc: 1 }] },
    ]),
  )
  visible.add(scan)
  expect(visible.hindered(scan)).toBe(3)
  expect(visible.hinders(scan).map(({ client }) => client)).toEqual([8, 3, 6])
  visible.add(scanUpdate(forgeOfMany([{ client: 8, clock: 1, structs: [{ gc: 1 }] }])))
  expect(visible.hindered(scan)).toBe(3)
  visible.add(scanUpdate(forgeOfMany([{ client: 8, clock: 3, structs: [{ gc: 1 }] }])))
  expect(visible.hindered(scan)).toBe(2)
})

it('S5: lacks nothing where what is held fills its gap', () => {
  const visible = new Visible(new DocumentIndex())
  visible.add(scanUpdate(forgeOfMany([{ client: 8, clock: 1, structs: [{ gc: 2 }] }])))
  const around = (skip: number) =>
    scanUpdate(forgeOfMany([{ client: 8, structs: [{ gc: 1 }, { skip }, { gc: 1 }] }]))
  expect(visible.lack(around(2))).toBe(null)
  expect(visible.lack(around(3))).toEqual({ client: 8, clock: 4 })
})

it('S5: each of two clients that refer to the same waits for it', () => {
  const visible = new Visible(new DocumentIndex())
  const structs = [{ behind: [9, 0] as const }]
  const scan = scanUpdate(
    forgeOfMany([
      { client: 8, structs },
      { client: 7, structs },
    ]),
  )
  visible.add(scan)
  expect([visible.hindrances, visible.hindered(scan)]).toEqual([2, 2])
  visible.add(scanUpdate(forgeOfMany([{ client: 9, structs: [{ gc: 1 }] }])))
  expect([visible.hindrances, visible.shows(scan)]).toEqual([0, true])
})

it('costs in proportion to what it lets be seen: 2,000 clients wait, and something else comes', () => {
  const index = new DocumentIndex()
  let asked = 0
  const visible = new Visible({
    clock: (client) => {
      asked++
      return index.clock(client)
    },
    reach: (client, from) => index.reach(client, from),
    add: (scan) => index.add(scan),
  })
  const waiting = Array.from({ length: 2000 }, (_, i): ForgedAuthor => {
    return { client: 2000 - i, structs: [{ behind: [9000, i] as const }] }
  })
  visible.add(scanUpdate(forgeOfMany(waiting)))
  expect(visible.hindrances).toBe(2000)
  asked = 0
  visible.add(scanUpdate(forgeOfMany([{ client: 9001, structs: [{ gc: 1 }] }])))
  for (let clock = 0; clock < 5; clock++)
    visible.add(scanUpdate(forgeOfMany([{ client: 9000, clock, structs: [{ gc: 1 }] }])))
  expect(visible.hindrances).toBe(1995)
  // To find out what an update would do takes no more.
  expect(visible.lack(scanUpdate(forgeOfMany([{ client: 9000, clock: 7, structs: [{ gc: 1 }] }])))).not.toBe(
    null,
  )
  expect(asked).toBeLessThan(100)
})
