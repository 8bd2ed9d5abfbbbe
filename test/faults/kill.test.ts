import { expect, it } from 'vitest'
import { killLoop } from './kill-loop.js'

const SEED = Number(process.env.INKWIRE_KILL_SEED ?? 1)
/** `node test/faults/soak.mjs` asks for hundreds. */
const ROUNDS = Number(process.env.INKWIRE_KILL_ROUNDS ?? 10)

it(
  `no acknowledged edit is missing after kill -9 (${ROUNDS} rounds under load)`,
  async () => {
    const totals = await killLoop({
      seed: SEED,
      rounds: ROUNDS,
      onRound: ({ rounds, acknowledged, lost }) => {
        if (rounds % 50 === 0)
          console.log(`${rounds} rounds, ${acknowledged} edits acknowledged, ${lost.length} lost`)
      },
    })
    const { rounds, made, acknowledged, lost } = totals
    console.log(
      `kill -9, seed ${SEED}: ${rounds} rounds, ${made} edits made, ${acknowledged} acknowledged, ${lost.length} lost`,
    )
    expect(lost).toEqual([])
    expect(rounds).toBe(ROUNDS)
    expect(acknowledged).toBeGreaterThan(ROUNDS * 10)
  },
  30_000 + ROUNDS * 10_000,
)
