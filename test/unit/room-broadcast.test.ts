/** When a room's updates and presence go out to its members, and in how many writes. */
import { describe, expect, it } from 'vitest'
import { cursor } from '../../server/warm-up/keystrokes.js'
import { type SocketMember, setup } from '../support/broadcast.js'
import { messagesIn } from '../support/frames.js'

describe('Broadcast', () => {
  it('S3: what a turn brought goes out at its end: one write per member, the same bytes for all', () => {
    const { join, edit, endTurn } = setup()
    const [author, ...readers] = [join(), join(), join()] as [SocketMember, SocketMember, SocketMember]
    for (let i = 0; i < 10; i++) edit(author)
    expect(readers[0].writes).toEqual([])
    endTurn()
    expect(readers[0].updates).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    for (const reader of readers) expect(reader.writes.length).toBe(1)
    expect(readers[0].writes[0]?.[0]).toBe(readers[1].writes[0]?.[0])
    expect(author.writes).toEqual([])
  })

  it('each of several authors gets the others’ updates and not its own', () => {
    const { join, edit, endTurn } = setup()
    const [a, b, reader] = [join(), join(), join()]
    for (const author of [a, b, b, a, b]) edit(author)
    endTurn()
    expect(a.updates).toEqual([2, 3, 5])
    expect(b.updates).toEqual([1, 4])
    expect(reader.updates).toEqual([1, 2, 3, 4, 5])
  })

  describe('a flush to very many takes several turns of the event loop', () => {
    const crowd = (size: number) => {
      const room = setup()
      const author = room.join()
      const readers = Array.from({ length: size }, () => room.join())
      return {
        ...room,
        author,
        readers,
        reached: () => readers.filter(({ writes }) => writes.length > 0).length,
      }
    }

    it('so many in each, everybody once', () => {
      const { author, readers, edit, endTurn, reached } = crowd(1500)
      edit(author)
      const steps: number[] = []
      while (reached() < 1500) {
        endTurn()
        steps.push(reached())
      }
      expect(steps).toEqual([511, 1023, 1500])
      expect(readers.every(({ updates }) => updates.length === 1)).toBe(true)
      expect(author.updates).toEqual([])
    })

    it('what comes between them comes with the next flush, without its author’s own', () => {
      const { author, readers, edit, endTurn, later } = crowd(800)
      const last = readers.at(-1) as SocketMember
      edit(author)
      endTurn()
      edit(author)
      edit(last)
      expect(last.updates).toEqual([])
      endTurn()
      expect(last.updates).toEqual([1])
      for (const { task } of later.splice(0)) task()
      endTurn()
      endTurn()
      expect(readers[0]?.updates).toEqual([1, 2, 3])
      expect(last.updates).toEqual([1, 2])
      expect(author.updates).toEqual([3])
    })

    it('who comes between them gets what comes from then on, and who has left gets nothing', () => {
      const { broadcast, author, readers, edit, endTurn, join, later } = crowd(800)
      const left = readers[799] as SocketMember
      edit(author)
      endTurn()
      broadcast.leave(left)
      const [late, back] = [join(), join(left)]
      endTurn()
      expect([left.updates, late.updates]).toEqual([[], []])
      edit(author)
      for (const { task } of later.splice(0)) task()
      endTurn()
      endTurn()
      expect([back.updates, late.updates]).toEqual([[2], [2]])
    })

    it('a flush that can’t wait, as before the tail is cut, brings it to an end first', () => {
      const { broadcast, author, readers, edit, endTurn } = crowd(800)
      edit(author)
      endTurn()
      edit(author)
      broadcast.finish()
      expect(readers.every(({ updates }) => `${updates}` === '1,2')).toBe(true)
      endTurn()
      expect(readers.every(({ writes }) => writes.length === 2)).toBe(true)
    })
  })

  it('the next flush waits for a window that grows with what the last one cost, up to two display frames', () => {
    /** How long the second flush waits after the first. */
    const window = (costMs: number, readers: number): number => {
      const { join, edit, endTurn, later, now } = setup(costMs)
      const author = join()
      for (let i = 0; i < readers; i++) join()
      edit(author)
      for (let i = 0; i <= readers; i += 256) endTurn()
      edit(author)
      return (later[0]?.at ?? now()) - now()
    }
    expect(window(0.01, 4)).toBeCloseTo(0.04 * 109)
    expect(window(0.01, 10)).toBeCloseTo(0.1 * 109)
    expect(window(0.01, 200), 'counted from its beginning').toBeCloseTo(29 * 1.1 - 2)
    expect(window(0.01, 4000), 'others get their turn').toBeCloseTo(40 * 0.25)
    expect(window(10, 4), 'a flush that was interrupted says nothing about the next').toBeLessThan(7)
  })

  it('after quiet the first update goes out in its own turn again', () => {
    const { join, edit, endTurn, pass } = setup(0.05)
    const [author, reader] = [join(), join()]
    edit(author)
    endTurn()
    pass(1000)
    edit(author)
    endTurn()
    expect(reader.updates).toEqual([1, 2])
  })

  it('what waits for the window goes out when it ends', () => {
    const { join, edit, endTurn, pass } = setup(0.05)
    const [author, reader] = [join(), join()]
    edit(author)
    endTurn()
    edit(author)
    edit(author)
    endTurn()
    expect(reader.updates).toEqual([1])
    pass(16)
    expect(reader.updates).toEqual([1, 2, 3])
    expect(reader.writes.length).toBe(2)
  })

  it('a window that has been long enough ends with the next update, which then doesn’t wait at all', () => {
    const { join, edit, endTurn, pass, later } = setup(0.03)
    const author = join()
    const readers = Array.from({ length: 30 }, () => join())
    const write = (): void => {
      edit(author)
      endTurn()
    }
    write()
    for (const ms of [10, 10, 10]) {
      pass(ms)
      write()
    }
    for (const { writes, updates } of readers) expect([writes.length, updates]).toEqual([2, [1, 2, 3, 4]])
    expect(later, 'the timer is called off').toEqual([])
    for (const ms of [10, 20]) {
      pass(ms)
      write()
    }
    expect(readers[0]?.writes.length).toBe(3)
  })

  it('presence alone may wait longer than an edit, which takes it along', () => {
    const { join, edit, endTurn, pass, presence, broadcast } = setup(0.01)
    const [author, reader] = [join(), join()]
    const move = (clock: number): void => {
      presence.receive(author, cursor(7, clock))
      broadcast.schedule('presence')
    }
    for (let i = 0; i < 50; i++) join()
    move(1)
    endTurn()
    move(2)
    pass(32)
    expect(reader.writes.length).toBe(1)
    pass(51 - 32)
    expect(reader.writes.length).toBe(2)
    move(3)
    edit(author)
    pass(32)
    expect(reader.writes.length).toBe(3)
    expect(messagesIn(reader.writes[2] ?? []).map(({ type }) => type)).toEqual(['update', 'awareness'])
    pass(1000)
    expect(reader.writes.length).toBe(3)
  })

  it('presence rides along in the same write, latest state only', () => {
    const { join, edit, endTurn, presence, broadcast } = setup()
    const [author, reader] = [join(), join()]
    edit(author)
    for (let clock = 1; clock < 9; clock++) {
      presence.receive(author, Uint8Array.of(1, 5, clock, 2, 0x7b, 0x7d))
      broadcast.schedule()
    }
    endTurn()
    expect(reader.writes.length).toBe(1)
    expect(messagesIn(reader.writes.flat()).map(({ type }) => type)).toEqual(['update', 'awareness'])
  })

  it('one who joins between an update and its flush gets it by its sync answer, not twice', () => {
    const { join, edit, endTurn } = setup()
    const author = join()
    edit(author)
    const joiner = join()
    edit(author)
    endTurn()
    expect(joiner.updates).toEqual([2])
  })

  it('dispose() leaves no timer', () => {
    const { broadcast, join, edit, endTurn, later } = setup(0.05)
    const author = join()
    join()
    edit(author)
    endTurn()
    edit(author)
    expect(later.length).toBe(1)
    broadcast.dispose()
    expect(later.length).toBe(0)
  })
})
