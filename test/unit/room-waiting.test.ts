import { describe, expect, it } from 'vitest'
import { Waiting } from '../../server/room/waiting.js'

const OWNERS = ['ada', 'bob'] as const
type Owner = (typeof OWNERS)[number]

const setup = () => {
  const state = { asked: 0, gone: new Set<Owner>(), clock: 0 }
  const owners = { keeps: (owner: Owner) => !state.gone.has(owner) }
  const index = {
    holds: (_client: number, _start: number, end: number) => {
      state.asked++
      return end <= state.clock
    },
  }
  return { state, owners, index }
}

describe('Waiting (PROTOCOL S7)', () => {
  it('is over when all is there or its owner gone, for each of those it waits for', () => {
    const { state, owners, index } = setup()
    const waiting = new Waiting<Owner>([
      { owner: 'ada', client: 1, ranges: [0, 1, 5, 7] },
      { owner: 'bob', client: 2, ranges: [0, 100] },
    ])
    expect(waiting.isOver(owners, index)).toBe(false)
    state.clock = 6
    expect(waiting.isOver(owners, index)).toBe(false)
    state.clock = 7
    expect(waiting.isOver(owners, index)).toBe(false)
    state.gone.add('bob')
    expect(waiting.isOver(owners, index)).toBe(true)
  })

  it('looks at nothing twice that is there: 100,000 ranges, asked after each edit of their owner', () => {
    const { state, owners, index } = setup()
    const ranges = Array.from({ length: 200_000 }, (_, i) => i)
    const waiting = new Waiting<Owner>([{ owner: 'ada', client: 1, ranges }])
    state.clock = 199_990
    for (let i = 0; i < 1000; i++) expect(waiting.isOver(owners, index)).toBe(false)
    expect(state.asked).toBeLessThan(101_010)
    state.clock = 200_000
    expect(waiting.isOver(owners, index)).toBe(true)
  })
})
