import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineWriter } from '../../server/observe/line-writer.js'

const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** A destination that takes so many bytes of each write, or fails; and timers that fire when told. */
const destination = ({ maxBytes = 40 } = {}) => {
  let takes: number | string = Number.POSITIVE_INFINITY
  let room = Number.POSITIVE_INFINITY
  const state = { text: '', tries: 0, delays: [] as number[] }
  const tasks: (() => void)[] = []
  const lines = new LineWriter({
    maxBytes,
    write: (bytes) => {
      state.tries++
      if (typeof takes === 'string') throw failure(takes)
      if (room === 0) throw failure('EAGAIN')
      const taken = bytes.subarray(0, Math.min(takes, room))
      room -= taken.length
      state.text += Buffer.from(taken).toString()
      return taken.length
    },
    later: (task, ms) => {
      state.delays.push(ms)
      tasks.push(task)
    },
    lost: (count) => `lost ${count}\n`,
  })
  return {
    lines,
    state,
    /** How much of each write is taken from now on, or the code of what it fails with; and how much in all. */
    set(how: number | string, inAll = Number.POSITIVE_INFINITY) {
      takes = how
      room = inAll
    },
    /** Lets the time pass until the next try, if there is to be one. */
    tick: () => tasks.shift()?.(),
    get timers() {
      return tasks.length
    },
  }
}

describe('a destination that can be written', () => {
  it('has each line when it is said, in order, without a timer', () => {
    const to = destination()
    to.lines.write('one\n')
    expect(to.state.text).toBe('one\n')
    to.lines.write(Buffer.from('zwölf\n'))
    to.lines.write('')
    expect(to.state.text).toBe('one\nzwölf\n')
    expect(to.timers).toBe(0)
    expect(to.lines.lost).toBe(0)
    expect(to.lines.retry()).toBe(false)
  })

  it('takes a line in pieces', () => {
    const to = destination()
    to.set(2)
    to.lines.write('line in pieces\n')
    expect(to.state.text).toBe('line in pieces\n')
    expect(to.state.tries).toBe(8)
    expect(to.lines.retry()).toBe(false)
  })

  it('takes a line that is longer than what may wait', () => {
    const to = destination({ maxBytes: 4 })
    to.lines.write('a long line\n')
    expect(to.state.text).toBe('a long line\n')
  })
})

describe.each(['EAGAIN', 'ENOSPC', 'EPIPE', 'EIO', 'EBADF'])('a destination that says %s', (code) => {
  it('throws nothing, and gets the lines when it takes some again', () => {
    const to = destination()
    to.set(code)
    to.lines.write('one\n')
    to.lines.write('two\n')
    expect(to.state.text).toBe('')
    to.set(Number.POSITIVE_INFINITY)
    to.lines.write('three\n')
    // In order: not before those that wait.
    expect(to.state.text).toBe('')
    to.tick()
    expect(to.state.text).toBe('one\ntwo\nthree\n')
    to.lines.write('four\n')
    expect(to.state.text).toBe('one\ntwo\nthree\nfour\n')
    expect(to.timers).toBe(0)
    expect(to.lines.lost).toBe(0)
  })

  it('gets the rest of a line that it has half of, and no other before', () => {
    const to = destination()
    to.set(3, 3)
    to.lines.write('first\n')
    to.set(code)
    to.lines.write('second\n')
    to.tick()
    expect(to.state.text).toBe('fir')
    to.set(Number.POSITIVE_INFINITY)
    to.tick()
    expect(to.state.text).toBe('first\nsecond\n')
  })

  it('is not tried with every line, and ever more rarely, until it takes some', () => {
    const to = destination({ maxBytes: 1000 })
    to.set(code)
    for (let i = 0; i < 50; i++) to.lines.write('line\n')
    expect(to.state.tries).toBe(1)
    for (let i = 0; i < 9; i++) to.tick()
    expect(to.state.delays).toEqual([10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000])
    expect(to.timers).toBe(1)
    to.set(5, 5)
    to.tick()
    expect(to.state.delays.at(-1)).toBe(10)
  })

  it('gets, for what was too much to wait, one line that says how many are missing in its place', () => {
    const to = destination({ maxBytes: 10 })
    to.set(code)
    for (const each of ['1', '2', '3', '4', '5', '6']) to.lines.write(`${each}...\n`)
    expect(to.lines.lost).toBe(4)
    // Somewhat of it goes out: there is room again, but what is missing must be said before.
    to.set(5, 5)
    to.tick()
    to.lines.write('7\n')
    expect(to.lines.lost).toBe(5)
    to.set(Number.POSITIVE_INFINITY)
    to.tick()
    to.lines.write('8\n')
    expect(to.state.text).toBe('1...\n2...\nlost 5\n8\n')
    expect(to.lines.lost).toBe(5)
    expect(to.timers).toBe(0)
  })
})

describe('the last try', () => {
  it('says whether waiting may still help: for a reader, not for room on a disk', () => {
    const to = destination()
    to.set('ENOSPC')
    to.lines.write('last\n')
    expect(to.lines.retry()).toBe(false)
    to.set('EAGAIN')
    expect(to.lines.retry()).toBe(true)
    expect(to.timers).toBe(1)
    to.set(Number.POSITIVE_INFINITY)
    expect(to.lines.retry()).toBe(false)
    expect(to.state.text).toBe('last\n')
    to.lines.write('and one more\n')
    expect(to.state.text).toBe('last\nand one more\n')
  })
})

it('does not turn in circles when a write takes nothing', () => {
  const to = destination()
  to.set(0)
  to.lines.write('line\n')
  expect(to.state.tries).toBe(1)
  expect(to.timers).toBe(1)
})

it('whatever the destination does: whole lines, in order, and each is there or counted where it is missing', () => {
  const how = fc.oneof(fc.constantFrom('EAGAIN', 'ENOSPC', 'EPIPE'), fc.integer({ min: 1, max: 9 }))
  const step = fc.oneof(
    fc.record({ set: how, inAll: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ write: fc.integer({ min: 0, max: 15 }) }),
    fc.constant('tick' as const),
    fc.constant('retry' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const to = destination({ maxBytes: 30 })
      let said = 0
      for (const each of steps) {
        if (each === 'tick') to.tick()
        else if (each === 'retry') to.lines.retry()
        else if ('set' in each) to.set(each.set, each.inAll)
        else to.lines.write(`${said++} ${'x'.repeat(each.write)}\n`)
      }
      to.set(Number.POSITIVE_INFINITY)
      while (to.timers > 0) to.tick()
      let next = 0
      let lost = 0
      for (const line of to.state.text.split('\n').slice(0, -1)) {
        const gap = /^lost (\d+)$/.exec(line)
        if (gap) {
          next += Number(gap[1])
          lost += Number(gap[1])
        } else expect(line).toMatch(new RegExp(`^${next++} x*$`))
      }
      expect({ next, lost, text: to.state.text.slice(-1) }).toEqual({
        next: said,
        lost: to.lines.lost,
        text: said === 0 ? '' : '\n',
      })
    }),
    { numRuns: 500 },
  )
})
