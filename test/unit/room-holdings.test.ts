import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Counters } from '../../server/observe/counters.js'
import { type Holder, Holdings } from '../../server/room/holdings.js'

class FakeHolder implements Holder {
  drops = 0
  constructor(public held: number) {}
  drop(): void {
    this.held = 0
    this.drops++
  }
}

const setup = (budget: number) => {
  const soon: (() => void)[] = []
  const counters = new Counters()
  const holdings = new Holdings(budget, (task) => void soon.push(task), counters)
  const endTurn = () => {
    for (const task of soon.splice(0)) task()
  }
  const add = (bytes: number): FakeHolder => {
    const holder = new FakeHolder(bytes)
    holdings.used(holder)
    return holder
  }
  return { holdings, counters, endTurn, add }
}

describe('Holdings', () => {
  it('lets go of what was of use longest ago, after the turn', () => {
    const { holdings, counters, endTurn, add } = setup(100)
    const [a, b, c] = [add(40), add(40), add(40)]
    holdings.used(a)
    expect([a.held, b.held, c.held], 'within the turn').toEqual([40, 40, 40])
    endTurn()
    expect([a.held, b.held, c.held]).toEqual([40, 0, 40])
    expect(counters).toMatchObject({ heldBytes: 80, drops: 1 })
  })

  it('what is larger than the budget goes alone', () => {
    const { endTurn, add, counters } = setup(100)
    const [a, b, huge, c] = [add(40), add(40), add(101), add(20)]
    endTurn()
    expect([a.held, b.held, huge.held, c.held]).toEqual([40, 40, 0, 20])
    expect(counters).toMatchObject({ heldBytes: 100, drops: 1 })
  })

  it('a change of size says nothing about use', () => {
    const { holdings, endTurn, add } = setup(100)
    const [a, b] = [add(40), add(40)]
    a.held = 70
    holdings.changed(a)
    endTurn()
    expect([a.held, b.held]).toEqual([0, 40])
  })

  it('whatever happens: its sum is what is held, within the budget after each turn, and only the oldest go', () => {
    const step = fc.record({
      what: fc.constantFrom('used', 'used', 'changed', 'forget', 'turn'),
      who: fc.nat(7),
      bytes: fc.nat(60),
    })
    fc.assert(
      fc.property(fc.nat(100), fc.array(step, { maxLength: 80 }), (budget, steps) => {
        const { holdings, counters, endTurn } = setup(budget)
        const all = Array.from({ length: 8 }, () => new FakeHolder(0))
        let order: FakeHolder[] = []
        for (const { what, who, bytes } of steps) {
          const holder = all[who] as FakeHolder
          if (what === 'turn') {
            const before = order.map((each) => [each, each.held] as const)
            endTurn()
            const kept = before.filter(([each]) => each.held > 0)
            const gone = before.filter(([each, had]) => each.held === 0 && had > 0 && had <= budget)
            // Nothing that would have fitted went while something older stayed.
            for (const [each] of gone)
              for (const [other] of kept) expect(order.indexOf(each)).toBeLessThan(order.indexOf(other))
            // Nothing went without need.
            const last = gone.at(-1)
            const sum = kept.reduce((total, [each]) => total + each.held, 0)
            if (last) expect(sum + last[1]).toBeGreaterThan(budget)
            expect(counters.heldBytes).toBeLessThanOrEqual(budget)
            order = order.filter((each) => each.held > 0)
          } else if (what === 'forget') {
            holder.held = 0
            holdings.forget(holder)
            order = order.filter((each) => each !== holder)
          } else {
            holder.held = bytes
            holdings[what](holder)
            if (what === 'used' || !order.includes(holder))
              order = [...order.filter((each) => each !== holder), holder]
            order = order.filter((each) => each.held > 0)
          }
          expect(counters.heldBytes).toBe(all.reduce((sum, each) => sum + each.held, 0))
        }
      }),
      { numRuns: 500 },
    )
  })
})
