import { describe, expect, it } from 'vitest'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { DocumentLog, Entry } from '../../server/journal/journal.js'
import { Counters } from '../../server/observe/counters.js'
import { Compaction } from '../../server/room/compaction.js'
import { Content } from '../../server/room/content.js'
import { defaultPresenceLimits } from '../../server/room/presence.js'
import { Recall } from '../../server/room/recall.js'
import { Room } from '../../server/room/room.js'
import { Turns } from '../../server/room/turns.js'
import { FakeMember } from '../support/fake-member.js'
import { forge } from '../support/forge.js'

/** A room whose disk the test commits, and whose turns it ends. */
const setup = (stored: ConstructorParameters<typeof Content>[0] = { snapshot: null, tail: [] }) => {
  const soon: (() => void)[] = []
  const appended: Entry[] = []
  const log: DocumentLog = {
    document: { name: 'doc', generation: '0'.repeat(32), snapshot: null, tail: [], seq: 0 },
    append: (entry) => appended.push(entry),
    hold: (entry) => appended.push(entry),
    commit: () => undefined,
    compact: () => Promise.resolve(),
    release: () => undefined,
    letGo: () => undefined,
    snapshot: async () => null,
  }
  const content = new Content(stored)
  const counters = new Counters()
  const compact = () => Promise.reject(new Error('not here'))
  const onError = () => undefined
  const recall = new Recall(log, content, { counters, onError })
  let idle = 0
  const room = new Room(
    {
      name: 'doc',
      log,
      content,
      compaction: new Compaction(log, content, { compact, recall, counters, onError }),
      recall,
      onIdle: () => idle++,
    },
    {
      turns: new Turns({ soon: (task) => void soon.push(task), later: () => () => undefined }),
      clock: () => 0,
      now: () => 42,
      counters,
      onFlush: () => undefined,
      presence: defaultPresenceLimits,
      maxDocumentBytes: 1024 * 1024,
    },
  )
  return {
    room,
    appended,
    idle: () => idle,
    endTurn: () => {
      for (const task of soon.splice(0)) task()
    },
    /** @param holds what it says it holds; `null`: it hasn't asked yet. */
    join: (extended = false, user = '', holds: Uint8Array | null = Uint8Array.of(0, 0)): FakeMember => {
      const member = new FakeMember(extended, user)
      room.join(member)
      if (holds) room.answer(member, Y.encodeStateVectorFromUpdate(holds))
      return member
    },
  }
}

const edits = (clientID: number, count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  doc.clientID = clientID
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < count; i++) doc.getText('t').insert(i, 'x')
  return updates
}

/** One edit of each client, each behind the one before. */
const chain = (...clients: readonly [number, number, number]): [Uint8Array, Uint8Array, Uint8Array] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const client of clients) {
    doc.clientID = client
    doc.getText('t').insert(doc.getText('t').length, 'x')
  }
  return updates as [Uint8Array, Uint8Array, Uint8Array]
}

const whole = (updates: readonly Uint8Array[]): Uint8Array => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return Y.encodeStateAsUpdate(doc)
}

const hereIs = (id: number): Uint8Array => Uint8Array.of(1, id, 1, 2, 0x7b, 0x7d)
const taken = { mayWrite: true, reoffered: false }
const offered = { mayWrite: true, reoffered: true }

