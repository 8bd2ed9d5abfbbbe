import { describe, it } from 'vitest'
import { convergenceRound } from './convergence-round.js'

/**
 * Seeds that once found something. A seed repeats what is done, not to the millisecond when; what depends on the
 * order alone is found, and repeated exactly, by convergence-simulated.test.ts.
 */
const PINNED: readonly number[] = []

const FIRST = process.env.INKWIRE_FUZZ_SEED
const ROUNDS = Number(process.env.INKWIRE_FUZZ_ROUNDS ?? (FIRST === undefined ? 3 : 1))
const SEEDS = Array.from({ length: ROUNDS }, (_, i) => Number(FIRST ?? 1) + i)

describe('all converge, over a bad network and a server that dies', () => {
  it.each(FIRST === undefined ? [...PINNED, ...SEEDS] : SEEDS)(
    'seed %i',
    async (seed) => {
      try {
        await convergenceRound(seed)
      } catch (error) {
        console.error(`to repeat it: INKWIRE_FUZZ_SEED=${seed} npx vitest run test/fuzz/convergence.test.ts`)
        throw error
      }
    },
    120_000,
  )
})
