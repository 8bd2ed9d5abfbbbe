import { describe, expect, it } from 'vitest'
import {
  RESTLESS_KINDS,
  type RoundOptions,
  SHARED_KINDS,
  simulatedRound,
} from './convergence-simulated-round.js'

/**
 * Seeds that once found something; what they found has tests of its own, too, since a change of the simulation
 * makes another run of a seed.
 */
const PINNED: readonly number[] = [
  // A compaction that ended before a flush took the flush's updates from the tail.
  37,
  // A generation that was told to a client died with the server before anything was on disk.
  38,
  // What became durable before its flush, and couldn't be sent at once, was left out of the flush as the author's own.
  1204,
  848, 983,
  // An edit's last bytes came over the author's old connection after the new one was there, and so looked confirmed.
  748,
  1084,
  // Who passed on another's edit first had taken its id.
  698, 933,
]

/** The same, where the server dies all the time. */
const PINNED_DYING: readonly number[] = [
  // What went ahead of a sync step 2 (PROTOCOL S7) came back as safe, and built upon the rest of it, which waited.
  29,
  119,
  // It was on the disk, too, and its deletions hid what had been called safe, while what takes its place waited.
  83,
  186, 196, 458,
  // What a stock client typed while it connected did the same before its sync step 2 was there.
  112, 420, 442,
  // Who repeated what waits for something missing was acknowledged at once: there was no news in it.
  185,
]

const FIRST = process.env.INKWIRE_FUZZ_SEED
const ROUNDS = Number(process.env.INKWIRE_FUZZ_ROUNDS ?? (FIRST === undefined ? 25 : 1))
const SEEDS = Array.from({ length: ROUNDS }, (_, i) => Number(FIRST ?? 1) + i)

describe('all converge, whatever is delivered, committed and killed in whatever order', () => {
  const round = async (seed: number, options?: RoundOptions): Promise<void> => {
    try {
      await simulatedRound(seed, options)
    } catch (error) {
      const command = `INKWIRE_FUZZ_SEED=${seed} npx vitest run test/fuzz/convergence-simulated.test.ts`
      process.stderr.write(`to repeat it: ${command}\n`)
      throw error
    }
  }

  it.each(FIRST === undefined ? [...PINNED, ...SEEDS] : SEEDS)('seed %i', (seed) => round(seed))

  it.each(SEEDS)('several on one connection (PROTOCOL X11), seed %i', (seed) =>
    round(seed, { kinds: SHARED_KINDS }),
  )

  it.each(FIRST === undefined ? [...PINNED_DYING, ...SEEDS] : SEEDS)('dying all the time, seed %i', (seed) =>
    round(seed, { kinds: RESTLESS_KINDS, restless: true }),
  )

  let rereads = 0
  it.each(SEEDS)('without memory for snapshots, which are read again each time: seed %i', async (seed) => {
    rereads += (await simulatedRound(seed, { memoryBudget: 0 })).rereads
  })

  it('and they were', () => {
    expect(rereads).toBeGreaterThan(SEEDS.length)
  })

  it('a seed repeats a run exactly', async () => {
    expect(await simulatedRound(1)).toEqual(await simulatedRound(1))
  })
})
