import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EncodedVector } from '../../server/update/encoded-vector.js'
import { encodeStateVector } from '../../server/update/state-vector.js'

/** A vector, and what it is of. */
const setup = (clocks = new Map<number, number>()) => {
  const asked: number[] = []
  const vector = new EncodedVector({
    clock: (client) => {
      asked.push(client)
      return clocks.get(client) ?? 0
    },
    all: () => clocks,
  })
  const grow = (client: number, clock: number): void => {
    clocks.set(client, clock)
    vector.touch(client)
  }
  return { clocks, vector, grow, asked }
}

const many = (count: number): Map<number, number> =>
  new Map(Array.from({ length: count }, (_, i) => [(i * 7919) % 104_729, 1 + (i % 300)]))

describe('W3: the state vector of a document with many clients', () => {
  it('is written as any other', () => {
    const { vector, clocks } = setup(many(5000))
    expect(vector.encode()).toEqual(encodeStateVector(clocks))
    expect(setup().vector.encode()).toEqual(Uint8Array.of(0))
  })

  it('after an edit, only what stands near its author is written again', () => {
    const { vector, clocks, grow, asked } = setup(many(20_000))
    vector.encode()
    asked.length = 0
    grow(7919, 1_000_000)
    expect(vector.encode()).toEqual(encodeStateVector(clocks))
    expect(asked.length).toBeLessThan(1100)
  })

  it('takes in whoever comes, wherever it stands', () => {
    const { vector, clocks, grow } = setup(many(3000))
    vector.encode()
    for (const client of [0, 2 ** 32, 104_730, 52_000, 52_001]) grow(client, 5)
    expect(vector.encode()).toEqual(encodeStateVector(clocks))
    for (let i = 0; i < 3000; i++) {
      grow(200_000 + i, 1)
      if (i % 100 === 0) expect(vector.encode()).toEqual(encodeStateVector(clocks))
    }
    expect(vector.encode()).toEqual(encodeStateVector(clocks))
  })

  it('leaves out a client whose first edits are missing', () => {
    const { vector, clocks, grow } = setup(many(3000))
    vector.encode()
    grow(200_000, 0)
    expect(vector.encode()).toEqual(encodeStateVector(clocks))
    grow(200_000, 9)
    expect(vector.encode()).toEqual(encodeStateVector(clocks))
  })

  it('is as if it had been written anew, whatever came', () => {
    const change = fc.tuple(fc.nat(4000), fc.nat(300))
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 40 }), { maxLength: 20 }), (turns) => {
        const { vector, clocks, grow } = setup(many(1500))
        for (const turn of turns) {
          for (const [client, more] of turn) grow(client, (clocks.get(client) ?? 0) + more)
          expect(vector.encode()).toEqual(encodeStateVector(clocks))
        }
      }),
      { numRuns: 50 },
    )
  })
})
