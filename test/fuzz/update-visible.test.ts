import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DocumentIndex } from '../../server/update/document-index.js'
import { scanUpdate } from '../../server/update/scan.js'
import { splice } from '../../server/update/splice.js'
import { Visible } from '../../server/update/visible.js'
import { below, randomSession, replica, seeded, shuffled } from '../support/random-edits.js'

const FIRST_SEED = Number(process.env.INKWIRE_SEED ?? 1)
const SEEDS = Array.from({ length: Number(process.env.INKWIRE_ROUNDS ?? 60) }, (_, i) => FIRST_SEED + i)

/** Repeat one with INKWIRE_SEED=n INKWIRE_ROUNDS=1 npx vitest run test/fuzz/update-visible.test.ts */
describe('what can be seen is what Yjs shows, whatever is missing and in whatever order it comes', () => {
  let hindered = 0

  it.each(SEEDS)('seed %i', (seed) => {
    const random = seeded(seed)
    const { updates } = randomSession(seed, { authors: 2 + below(random, 4), edits: 20 + below(random, 60) })
    const lost = shuffled(random, updates).slice(0, below(random, 4))
    const near = (update: Uint8Array): number => updates.indexOf(update) + below(random, 12)
    const arriving = updates
      .filter((update) => !lost.includes(update))
      .map((update) => ({ update, at: near(update) }))
      .sort((one, other) => one.at - other.at)
      .map(({ update }) => update)
    const index = new DocumentIndex()
    const visible = new Visible(index)
    const held: Uint8Array[] = []
    // In pieces of several updates, too, as a sync step 2 brings them.
    for (const update of [...inPieces(random, arriving), ...inPieces(random, shuffled(random, lost))]) {
      const scan = scanUpdate(update)
      const before = new Map(expected(held))
      const would = visible.lack(scan) === null
      visible.add(scan)
      held.push(update)
      const shown = expected(held)
      const shows = scan.blocks.every(({ client, end }) => (shown.get(client) ?? 0) >= end)
      expect(visible.shows(scan)).toBe(shows)
      expect(would).toBe(shows)
      for (const client of index.stateVector().keys())
        expect(visible.clock(client)).toBe(shown.get(client) ?? 0)
      for (const [client, clock] of before) expect(visible.clock(client)).toBeGreaterThanOrEqual(clock)
      hindered = Math.max(hindered, visible.hindrances)
    }
    expect(visible.hindrances).toBe(0)
    expect(visible.clock(12_345)).toBe(0)

    // The same from one piece, as a snapshot is.
    const some = splice(updates.filter((update) => !lost.includes(update)).map((each) => scanUpdate(each)))
    const again = new Visible(new DocumentIndex())
    again.add(scanUpdate(some))
    for (const [client, clock] of expected([some])) expect(again.clock(client)).toBe(clock)
    for (const update of lost) again.add(scanUpdate(update))
    expect(again.hindrances).toBe(0)
  })

  it('and a lot had to wait', () => {
    expect(hindered).toBeGreaterThan(10)
  })
})

/** What a Y.Doc has of everybody. It gets all in one piece: in several, it forgets to look again now and then. */
const expected = (updates: readonly Uint8Array[]): Map<number, number> => {
  const whole = splice(updates.map((update) => scanUpdate(update)))
  return Y.decodeStateVector(Y.encodeStateVector(replica([whole])))
}

const inPieces = (random: () => number, updates: readonly Uint8Array[]): Uint8Array[] => {
  const pieces: Uint8Array[] = []
  for (let from = 0; from < updates.length; ) {
    const to = from + (random() < 0.8 ? 1 : 1 + below(random, 8))
    pieces.push(splice(updates.slice(from, to).map((update) => scanUpdate(update))))
    from = to
  }
  return pieces
}
