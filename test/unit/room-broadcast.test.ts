import { describe, expect, it } from 'vitest'
import { Counters } from '../../server/observe/counters.js'
import { Broadcast } from '../../server/room/broadcast.js'
import type { Member } from '../../server/room/member.js'
import { Presence } from '../../server/room/presence.js'
import { Tail } from '../../server/room/tail.js'
import { Turns } from '../../server/room/turns.js'
import { cursor } from '../../server/warm-up/keystrokes.js'
import { messagesIn } from '../support/frames.js'

/** A member that keeps what it was sent, with a socket that a test can back up. */
class FakeMember implements Member {
  readonly user = ''
  readonly mayWrite = true
  congested = false
  writes: Uint8Array[][] = []

  constructor(readonly extended = false) {}

  write(frames: readonly Uint8Array[]): void {
    this.writes.push([...frames])
  }
  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    for (const piece of pieces) this.writes.push([...piece])
  }
  acknowledge(): void {}
  requestMissing(): void {}
  close(): void {}
  refuse(): void {}
  goOn(): void {}
  probe(): void {}

  /** First byte of each update it got, in order. */
  get updates(): number[] {
    return messagesIn(this.writes.flat()).flatMap((each) =>
      each.type === 'update' ? [each.update[0] as number] : [],
    )
  }
}

/** A room's broadcast with its time under control; a write costs `costMs`. */
const setup = (costMs = 0) => {
  let now = 1000
  const soon: (() => void)[] = []
  const later: { at: number; task: () => void }[] = []
  const turns = new Turns({
    soon: (task) => void soon.push(task),
    later: (task, ms) => {
      const entry = { at: now + ms, task }
      later.push(entry)
      return () => void later.splice(later.indexOf(entry), 1)
    },
  })
  const tail = new Tail(0)
  const presence = new Presence<Member>()
  const counters = new Counters()
  const unconfirmed = new Map<Member, number[]>()
  const everything = [Uint8Array.of(0x82, 5, 0, 2, 2, 0, 0)]
  const snapshot: { here: boolean; readonly neededBy: Member[] } = { here: true, neededBy: [] }
  const broadcast = new Broadcast({
    tail,
    presence,
    turns,
    clock: () => now,
    counters,
    unconfirmed: (member) => unconfirmed.get(member) ?? [],
    everything: (member) => {
      if (snapshot.here) return everything
      snapshot.neededBy.push(member)
      return null
    },
  })
  const join = (member = new FakeMember()): FakeMember => {
    const write = member.write.bind(member)
    member.write = (frames) => {
      now += costMs
      write(frames)
    }
    broadcast.join(member)
    return member
  }
  const edit = (author: Member): number => {
    tail.append(Uint8Array.of(tail.lastSeq + 1, 9, 9))
    broadcast.updated(author, tail.lastSeq)
    return tail.lastSeq
  }
  const endTurn = (): void => {
    for (const task of soon.splice(0)) task()
  }
  const pass = (ms: number): void => {
    now += ms
    for (const { task } of later.filter(({ at }) => at <= now)) task()
    later.splice(0, later.length, ...later.filter(({ at }) => at > now))
  }
  return {
    now: () => now,
    broadcast,
    tail,
    presence,
    counters,
    unconfirmed,
    everything,
    snapshot,
    join,
    edit,
    endTurn,
    pass,
    later,
  }
}

