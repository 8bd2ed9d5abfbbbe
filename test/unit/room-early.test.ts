import { describe, expect, it } from 'vitest'
import { Early } from '../../server/room/early.js'
import { type Scan, scanUpdate } from '../../server/update/scan.js'
import { FakeMember } from '../support/fake-member.js'
import { forge, forgeOfMany } from '../support/forge.js'

const LACK = { client: 1, clock: 1 }
/** Nothing that is missing ever comes. */
const nothingComes = { meets: () => false, lack: () => LACK }

const text = (bytes: number): Scan => scanUpdate(forge({ client: 7, structs: [{ text: 'x'.repeat(bytes) }] }))
const ofMany = (clients: number): Scan =>
  scanUpdate(
    forgeOfMany(Array.from({ length: clients }, (_, i) => ({ client: clients - i, structs: [{ gc: 1 }] }))),
  )

describe('Early (PROTOCOL S5)', () => {
  it.each<[what: string, scan: Scan, most: number]>([
    ['256 updates', text(1), 256],
    ['4 MiB', text(1024 * 1024), 3],
    ['16,384 client ids', ofMany(4096), 4],
  ])('has room for %s, and for as many again when their author has left', (_, scan, most) => {
    const early = new Early(nothingComes)
    const [author, other] = [new FakeMember(true), new FakeMember(true)]
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < most; i++) expect(early.add(author, scan, LACK)).toBe(true)
      expect(early.add(other, scan, LACK)).toBe(false)
      expect(early.takeOf(author)).toHaveLength(most)
    }
  })

  it('keeps bytes of its own', () => {
    const early = new Early(nothingComes)
    const author = new FakeMember(true)
    const update = forge({ client: 7, structs: [{ text: 'kept' }] })
    early.add(author, scanUpdate(update), LACK)
    const before = update.slice()
    update.fill(0)
    expect(early.takeOf(author).map(({ bytes }) => bytes)).toEqual([before])
  })
})
