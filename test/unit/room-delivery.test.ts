import { describe, expect, it } from 'vitest'
import { edits, hereIs, offered, setupRoom, taken, whole } from '../support/room.js'

describe('Room', () => {
  it('S3, S4: others get an update at once, its author when it is durable; the journal gets time and user', () => {
    const { room, join, endTurn, appended } = setupRoom()
    const [author, ours, reader] = [join(false, 'ada'), join(true), join()]
    const [update] = edits(7, 1) as [Uint8Array]
    room.receive(author, 1, update, taken)
    expect(appended).toEqual([{ update, time: 42, author: 'ada' }])
    endTurn()
    expect([author.updates, ours.updates, reader.updates]).toEqual([0, 1, 1])
    room.committed(1)
    expect([author.updates, ours.updates, reader.updates]).toEqual([1, 1, 1])
    expect(ours.calls).toEqual([])
  })

  it('X4: one ack per commit, with the last message that it covers; news-free messages wait for what they repeat', () => {
    const { room, join } = setupRoom()
    const [author, other] = [join(true), join(true)]
    const updates = edits(7, 3)
    for (const [i, update] of updates.entries()) room.receive(author, i + 1, update, taken)
    room.receive(other, 1, updates[2] as Uint8Array, taken)
    room.committed(2)
    expect([author.calls, other.calls]).toEqual([['ack 2'], []])
    room.committed(3)
    expect([author.calls, other.calls]).toEqual([['ack 2', 'ack 3'], ['ack 1']])
    room.receive(other, 2, updates[0] as Uint8Array, taken)
    expect(other.calls).toEqual(['ack 1', 'ack 2'])
  })

  it('S4: what another tab brings of a stock client’s edits comes to it only once it is durable', () => {
    const { room, join, endTurn } = setupRoom()
    const [author, peer, reader] = [join(false, 'ada'), join(true, 'ada'), join()]
    room.present(author, hereIs(7))
    room.present(reader, hereIs(9))
    endTurn()
    room.receive(peer, 1, whole(edits(7, 3)), offered)
    endTurn()
    expect([author.updates, reader.updates]).toEqual([0, 1])
    room.committed(1)
    expect([author.updates, reader.updates]).toEqual([1, 1])
  })

  it('S4: one that held more of them than the server waits likewise, and one that has not asked yet', () => {
    const { room, join, endTurn } = setupRoom()
    const updates = edits(7, 3)
    const [author, unasked, reader] = [join(false, '', whole(updates)), join(false, '', null), join()]
    const peer = join(true)
    room.receive(peer, 1, whole(updates), offered)
    room.receive(peer, 2, edits(8, 1)[0] as Uint8Array, taken)
    endTurn()
    expect([author.updates, unasked.updates, reader.updates]).toEqual([1, 0, 2])
    room.committed(2)
    expect([author.updates, unasked.updates, reader.updates]).toEqual([2, 2, 2])
  })

  it('S4: what comes over the author’s last connection waits, too, when the next one is there already', () => {
    const { room, join, endTurn } = setupRoom()
    const updates = edits(7, 3)
    const before = join()
    room.receive(before, 1, updates[0] as Uint8Array, taken)
    const now = join(false, '', whole(updates))
    room.receive(before, 2, updates[1] as Uint8Array, taken)
    room.leave(before)
    endTurn()
    const early = now.updates
    room.committed(2)
    expect([early, now.updates]).toEqual([0, 1])
  })

  it('A4: news of a reader are refused and counted as settled, repetitions are not refused', () => {
    const { room, join, appended } = setupRoom()
    const [writer, reader] = [join(true), join(true)]
    const [known, news] = edits(7, 2) as [Uint8Array, Uint8Array]
    room.receive(writer, 1, known, taken)
    room.committed(1)
    room.receive(reader, 1, known, { mayWrite: false, reoffered: true })
    room.receive(reader, 2, news, { mayWrite: false, reoffered: false })
    expect(reader.calls).toEqual(['ack 1', 'refuse 2', 'ack 2'])
    expect(appended.length).toBe(1)
  })

  it('is idle only when nobody is there and all is durable', () => {
    const { room, join, idle } = setupRoom()
    const author = join()
    room.receive(author, 1, edits(7, 1)[0] as Uint8Array, taken)
    room.leave(author)
    expect([room.idle, idle()]).toEqual([false, 0])
    room.committed(1)
    expect([room.idle, idle()]).toEqual([true, 1])
  })
})
