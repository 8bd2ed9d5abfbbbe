/**
 * What a member gets later than others do: one whose socket was backed up all that it missed, an author its own once
 * that is durable.
 */
import { describe, expect, it } from 'vitest'
import { setup } from '../support/broadcast.js'

describe('Broadcast', () => {
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
