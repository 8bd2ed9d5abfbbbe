/** kill -9 of a process that writes through the journal: whatever it acknowledged is there. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tempDir } from '../support/temp.js'
import { bundleProcess, Ledger, live } from './journal-harness.js'

/** Rounds of the random loop; the soak runs more. */
const ROUNDS = Number(process.env.INKWIRE_KILL_ROUNDS ?? 8)
const SEED = Number(process.env.INKWIRE_SEED ?? Date.now() % 1_000_000)

/** Every named step of append, compaction, delete and change of generation. */
const POINTS = [
  'append.before',
  'append.after',
  'compact.before',
  'compact.after',
  'leave.before',
  'leave.after',
  'delete.before',
  'delete.after',
  'replace.before',
  'replace.after',
  'purge.before',
  'purge.after',
  'purged.before',
  'purged.after',
]

let script: string
let dispose: () => Promise<void>

beforeAll(async () => {
  ;({ script, dispose } = await bundleProcess())
})

afterAll(() => dispose())

test.each(POINTS)('killed at %s, early and late', async (point) => {
  const directory = await tempDir()
  const ledger = new Ledger()
  for (const hits of [1, 6]) {
    const options = {
      directory,
      documents: 4,
      seed: SEED + hits,
      durability: 'fsync',
      changes: true,
    } as const
    await live(script, { ...options, point, hits }, ledger)
    await ledger.check(directory)
  }
  expect(ledger.acknowledged).toBeGreaterThan(0)
})

test(
  `killed at any moment, ${ROUNDS} times (seed ${SEED})`,
  async () => {
    const directory = await tempDir()
    const ledger = new Ledger()
    for (let round = 0; round < ROUNDS; round++) {
      const seed = SEED + round
      const options = { directory, documents: 6, seed, durability: round % 3 ? 'fsync' : 'os' } as const
      const after = (seed * 7919) % 150
      await live(script, { ...options, changes: round % 2 === 0 }, ledger, (child) => {
        setTimeout(() => child.kill('SIGKILL'), after)
      })
      await ledger.check(directory)
    }
    console.log(`${ROUNDS} kills, ${ledger.acknowledged} updates acknowledged, none lost`)
  },
  60_000 + ROUNDS * 5000,
)
