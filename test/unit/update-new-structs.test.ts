import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DocumentIndex } from '../../server/update/document-index.js'
import { withNewStructs } from '../../server/update/new-structs.js'
import { scanUpdate } from '../../server/update/scan.js'
import { type ForgedStruct, forge } from '../support/forge.js'
import { contents, pick, randomSession, replica, seeded } from '../support/random-edits.js'
import { edits, setupRoom, taken } from '../support/room.js'

const FIRST_SEED = Number(process.env.INKWIRE_SEED ?? 1)
const SEEDS = Array.from({ length: 20 }, (_, i) => FIRST_SEED + i)

const indexOf = (updates: readonly Uint8Array[]): DocumentIndex => {
  const index = new DocumentIndex()
  for (const update of updates) index.add(scanUpdate(update))
  return index
}

const rangesOf = (update: Uint8Array): number[][] =>
  scanUpdate(update).blocks.map(({ client, clock, end }) => [client, clock, end])

describe('an update without the structs that are held', () => {
  it('is the very same where none is, or whole runs are', () => {
    const [first, second] = edits(1, 2) as [Uint8Array, Uint8Array]
    const scan = scanUpdate(second)
    expect(withNewStructs(scan, indexOf([]))).toBe(scan)
    expect(withNewStructs(scan, indexOf([first]))).toBe(scan)
    const both = scanUpdate(Y.mergeUpdates([first, ...edits(2, 1)]))
    expect(withNewStructs(both, indexOf([first]))).toBe(both)
  })

  it('has what lies before, between and behind them, and all deletions', () => {
    const scan = scanUpdate(forge({ client: 5, structs: [{ text: 'abcdefgh' }], deletes: [[5, 1, 3]] }))
    const held = [
      forge({ client: 5, clock: 1, structs: [{ gc: 2 }] }),
      forge({ client: 5, clock: 5, structs: [{ gc: 1 }] }),
    ]
    const kept = withNewStructs(scan, indexOf(held))
    expect(rangesOf(kept.bytes)).toEqual([
      [5, 0, 1],
      [5, 3, 5],
      [5, 6, 8],
    ])
    expect(kept.deletes).toEqual(scan.deletes)
    expect(scanUpdate(kept.bytes)).toEqual(kept)
  })

  it.each(SEEDS)('is the same to a document that has them: seed %i', (seed) => {
    const random = seeded(seed)
    const { docs, updates } = randomSession(seed, { edits: 80 })
    const doc = pick(random, docs)
    const held = updates.filter((_, i) => i < updates.length * random())
    const all = Y.encodeStateAsUpdate(doc)
    const fresh = withNewStructs(scanUpdate(all), indexOf(held)).bytes
    expect(contents(replica([...held, fresh]))).toEqual(contents(replica([...held, all])))
  })
})

/** What one id may claim to have at the same clocks. */
const struct: fc.Arbitrary<ForgedStruct> = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map((gc) => ({ gc })),
  fc.constantFrom('a', 'bcd', 'efghij').map((text) => ({ text })),
)
const claim = fc.record({
  clock: fc.nat(6),
  structs: fc.array(struct, { minLength: 1, maxLength: 3 }),
  reoffered: fc.boolean(),
})

it('who uses one clock for two things makes nobody’s Yjs throw', () => {
  fc.assert(
    fc.property(fc.array(claim, { minLength: 2, maxLength: 8 }), (claims) => {
      const { room, join, appended } = setupRoom()
      const author = join()
      claims.forEach(({ clock, structs, reoffered }, i) => {
        room.receive(author, i + 1, forge({ client: 5, clock, structs }), { ...taken, reoffered })
      })
      const updates = appended.map(({ update }) => update)
      // Who was there all the time, and who comes now.
      expect(contents(replica(updates))).toEqual(contents(replica([Y.mergeUpdates(updates)])))
    }),
    { numRuns: 500 },
  )
})
