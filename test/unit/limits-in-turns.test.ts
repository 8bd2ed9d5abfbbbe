import { beforeEach, describe, expect, it } from 'vitest'
import { InTurns } from '../../server/limits/in-turns.js'

describe('work in turns', () => {
  let now: number
  let soon: (() => void)[]
  let done: string[]
  let inTurns: InTurns

  beforeEach(() => {
    now = 0
    soon = []
    done = []
    inTurns = new InTurns({ soon: (task) => void soon.push(task), clock: () => now, ms: 8 })
  })

  /** Work that takes `ms`. */
  const work = (name: string, ms: number) => (): void => {
    done.push(name)
    now += ms
  }

  /** Does it at once if it may be. */
  const attempt = (name: string, ms: number): boolean => {
    if (!inTurns.begin()) return false
    work(name, ms)()
    inTurns.done()
    return true
  }

  const later = (name: string, ms: number): void => inTurns.later(work(name, ms))

  /** The event loop goes on. */
  const turn = (): void => {
    for (const task of soon.splice(0)) task()
  }

  it('may be done at once, 8 ms of it without a pause', () => {
    expect(attempt('a', 7.9)).toBe(true)
    expect(attempt('b', 20)).toBe(true)
    expect(attempt('c', 0)).toBe(false)
    expect(done).toEqual(['a', 'b'])
  })

  it('and again after a pause in which the event loop has looked at something else', () => {
    attempt('a', 10)
    now += 0.5
    expect(attempt('b', 0)).toBe(false)
    now += 0.1
    expect(attempt('c', 7)).toBe(true)
    now += 0.4
    expect(attempt('d', 1)).toBe(true)
    expect(attempt('e', 0)).toBe(false)
  })

  it('takes no more time because it has begun and was never done', () => {
    expect(inTurns.begin()).toBe(true)
    now += 10
    expect(attempt('a', 1)).toBe(true)
  })

  it('doesn’t overtake what waits', () => {
    later('a', 0)
    expect([attempt('b', 0), inTurns.waiting]).toEqual([false, 1])
    turn()
    now += 1
    expect([attempt('c', 0), inTurns.waiting]).toEqual([true, 0])
    expect(done).toEqual(['a', 'c'])
  })

  it('waits in order, 8 ms of it in each turn', () => {
    for (let i = 0; i < 20; i++) later(`${i}`, 1)
    expect([done, inTurns.waiting, soon.length]).toEqual([[], 20, 1])
    turn()
    expect([done.length, inTurns.waiting]).toEqual([8, 12])
    later('20', 1)
    turn()
    expect(done.length).toBe(16)
    turn()
    expect(done).toEqual(Array.from({ length: 21 }, (_, i) => `${i}`))
    expect([inTurns.waiting, soon]).toEqual([0, []])
  })

  it('what comes during a turn is part of it, behind the others', () => {
    inTurns.later(() => {
      done.push('a')
      expect(inTurns.begin()).toBe(false)
      later('c', 0)
    })
    later('b', 0)
    turn()
    expect([done, soon]).toEqual([['a', 'b', 'c'], []])
  })

  it('one in each turn, however long it takes', () => {
    later('a', 50)
    later('b', 50)
    turn()
    expect(done).toEqual(['a'])
    turn()
    expect(done).toEqual(['a', 'b'])
  })

  it('a turn is no pause', () => {
    attempt('a', 8)
    later('b', 1)
    turn()
    expect(attempt('c', 0)).toBe(false)
  })

  it('goes on after one that fails', () => {
    inTurns.later(() => {
      throw new Error('broken')
    })
    later('b', 0)
    expect(turn).toThrow('broken')
    turn()
    expect([done, inTurns.waiting]).toEqual([['b'], 0])
  })
})