describe('Broadcast', () => {
  it('S3: what a turn brought goes out at its end: one write per member, the same bytes for all', () => {
    const { join, edit, endTurn } = setup()
    const [author, ...readers] = [join(), join(), join()] as [FakeMember, FakeMember, FakeMember]
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
      const last = readers.at(-1) as FakeMember
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
      const left = readers[799] as FakeMember
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
    expect(window(0.02, 4)).toBeCloseTo(0.08 * 109)
    expect(window(0.02, 10)).toBeCloseTo(0.2 * 109)
    expect(window(0.02, 200), 'counted from its beginning').toBeCloseTo(29 * 1.1 - 4)
    expect(window(0.02, 2000), 'others get their turn').toBeCloseTo(40 * 0.25)
    expect(window(10, 4), 'a flush that was interrupted says nothing about the next').toBeLessThan(10)
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
    const readers = Array.from({ length: 10 }, () => join())
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

  it('a member whose socket is backed up is skipped, others are not, and it is brought up when drained', () => {
    const { broadcast, join, edit, endTurn, pass, counters } = setup()
    const [author, slow, reader] = [join(), join(), join()]
    edit(author)
    endTurn()
    slow.congested = true
    for (let i = 0; i < 5; i++) {
      edit(author)
      endTurn()
      pass(20)
    }
    expect(slow.updates).toEqual([1])
    expect(reader.updates).toEqual([1, 2, 3, 4, 5, 6])
    expect(counters.membersBehindTotal).toBe(1)
    slow.congested = false
    broadcast.drained(slow)
    expect(slow.updates).toEqual([1, 2, 3, 4, 5, 6])
    edit(author)
    endTurn()
    expect(slow.updates).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('one that missed what the snapshot took over gets everything', () => {
    const { broadcast, tail, join, edit, endTurn, everything } = setup()
    const [author, slow] = [join(), join()]
    slow.congested = true
    edit(author)
    endTurn()
    edit(author)
    endTurn()
    tail.trim(2)
    slow.congested = false
    broadcast.drained(slow)
    expect(slow.writes).toEqual([everything])
    edit(author)
    endTurn()
    expect(slow.updates.at(-1)).toBe(3)
  })

  it('… once the snapshot is there; until then it is sent nothing that builds upon it', () => {
    const { broadcast, tail, join, edit, endTurn, everything, snapshot } = setup()
    const [author, slow] = [join(), join()]
    slow.congested = true
    edit(author)
    endTurn()
    tail.trim(1)
    snapshot.here = false
    slow.congested = false
    broadcast.drained(slow)
    expect([slow.writes, snapshot.neededBy]).toEqual([[], [slow]])
    edit(author)
    endTurn()
    expect(slow.writes).toEqual([])
    snapshot.here = true
    broadcast.drained(slow)
    expect(slow.writes[0]).toEqual(everything)
    edit(author)
    endTurn()
    expect(slow.updates.at(-1)).toBe(3)
  })

  it('S4: an echo of what the snapshot has taken over waits for the snapshot', () => {
    const { broadcast, tail, join, edit, endTurn, everything, snapshot } = setup()
    const [author, other] = [join(), join()]
    edit(author)
    edit(other)
    endTurn()
    tail.trim(2)
    snapshot.here = false
    broadcast.echo(author, [1])
    expect([author.updates, snapshot.neededBy]).toEqual([[2], [author]])
    snapshot.here = true
    broadcast.drained(author)
    expect(author.writes.at(-1)).toEqual(everything)
    expect(broadcast.caughtUp(author)).toBe(true)
  })

  it('S4: an echo to a backed-up author waits, and is not lost', () => {
    const { broadcast, join, edit, endTurn, unconfirmed } = setup()
    const [author, other] = [join(), join()]
    edit(author)
    edit(other)
    endTurn()
    author.congested = true
    broadcast.echo(author, [1])
    expect(author.updates).toEqual([2])
    author.congested = false
    unconfirmed.set(author, [])
    broadcast.drained(author)
    expect(author.updates).toContain(1)
  })

  it('S4: an echo goes out with the next flush, in the same write, if there is one coming', () => {
    const { broadcast, join, edit, endTurn, pass } = setup(0.1)
    const [author, other] = [join(), join()]
    edit(author)
    endTurn()
    edit(other)
    broadcast.echo(author, [1])
    expect(author.updates).toEqual([])
    pass(29)
    expect(author.updates).toEqual([1, 2])
    expect(author.writes.length).toBe(1)
    broadcast.echo(author, [1])
    expect(author.updates, 'at once if there is none').toEqual([1, 2, 1])
  })

  it('S4: an echo that comes while a flush takes several turns goes out with a flush of its own', () => {
    const { broadcast, join, edit, endTurn, pass } = setup(0.01)
    const author = join()
    for (let i = 0; i < 1000; i++) join()
    edit(author)
    endTurn()
    broadcast.echo(author, [1])
    endTurn()
    expect(author.updates).toEqual([])
    pass(51)
    endTurn()
    endTurn()
    expect(author.updates).toEqual([1])
  })

  it('S4: an echo that waits for a flush isn’t lost when its author is backed up until then', () => {
    const { broadcast, join, edit, endTurn, pass } = setup(0.1)
    const [author, other] = [join(), join()]
    edit(author)
    endTurn()
    edit(other)
    broadcast.echo(author, [1])
    author.congested = true
    pass(29)
    expect(author.updates).toEqual([])
    author.congested = false
    broadcast.drained(author)
    expect(author.updates).toEqual([1, 2])
  })

  it('S4: catching up never shows an author its own before it is durable', () => {
    const { broadcast, join, edit, endTurn, unconfirmed } = setup()
    const [author, other] = [join(), join()]
    author.congested = true
    edit(other)
    edit(author)
    edit(other)
    endTurn()
    unconfirmed.set(author, [2])
    author.congested = false
    broadcast.drained(author)
    expect(author.updates).toEqual([1, 3])
    broadcast.echo(author, [2])
    expect(author.updates).toEqual([1, 3, 2])
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

  it('S4: what becomes durable before it was flushed comes with a later write, if it can’t be sent at once', () => {
    const { broadcast, join, edit, endTurn, pass, unconfirmed } = setup(0.05)
    const [author, other, reader] = [join(), join(), join()]
    edit(other)
    endTurn()
    const own = edit(author)
    author.congested = true
    broadcast.echo(author, [own])
    author.congested = false
    broadcast.drained(author)
    unconfirmed.set(author, [])
    pass(16)
    expect(reader.updates).toEqual([1, 2])
    expect(author.updates).toEqual([1, 2])
  })

  it('S4: one that the snapshot has overtaken gets everything once its own is durable', () => {
    const { broadcast, join, edit, endTurn, pass, tail, unconfirmed, everything } = setup()
    const [author, other] = [join(), join()]
    author.congested = true
    edit(other)
    endTurn()
    pass(16)
    const own = edit(author)
    endTurn()
    tail.trim(1)
    unconfirmed.set(author, [own])
    author.congested = false
    broadcast.drained(author)
    expect(author.writes).toEqual([])
    unconfirmed.delete(author)
    broadcast.echo(author, [own])
    expect(author.writes).toContainEqual(everything)
  })
})
