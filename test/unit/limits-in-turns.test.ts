import { beforeEach, describe, expect, it } from 'vitest'
import { InTurns } from '../../server/limits/in-turns.js'

describe('tasks in turns', () => {
  let now: number
  let soon: (() => void)[]
  let done: number[]
  let inTurns: InTurns

  beforeEach(() => {
    now = 0
    soon = []
    done = []
    inTurns = new InTurns({ soon: (task) => void soon.push(task), clock: () => now })
  })

  /** A task that takes `ms`. */
  const add = (name: number, ms: number): void =>
    inTurns.add(() => {
      done.push(name)
      now += ms
    })

  const turn = (): void => {
    for (const task of soon.splice(0)) task()
  }

  it('are done at the end of the turn that they came in', () => {
    add(1, 0.3)
    add(2, 0.3)
    expect(done).toEqual([])
    turn()
    expect(done).toEqual([1, 2])
    expect(soon).toEqual([])
  })

  it('some milliseconds of them in each, in order; what came meanwhile waits behind them', () => {
    for (let i = 0; i < 20; i++) add(i, 0.5)
    turn()
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    add(20, 0.5)
    turn()
    expect(done.length).toBe(16)
    turn()
    expect(done).toEqual(Array.from({ length: 21 }, (_, i) => i))
    expect(soon).toEqual([])
  })

  it('one in each turn, however long it takes', () => {
    add(1, 50)
    add(2, 50)
    turn()
    expect(done).toEqual([1])
    turn()
    expect(done).toEqual([1, 2])
  })

  it('wait only so many', () => {
    for (let i = 0; i < 1000; i++) add(i, 1)
    expect(done).toEqual([])
    add(1000, 1)
    expect(done).toEqual([1000])
    turn()
    expect(done).toEqual([1000, 0, 1, 2, 3])
    add(1001, 1)
    expect(done.length).toBe(5)
  })

  it('go on after one that fails', () => {
    inTurns.add(() => {
      throw new Error('broken')
    })
    add(2, 0)
    expect(turn).toThrow('broken')
    turn()
    expect(done).toEqual([2])
  })
})
