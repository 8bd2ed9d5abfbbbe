import { describe, expect, it } from 'vitest'
import { edits, setupRoom } from '../support/room.js'

describe('a room’s commits', () => {
  it('one after each flush, also of several authors, as long as each waits for its ack', () => {
    const { room, join, endTurn, commits, later } = setupRoom()
    const [a, b] = [join(), join(true)]
    const [first, second] = edits(1, 2) as [Uint8Array, Uint8Array]
    room.receive(a, 1, first, { mayWrite: true, reoffered: false })
    room.receive(b, 1, edits(2, 1)[0] as Uint8Array, { mayWrite: true, reoffered: false })
    endTurn()
    expect(commits()).toBe(1)
    room.committed(2)
    room.receive(a, 2, second, { mayWrite: true, reoffered: false })
    endTurn()
    expect(commits()).toBe(2)
    expect(later).toEqual([])
  })

  it('one for two flushes when an author sends on without waiting', () => {
    const { room, join, endTurn, commits, later } = setupRoom()
    const author = join(true)
    for (const [i, update] of edits(1, 8).entries()) {
      room.receive(author, i + 1, update, { mayWrite: true, reoffered: false })
      if (i % 2 === 0) continue
      endTurn()
      expect(commits()).toBe(Math.floor((i + 1) / 4))
    }
    expect(commits()).toBe(2)
    // Nothing is left that would make another.
    expect(later).toEqual([])
  })

  it('one after each flush while somebody waits among those who send on', () => {
    const { room, join, endTurn, commits } = setupRoom()
    const [author, other] = [join(true), join(true)]
    for (const [i, update] of edits(1, 2).entries()) {
      room.receive(author, i + 1, update, { mayWrite: true, reoffered: false })
    }
    room.receive(other, 1, edits(2, 1)[0] as Uint8Array, { mayWrite: true, reoffered: false })
    endTurn()
    expect(commits()).toBe(1)
  })

  it('one after each flush when much is unsafe, as while the disk hangs', () => {
    const { room, join, endTurn, commits } = setupRoom()
    const author = join(true)
    for (const [i, update] of edits(1, 65).entries()) {
      room.receive(author, i + 1, update, { mayWrite: true, reoffered: false })
    }
    endTurn()
    expect(commits()).toBe(1)
  })

  it('a while later when no second flush comes', () => {
    const { room, join, endTurn, commits, later } = setupRoom()
    const author = join(true)
    const [first, second] = edits(1, 2) as [Uint8Array, Uint8Array]
    room.receive(author, 1, first, { mayWrite: true, reoffered: false })
    room.receive(author, 2, second, { mayWrite: true, reoffered: false })
    endTurn()
    expect(commits()).toBe(0)
    expect(later).toHaveLength(1)
    later[0]?.()
    expect(commits()).toBe(1)
    expect(later).toEqual([])
  })

  it('none any more when the document is let go of', () => {
    const { room, join, endTurn, later } = setupRoom()
    const author = join(true)
    for (const [i, update] of edits(1, 2).entries()) {
      room.receive(author, i + 1, update, { mayWrite: true, reoffered: false })
    }
    endTurn()
    room.dispose()
    expect(later).toEqual([])
  })
})