describe('Room', () => {
  it('S3, S4: others get an update at once, its author when it is durable; the journal gets time and user', () => {
    const { room, join, endTurn, appended } = setup()
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
    const { room, join } = setup()
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
    const { room, join, endTurn } = setup()
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
    const { room, join, endTurn } = setup()
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
    const { room, join, endTurn } = setup()
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

  it('S7: who writes under an id has it, who offers others’ edits hasn’t', () => {
    const { room, join } = setup()
    const [ada, bob, eve] = [join(), join(), join()]
    const [first, second, third] = edits(7, 3) as [Uint8Array, Uint8Array, Uint8Array]
    room.receive(eve, 1, first, offered)
    expect(room.receive(ada, 1, second, taken)).toBe(true)
    expect(room.receive(bob, 1, third, taken)).toBe(false)
    expect(ada.calls).toEqual(['there?'])
  })

  it('S7: an id that only edits spoke for goes to whose presence has it', () => {
    const { room, join, appended } = setup()
    const [author, peer] = [join(), join()]
    const updates = edits(7, 3)
    room.receive(peer, 1, updates[0] as Uint8Array, taken)
    room.present(author, hereIs(7))
    expect(room.receive(author, 1, whole(updates), offered)).toBe(true)
    expect(appended.length).toBe(2)
    expect(room.receive(peer, 2, edits(7, 4)[3] as Uint8Array, taken)).toBe(false)
  })

  it('S7: what goes ahead of a message brings no deletions, and comes back to a stock author with the whole', () => {
    const { room, join, appended } = setup()
    const [ada, bob] = [join(), join(true)]
    room.present(ada, hereIs(7))
    room.present(bob, hereIs(8))
    const doc = new Y.Doc()
    doc.clientID = 7
    doc.getMap('m').set('key', 7)
    room.receive(ada, 1, Y.encodeStateAsUpdate(doc), taken)
    room.committed(1)
    room.flush()
    const before = ada.updates
    // Bob replaced it, and she wrote something else, when the server died.
    const held = Y.encodeStateVector(doc)
    doc.clientID = 8
    doc.getMap('m').set('key', 8)
    doc.clientID = 7
    doc.getText('t').insert(0, 'x')
    const both = Y.encodeStateAsUpdate(doc, held)
    expect(room.receive(ada, 2, both, offered)).toBe(false)
    const ahead = new Y.Doc()
    for (const { update } of appended) Y.applyUpdate(ahead, update)
    expect([ahead.getMap('m').get('key'), ahead.getText('t').toString()]).toEqual([7, 'x'])
    room.flush()
    room.committed(2)
    expect(ada.updates).toBe(before)
    room.leave(bob)
    expect(ada.calls).toContain('go on')
    expect(room.receive(ada, 2, both, offered)).toBe(true)
    room.flush()
    room.committed(3)
    expect(ada.updates).toBe(before + 2)
  })

  it('S7: two who offer each other’s edits again, as after a crash, do not wait for each other', () => {
    const { room, join, appended } = setup()
    const [ada, bob] = [join(true), join(true)]
    room.present(ada, hereIs(7))
    room.present(bob, hereIs(8))
    const both = whole([...edits(7, 3), ...edits(8, 3)])
    expect(room.receive(ada, 1, both, offered)).toBe(false)
    expect(room.receive(bob, 1, both, offered)).toBe(true)
    expect(ada.calls).toContain('go on')
    expect(room.receive(ada, 1, both, offered)).toBe(true)
    room.committed(appended.length)
    expect(ada.calls.at(-1)).toBe('ack 1')
    expect(bob.calls.at(-1)).toBe('ack 1')
    const state = new Y.Doc()
    for (const { update } of appended) Y.applyUpdate(state, update)
    expect(state.getText('t').length).toBe(6)
  })

  it('A4: news of a reader are refused and counted as settled, repetitions are not refused', () => {
    const { room, join, appended } = setup()
    const [writer, reader] = [join(true), join(true)]
    const [known, news] = edits(7, 2) as [Uint8Array, Uint8Array]
    room.receive(writer, 1, known, taken)
    room.committed(1)
    room.receive(reader, 1, known, { mayWrite: false, reoffered: true })
    room.receive(reader, 2, news, { mayWrite: false, reoffered: false })
    expect(reader.calls).toEqual(['ack 1', 'refuse 2', 'ack 2'])
    expect(appended.length).toBe(1)
  })

  it('S5: what lies behind a gap waits, and is asked for once until it is answered', () => {
    const { room, join, appended } = setup()
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
    const { room, join } = setup()
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
    const { room, join } = setup()
    const author = join(true)
    for (let i = 1; i < 100; i += 2) {
      room.receive(author, i, edits(10 + i, 2)[1] as Uint8Array, taken)
      room.receive(author, i + 1, Uint8Array.of(0, 0), offered)
    }
    expect(author.calls.filter((call) => call === 'missing?')).toHaveLength(20)
  })

  it('S5: a document keeps no more than some thousand gaps', () => {
    const { room, join } = setup()
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
    const { room, join, appended } = setup()
    const [author, other] = [join(), join()]
    room.receive(author, 1, edits(7, 2)[1] as Uint8Array, taken)
    room.leave(author)
    room.receive(other, 1, edits(8, 2)[1] as Uint8Array, offered)
    room.leave(other)
    room.leave(other)
    expect(appended.map(({ update }) => update)).toEqual([edits(7, 2)[1], edits(8, 2)[1]])
  })

  it('S5: kept without its deletions, so that nothing is gone whose replacement can’t be seen', () => {
    const { room, join, appended } = setup()
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
    const { room, join, appended } = setup()
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
    const { room, join, appended } = setup()
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

  it('S5, X4: what a sync step 2 itself lacks doesn’t keep its author from hearing that its own is safe', () => {
    const { room, join, appended } = setup()
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
    const { room, join } = setup()
    const [ours, other] = [join(true), join(true)]
    const [, second] = edits(7, 2) as [Uint8Array, Uint8Array]
    room.present(ours, hereIs(5))
    room.receive(ours, 1, second, taken)
    room.seed(other, whole(edits(7, 2)))
    room.committed(1)
    expect(ours.calls).toEqual(['missing?', 'ack 1'])
  })

  it('S5: a server that stops keeps what waits, as when its author leaves', () => {
    const { room, join, appended } = setup()
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
      const { room, join, appended } = setup(
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

  it('S5, S7: nothing that waits is let in under an id that somebody has shown meanwhile', () => {
    const { room, join, appended } = setup()
    const [author, owner] = [join(true), join(true)]
    const [first, second] = edits(7, 2) as [Uint8Array, Uint8Array]
    // Its own id is another one.
    room.receive(author, 1, edits(9, 1)[0] as Uint8Array, taken)
    room.receive(author, 2, second, taken)
    room.present(owner, hereIs(7))
    room.receive(owner, 1, first, offered)
    expect(appended.map(({ update }) => update)).toEqual([edits(9, 1)[0], first])
    expect(author.calls).toEqual(['missing?'])
  })

  it('is idle only when nobody is there and all is durable', () => {
    const { room, join, idle } = setup()
    const author = join()
    room.receive(author, 1, edits(7, 1)[0] as Uint8Array, taken)
    room.leave(author)
    expect([room.idle, idle()]).toEqual([false, 0])
    room.committed(1)
    expect([room.idle, idle()]).toEqual([true, 1])
  })
})

describe('X9: initial content', () => {
  const contentOf = (text: string): Uint8Array => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, text)
    return Y.encodeStateAsUpdate(doc)
  }
  const how = { mayWrite: true, reoffered: false }
  const NOTHING = Uint8Array.of(0)

  it('is on disk before anybody sees it, and only then anything else happens', () => {
    const { room, join, endTurn, appended } = setup()
    const [a, b] = [join(true, 'ada'), join()]
    room.seed(a, contentOf('first'))
    room.seed(b, contentOf('second'))
    endTurn()
    expect(appended).toMatchObject([{ author: 'ada' }])
    expect(room).toMatchObject({ idle: false, seq: 0 })
    expect(room.answer(a, NOTHING)).toBe(null)
    expect(room.receive(b, 1, contentOf('typed'), how)).toBe(false)
    expect([a.updates, b.updates, appended.length]).toEqual([0, 0, 1])
    room.committed(1)
    endTurn()
    expect([a.updates, b.updates]).toEqual([1, 1])
    expect([a.calls, b.calls]).toEqual([['go on'], ['go on']])
    expect(room.receive(b, 1, contentOf('typed'), how)).toBe(true)
    expect(room.answer(a, NOTHING)).not.toBe(null)
    expect(appended.length).toBe(2)
  })

  it('is not waited for by who has left, and the room stays until it is on disk', () => {
    const { room, join, idle } = setup()
    const a = join(true)
    room.seed(a, contentOf('first'))
    room.answer(a, NOTHING)
    room.leave(a)
    expect([room.idle, idle()]).toEqual([false, 0])
    room.committed(1)
    expect([room.idle, idle() > 0, a.calls]).toEqual([true, true, []])
  })

  it('comes before what the app merges meanwhile', async () => {
    const { room, join, appended } = setup()
    room.seed(join(true), contentOf('first'))
    const merged = room.merge(contentOf('from the app'))
    await Promise.resolve()
    expect(appended.length).toBe(1)
    room.committed(1)
    await expect.poll(() => appended.length).toBe(2)
    room.committed(2)
    expect(await merged).toBe(true)
  })

  it('under an id that somebody else has is refused', () => {
    const { room, join } = setup()
    const [owner, thief] = [join(true), join(true)]
    const presence = new Awareness(new Y.Doc())
    room.present(owner, encodeAwarenessUpdate(presence, [presence.clientID]))
    presence.doc.getText('t').insert(0, 'stolen')
    expect(() => room.seed(thief, Y.encodeStateAsUpdate(presence.doc))).toThrow(/not its own/)
    room.seed(owner, Y.encodeStateAsUpdate(presence.doc))
    presence.destroy()
  })
})
