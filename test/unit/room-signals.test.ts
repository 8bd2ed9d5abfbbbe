import { describe, expect, it } from 'vitest'
import type { Member } from '../../server/room/member.js'
import { Signals } from '../../server/room/signals.js'
import { Turns } from '../../server/room/turns.js'
import { messagesIn } from '../support/frames.js'

/** Members by name, and a room whose turns and clock the test owns. */
const setup = (costMs = 0) => {
  let now = 0
  const soon: (() => void)[] = []
  const later: { task: () => void; ms: number }[] = []
  const members: (Member & { heard: () => string[]; outlet: { congested: boolean } })[] = []
  const join = (user: string, extended = true) => {
    const frames: Uint8Array[] = []
    const outlet = {
      congested: false,
      write: (written: readonly Uint8Array[]) => {
        now += costMs
        frames.push(...written)
      },
      stream: () => undefined,
    }
    const member = {
      user,
      extended,
      mayWrite: true,
      outlet,
      heard: () =>
        messagesIn(frames).map((message) =>
          message.type === 'signal' ? `${message.user}: ${Buffer.from(message.data)}` : message.type,
        ),
      acknowledge: () => undefined,
      refuse: () => undefined,
      goOn: () => undefined,
      probe: () => undefined,
      dismiss: () => undefined,
      close: () => undefined,
      requestMissing: () => undefined,
    }
    members.push(member)
    return member
  }
  const turns = new Turns({
    soon: (task) => void soon.push(task),
    later: (task, ms) => {
      later.push({ task, ms })
      return () => void later.splice(0)
    },
  })
  const signals = new Signals({ turns, clock: () => now, members: () => members })
  return {
    join,
    signals,
    later,
    say: (from: Member, text: string) => signals.pass(from, Buffer.from(text)),
    endTurn: () => {
      for (const task of soon.splice(0)) task()
    },
  }
}

describe('X10: signals', () => {
  it('come to all others who speak the extensions, in order, in one write', () => {
    const { join, say, endTurn } = setup()
    const [a, b, c, stock] = [join('ada'), join('bob'), join('cy'), join('', false)]
    say(a, '1')
    say(b, '2')
    say(a, '3')
    endTurn()
    expect(c.heard()).toEqual(['ada: 1', 'bob: 2', 'ada: 3'])
    expect(b.heard()).toEqual(['ada: 1', 'ada: 3'])
    expect(a.heard()).toEqual(['bob: 2'])
    expect(stock.heard()).toEqual([])
  })

  it('are not kept for who is backed up', () => {
    const { join, say, endTurn } = setup()
    const [a, b] = [join('ada'), join('bob')]
    b.outlet.congested = true
    say(a, 'missed')
    endTurn()
    b.outlet.congested = false
    say(a, 'heard')
    endTurn()
    expect(b.heard()).toEqual(['ada: heard'])
  })

  it('are refused once too much is waiting, and taken again afterwards', () => {
    const { join, say, endTurn } = setup()
    const [a, b] = [join('ada'), join('bob')]
    let taken = 0
    while (say(a, 'x'.repeat(16_000))) taken++
    expect(taken).toBe(16)
    endTurn()
    expect(b.heard().length).toBe(16)
    expect(say(a, 'again')).toBe(true)
  })

  it('take a bounded share of a core: the longer the last flush took, the later the next', () => {
    const { join, say, endTurn, later } = setup(10)
    const a = join('ada')
    join('bob')
    join('cy')
    say(a, '1')
    endTurn()
    say(a, '2')
    endTurn()
    expect(later.map(({ ms }) => ms)).toEqual([1000])
  })

  it('that wait when the room goes are gone with it', () => {
    const { join, say, endTurn, signals, later } = setup(10)
    const [a, b] = [join('ada'), join('bob')]
    say(a, '1')
    endTurn()
    say(a, '2')
    signals.dispose()
    for (const { task } of later) task()
    endTurn()
    expect(b.heard()).toEqual(['ada: 1'])
  })
})
