import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { scanUpdate } from '../../server/update/scan.js'
import { splice } from '../../server/update/splice.js'
import { forge } from '../support/forge.js'
import { chain, edits, hereIs, offered, setupRoom, taken, whole } from '../support/room.js'

describe('Room', () => {
  it('S5: what lies behind a gap waits, and is asked for once until it is answered', () => {
    const { room, join, appended } = setupRoom()
    const author = join()
    const [first, second, third] = edits(7, 3) as [Uint8Array, Uint8Array, Uint8Array]
    room.receive(author, 1, second, taken)
    room.receive(author, 2, third, taken)
    expect([author.calls, appended.length]).toEqual([['missing?'], 0])
    room.receive(author, 3, first, offered)
    expect([author.calls, appended.length]).toEqual([['missing?'], 3])
    room.receive(author, 4, edits(8, 2)[1] as Uint8Array, taken)
    expect(author.calls).toEqual(['missing?', 'missing?'])
  })

  it('S5: who doesn’t read is asked when it has read what it was told before, and once', () => {
    const { room, join } = setupRoom()
    const author = join(true)
    const backedUp = (value: boolean) =>
      Object.defineProperty(author, 'congested', { value, configurable: true })
    backedUp(true)
    for (let i = 1; i < 9; i += 2) {
      room.receive(author, i, edits(10 + i, 2)[1] as Uint8Array, taken)
      room.receive(author, i + 1, Uint8Array.of(0, 0), offered)
    }
    expect(author.calls.filter((call) => call === 'missing?')).toEqual([])
    backedUp(false)
    room.drained(author)
    room.drained(author)
    expect(author.calls.filter((call) => call === 'missing?')).toEqual(['missing?'])
  })

  it('S5: nobody is asked again and again: that takes work, and an answer none', () => {
    const { room, join } = setupRoom()
    const author = join(true)
    for (let i = 1; i < 100; i += 2) {
      room.receive(author, i, edits(10 + i, 2)[1] as Uint8Array, taken)
      room.receive(author, i + 1, Uint8Array.of(0, 0), offered)
    }
    expect(author.calls.filter((call) => call === 'missing?')).toHaveLength(20)
  })

  it('S5: a document keeps no more than some thousand client ids that wait, be it of one update', () => {
    const { room, join, appended } = setupRoom()
    /** Of so many clients one struct each, at clock 1, where nobody has what was before. */
    const waiting = (from: number, count: number): Uint8Array =>
      splice(
        Array.from({ length: count }, (_, i) =>
          scanUpdate(forge({ client: from + i, clock: 1, structs: [{ gc: 1 }] })),
        ),
      )
    const [honest, other, greedy] = [join(true), join(true), join(true)]
    room.receive(greedy, 1, waiting(10_000, 4097), offered)
    expect([greedy.calls.at(-1), appended.length]).toEqual(['close 1013', 0])
    room.receive(honest, 1, waiting(10_000, 3000), offered)
    expect([honest.calls, appended.length]).toEqual([[], 1])
    room.receive(other, 1, waiting(20_000, 1500), offered)
    expect([other.calls.at(-1), appended.length]).toEqual(['close 1013', 1])
  })

  it('S5: what a document keeps with gaps is taken from who has all of it', () => {
    const { room, join, appended } = setupRoom()
    const author = join(true)
    const structs = Array.from({ length: 900 }, () => [{ gc: 1 }, { skip: 1 }]).flat()
    const part = (clock: number) => forge({ client: 7, clock, structs: [...structs, { gc: 1 }] })
    room.receive(author, 1, part(1), offered)
    room.receive(author, 2, part(3001), offered)
    const all = forge({
      client: 7,
      clock: 1,
      structs: [...structs, { gc: 1 }, { skip: 1199 }, ...structs, { gc: 1 }],
    })
    room.receive(author, 3, all, offered)
    expect([author.calls, appended.length]).toEqual([[], 2])
  })

  it('S5: a document keeps no more than some thousand gaps', () => {
    const { room, join } = setupRoom()
    const author = join(true)
    const structs = Array.from({ length: 900 }, () => [{ gc: 1 }, { skip: 1 }]).flat()
    let messages = 0
    while (author.calls.every((call) => !call.startsWith('close')) && messages < 20) {
      messages++
      const update = forge({ client: 7, clock: 1 + messages * 2000, structs: [...structs, { gc: 1 }] })
      room.receive(author, messages, update, offered)
    }
    expect(messages).toBe(6)
    expect(author.calls.at(-1)).toBe('close 1013')
  })

  it('S5: it is kept as it is when its author leaves, and when its author itself has no more', () => {
    const { room, join, appended } = setupRoom()
    const [author, other] = [join(), join()]
    room.receive(author, 1, edits(7, 2)[1] as Uint8Array, taken)
    room.leave(author)
    room.receive(other, 1, edits(8, 2)[1] as Uint8Array, offered)
    room.leave(other)
    room.leave(other)
    expect(appended.map(({ update }) => update)).toEqual([edits(7, 2)[1], edits(8, 2)[1]])
  })

  it('S5: kept without its deletions, so that nothing is gone whose replacement can’t be seen', () => {
    const { room, join, appended } = setupRoom()
    const author = join()
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (const clientID of [7, 8, 9]) {
      doc.clientID = clientID
      doc.transact(() => {
        doc.getArray('log').push([clientID])
        if (clientID !== 8) doc.getMap('m').set('key', clientID)
      })
    }
    const [old, lost, replaced] = updates as [Uint8Array, Uint8Array, Uint8Array]
    room.receive(author, 1, old, taken)
    room.receive(author, 2, replaced, taken)
    room.leave(author)
    const there = new Y.Doc()
    for (const { update } of appended) Y.applyUpdate(there, update)
    expect(there.getMap('m').get('key')).toBe(7)
    Y.applyUpdate(there, lost)
    expect(there.getMap('m').get('key')).toBe(9)
  })

  it('S5: what came before what it builds upon is not confirmed until that has come, too', () => {
    const { room, join, appended } = setupRoom()
    const [stock, ours] = [join(), join(true)]
    const [theirs, mine] = [edits(7, 3), edits(8, 3)] as [Uint8Array[], Uint8Array[]]
    room.receive(stock, 1, theirs[1] as Uint8Array, taken)
    room.receive(ours, 1, mine[1] as Uint8Array, taken)
    room.receive(ours, 2, edits(9, 1)[0] as Uint8Array, taken)
    room.flush()
    const heard = stock.updates
    room.committed(appended.length)
    expect([stock.updates, ours.calls]).toEqual([heard, ['missing?']])
    room.receive(stock, 2, whole(theirs), offered)
    room.receive(ours, 3, whole(mine), offered)
    room.flush()
    const before = stock.updates
    room.committed(appended.length)
    expect(stock.updates).toBe(before + 1)
    expect(ours.calls).toEqual(['missing?', 'ack 3'])
  })

  it('S5: nor what builds upon another client’s edit, nor what builds upon that', () => {
    const { room, join, appended } = setupRoom()
    const [stock, ours, third] = [join(), join(true), join(true)]
    const [lost, mine, next] = chain(7, 8, 9)
    room.receive(stock, 1, mine, taken)
    room.receive(ours, 1, next, taken)
    expect([stock.calls, ours.calls, appended.length]).toEqual([['missing?'], ['missing?'], 0])
    room.receive(third, 1, lost, offered)
    // What was missing comes first, and each after what it builds upon.
    expect(appended.map(({ update }) => update)).toEqual([lost, mine, next])
    room.flush()
    const before = stock.updates
    room.committed(3)
    expect([stock.updates - before, ours.calls, third.calls]).toEqual([1, ['missing?', 'ack 1'], ['ack 1']])
  })

  it('S5: what waits beside the document is safe with all of it, though somebody else brings its structs', async () => {
    const { room, join, appended } = setupRoom()
    const ours = join(true)
    const doc = new Y.Doc()
    const said: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => void said.push(update))
    const text = doc.getText('t')
    const by = (clientID: number, change: () => void): Uint8Array => {
      doc.clientID = clientID
      doc.transact(change)
      return said.at(-1) as Uint8Array
    }
    const lost = by(7, () => text.insert(0, 'lost'))
    const replaced = by(8, () => {
      text.insert(4, 'mine')
      text.delete(0, 4)
    })
    room.receive(ours, 1, replaced, taken)
    const structs = splice([{ ...scanUpdate(replaced), deletes: [] }])
    const merged = room.merge(Y.mergeUpdates([lost, structs]))
    await Promise.resolve()
    expect(appended.length, 'the deletion is an update of its own').toBe(2)
    room.committed(1)
    expect(ours.calls).toEqual(['missing?'])
    room.committed(2)
    expect(ours.calls).toEqual(['missing?', 'ack 1'])
    expect(await merged).toBe(true)
  })

  it('S5, X4: what a sync step 2 itself lacks doesn’t keep its author from hearing that its own is safe', () => {
    const { room, join, appended } = setupRoom()
    const [lost, mine] = chain(7, 8, 9)
    const [own, more] = edits(9, 2) as [Uint8Array, Uint8Array]
    const gone = join(true)
    room.receive(gone, 1, mine, offered)
    room.committed(1)
    expect(gone.calls).toEqual(['ack 1'])
    // It heard of that, can't see it, and offers it with its own.
    const doc = new Y.Doc()
    for (const update of [mine, own]) Y.applyUpdate(doc, update)
    const ours = join(true)
    room.receive(ours, 1, Y.encodeStateAsUpdate(doc), offered)
    room.receive(ours, 2, more, taken)
    room.receive(ours, 3, Y.encodeStateAsUpdate(doc), offered)
    room.committed(appended.length)
    expect(ours.calls.at(-1)).toBe('ack 3')
    // Who says that it is an edit of its own, which it can see, is told the truth.
    room.receive(ours, 4, mine, taken)
    expect(ours.calls.at(-1)).toBe('ack 3')
    room.receive(gone, 2, lost, offered)
    room.committed(appended.length)
    expect(ours.calls.at(-1)).toBe('ack 4')
  })

  it('S5, X9: what waited for initial content is called safe with it', () => {
    const { room, join } = setupRoom()
    const [ours, other] = [join(true), join(true)]
    const [, second] = edits(7, 2) as [Uint8Array, Uint8Array]
    room.present(ours, hereIs(5))
    room.receive(ours, 1, second, taken)
    room.seed(other, whole(edits(7, 2)))
    room.committed(1)
    expect(ours.calls).toEqual(['missing?', 'ack 1'])
  })

  it('S5: a server that stops keeps what waits, as when its author leaves', () => {
    const { room, join, appended } = setupRoom()
    const author = join()
    room.receive(author, 1, edits(7, 2)[1] as Uint8Array, taken)
    room.stop()
    expect(appended).toHaveLength(1)
    room.leave(author)
    expect(appended).toHaveLength(1)
  })

  it('S5: what was on disk already, and waits, is told from what can be seen', () => {
    const [lost, mine, next] = chain(7, 8, 9)
    for (const compacted of [false, true]) {
      const snapshot = { seq: 1, update: mine }
      const { room, join, appended } = setupRoom(
        compacted
          ? { snapshot, tail: [] }
          : { snapshot: null, tail: [{ seq: 1, update: mine, time: 0, author: '' }] },
      )
      const ours = join(true)
      // A repetition is worth no more than what it repeats.
      room.receive(ours, 1, mine, taken)
      room.receive(ours, 2, next, taken)
      expect([ours.calls, appended.length]).toEqual([['missing?'], 0])
      room.receive(ours, 3, lost, taken)
      room.committed(3)
      expect(ours.calls).toEqual(['missing?', 'ack 3'])
    }
  })
})
