import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { defaultPresenceLimits, entriesIn, MOST_ENTRIES, Presence } from '../../server/room/presence.js'
import { messagesIn } from '../support/frames.js'

/** A client's awareness, with its id under control and without timers left behind. */
const client = (id: number): Awareness => {
  const doc = new Y.Doc()
  doc.clientID = id
  const awareness = new Awareness(doc)
  awareness.clientID = id
  clearInterval(awareness._checkInterval)
  return awareness
}

const says = (awareness: Awareness, ids = [awareness.clientID]): Uint8Array =>
  encodeAwarenessUpdate(awareness, ids)

const hear = (awareness: Awareness, frame: Uint8Array | null): void => {
  for (const message of messagesIn(frame ? [frame] : [])) {
    if (message.type !== 'awareness') throw new Error(`a ${message.type}`)
    applyAwarenessUpdate(awareness, message.update, 'test')
  }
}

const raw = (id: number, clock: number, json: string): Uint8Array =>
  Uint8Array.from([1, id, clock, json.length, ...Buffer.from(json)])

/** One update of many entries. */
const many = (entries: readonly (readonly [id: number, clock: number, json: string])[]): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, entries.length)
    for (const [id, clock, json] of entries) {
      encoding.writeVarUint(encoder, id)
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarString(encoder, json)
    }
  })

const idsIn = (frame: Uint8Array | null): number =>
  messagesIn(frame ? [frame] : []).reduce(
    (sum, message) => sum + (message.type === 'awareness' ? entriesIn(message.update) : 0),
    0,
  )

describe('Presence', () => {
  it('passes on the latest state of each id, once', () => {
    const presence = new Presence<string>()
    const [alice, bob] = [client(1), client(2)]
    for (let i = 0; i < 5; i++) {
      alice.setLocalState({ cursor: i })
      presence.receive('a', says(alice))
    }
    hear(bob, presence.takeChanges())
    expect(bob.getStates().get(1)).toEqual({ cursor: 4 })
    expect(presence.takeChanges()).toBeNull()
  })

  it('tells a joiner all, and says nothing when nobody is here', () => {
    const presence = new Presence<string>()
    expect(presence.all()).toBeNull()
    for (const id of [1, 2, 3]) {
      const each = client(id)
      each.setLocalState({ name: `n${id}` })
      presence.receive(`m${id}`, says(each))
    }
    const joiner = client(9)
    hear(joiner, presence.all())
    expect([...joiner.getStates().keys()].sort()).toEqual([1, 2, 3, 9])
    expect(presence.all()).toBe(presence.all())
  })

  it('S6: a leaver is announced as gone, and peers believe it', () => {
    const presence = new Presence<string>()
    const [alice, bob] = [client(1), client(2)]
    alice.setLocalState({ name: 'alice' })
    presence.receive('a', says(alice))
    hear(bob, presence.takeChanges())
    presence.leave('a')
    expect(presence.size).toBe(0)
    hear(bob, presence.takeChanges())
    expect(bob.getStates().has(1)).toBe(false)
  })

  it("S6: nobody changes or removes another's state", () => {
    const presence = new Presence<string>()
    presence.receive('a', raw(1, 3, '{"n":1}'))
    presence.receive('b', raw(2, 1, '{"n":2}'))
    presence.takeChanges()
    presence.receive('b', raw(1, 9, '{"n":"forged"}'))
    presence.receive('b', raw(1, 3, 'null'))
    expect(presence.hasChanges).toBe(false)
    presence.leave('b')
    const peer = client(7)
    hear(peer, presence.all())
    expect(peer.getStates().get(1)).toEqual({ n: 1 })
  })

  it('S6: an id that another tab merely repeated goes to its own connection when that speaks', () => {
    const presence = new Presence<string>()
    presence.receive('tab 1', raw(1, 1, '{"tab":1}'))
    presence.receive('tab 1', raw(2, 1, '{"tab":2}')) // heard through the browser's own channel
    presence.receive('tab 2', raw(2, 1, '{"tab":2}')) // tab 2's socket opens
    presence.leave('tab 1')
    const peer = client(7)
    hear(peer, presence.all())
    expect([...peer.getStates().keys()].sort()).toEqual([2, 7])
  })

  it('S6: an own id does not go to who merely claims it first thing', () => {
    const presence = new Presence<string>()
    presence.receive('a', raw(1, 1, '{"n":1}'))
    presence.receive('thief', raw(1, 5, '{"n":"forged"}'))
    presence.leave('thief')
    expect(presence.size).toBe(1)
  })

  it('an id is free again once its connection has gone, at the same clock too', () => {
    const presence = new Presence<string>()
    presence.receive('old', raw(1, 4, '{}'))
    presence.leave('old')
    presence.receive('new', raw(1, 4, '{}'))
    expect(presence.size).toBe(1)
  })

  it('refuses malformed bytes and states that peers could not parse', () => {
    const presence = new Presence<string>()
    const bad = [
      Uint8Array.of(),
      Uint8Array.of(1),
      Uint8Array.of(200, 1, 1),
      raw(1, 1, '{').slice(0, -1),
      raw(1, 1, '{"a":'),
      raw(1, 1, 'undefined'),
      Uint8Array.of(...raw(1, 1, '{}'), 0),
      Uint8Array.of(1, 2, 1, 3, 0x22, 0xff, 0x22),
    ]
    for (const bytes of bad) {
      expect(() => presence.receive('a', bytes)).toThrowError(
        expect.objectContaining({ code: 'INKWIRE_BAD_MESSAGE' }),
      )
    }
    expect(() => presence.receive('a', Uint8Array.of(0))).not.toThrow()
  })

  it('refuses states that are nested deeper than values in updates: stock clients print them by recursion', () => {
    const presence = new Presence<string>()
    const nested = (depth: number, [open, close]: readonly [string, string]): Uint8Array =>
      many([[1, depth, `{"user":${open.repeat(depth - 1)}0${close.repeat(depth - 1)}}`]])
    for (const brackets of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      expect(() => presence.receive('a', nested(257, brackets))).toThrowError(
        expect.objectContaining({ code: 'INKWIRE_BAD_MESSAGE' }),
      )
      expect(() => presence.receive('a', nested(2600, brackets))).toThrow('malformed')
    }
    expect(presence.size).toBe(0)
    expect(presence.receive('a', nested(256, ['[', ']']))).toBeNull()
    expect(presence.receive('a', many([[1, 300, JSON.stringify('['.repeat(5000))]]))).toBeNull()
  })

  it('refuses a byte order mark, which JSON has none of', () => {
    const presence = new Presence<string>()
    expect(() => presence.receive('a', many([[1, 1, '\ufeff{}']]))).toThrow('malformed')
  })

  it('is bounded: ids per connection, bytes per state, per connection and in all', () => {
    const limits = { idsPerMember: 3, stateBytes: 10, memberBytes: 12, roomBytes: 16 }
    const presence = new Presence<string>(limits)
    for (let id = 1; id <= 20; id++) presence.receive('a', raw(id, 1, '{}'))
    expect(presence.size).toBe(3)
    expect(presence.receive('a', raw(4, 1, '{}'))).toMatchObject({ reason: 'too many presence ids' })
    expect(presence.receive('b', raw(50, 1, '"0123456789"'))).toMatchObject({
      reason: 'too large a presence',
    })
    expect(presence.receive('b', raw(50, 1, '"01234567"'))).toBeNull()
    expect(presence.receive('b', raw(51, 1, '"0"'))).toMatchObject({ reason: 'too large a presence' })
    expect(presence.receive('c', raw(60, 1, '0'))).toMatchObject({ reason: 'too large a presence' })
    // What is replaced or gone doesn't count.
    expect(presence.receive('b', raw(50, 2, '"76543210"'))).toBeNull()
    presence.leave('b')
    expect(presence.receive('c', raw(60, 1, '0'))).toBeNull()
    presence.leave('a')
    presence.leave('c')
    expect(presence.receive('d', raw(1, 1, '"01234567"'))).toBeNull()
  })

  it('S6: clocks go in steps, and never near the end of numbers', () => {
    const presence = new Presence<string>()
    const at = (clock: number): Uint8Array =>
      encoding.encode((encoder) => {
        for (const each of [1, 1, clock]) encoding.writeVarUint(encoder, each)
        encoding.writeVarString(encoder, '{}')
      })
    const implausible = { reason: 'an implausible presence clock' }
    expect(presence.receive('a', at(2 ** 53 - 1))).toMatchObject(implausible)
    expect(presence.receive('a', at(5))).toBeNull()
    expect(presence.receive('a', at(2 ** 30))).toMatchObject(implausible)
    expect(presence.receive('a', at(6))).toBeNull()
  })

  it('S6: an owner gets its id back from one who repeated it with a greater clock', () => {
    const presence = new Presence<string>()
    presence.receive('other', raw(9, 1, '{}'))
    presence.receive('other', raw(1, 90, '{"forged":1}'))
    const [alice, bob] = [client(1), client(2)]
    hear(bob, presence.takeChanges())
    alice.setLocalState({ name: 'alice' })
    presence.receive('a', says(alice))
    const changes = presence.takeChanges()
    hear(bob, changes)
    expect(bob.getStates().get(1)).toEqual({ name: 'alice' })
    // It hears the clock itself and goes on from there.
    hear(alice, changes)
    alice.setLocalState({ name: 'alice', cursor: 1 })
    presence.receive('a', says(alice))
    hear(bob, presence.takeChanges())
    expect(bob.getStates().get(1)).toEqual({ name: 'alice', cursor: 1 })
  })

  it('looks at so many entries of a message, and at nothing behind them', () => {
    const presence = new Presence<string>()
    const own = [1, 2, '{"n":1}'] as const
    const others = Array.from({ length: MOST_ENTRIES }, (_, i) => [1000 + i, 1, 'null'] as const)
    presence.receive('a', raw(1, 1, '{}'))
    const tooMany = { code: 4529, reason: 'too many presence ids in one message' }
    expect(presence.receive('a', many([...others, own]))).toMatchObject(tooMany)
    const peer = client(7)
    hear(peer, presence.all())
    expect(peer.getStates().get(1)).toEqual({})
    expect(presence.receive('a', many([own, ...others.slice(1)]))).toBeNull()
    hear(peer, presence.all())
    expect(peer.getStates().get(1)).toEqual({ n: 1 })
  })

  it('a stock client that repeats what it hears from a room of thousands is told nothing', () => {
    const presence = new Presence<number>()
    const [joiner, members] = [client(5_000), 4_999]
    for (let id = 1; id <= members; id++) presence.receive(id, many([[id, 1, '{"user":{"name":"n"}}']]))
    hear(joiner, presence.all())
    const repeats = says(joiner, [...joiner.getStates().keys()])
    expect(entriesIn(repeats)).toBe(members + 1)
    presence.receive(members + 1, says(joiner))
    presence.takeChanges()
    expect(presence.receive(members + 1, repeats)).toBeNull()
    expect([presence.size, presence.hasChanges]).toEqual([members + 1, false])
  })

  it('nobody hears of an id that came and went since they heard last', () => {
    const presence = new Presence<string>()
    const churn = Array.from({ length: 2000 }, (_, i) => [
      [1000 + i, 1, '1'] as const,
      [1000 + i, 2, 'null'] as const,
    ])
    presence.receive('a', many(churn.flat()))
    expect([presence.size, presence.hasChanges]).toEqual([0, false])
    presence.receive('b', raw(2, 1, '{}'))
    presence.leave('b')
    expect(presence.takeChanges()).toBeNull()
  })

  it('an id that anybody has heard of is announced as gone, whatever came in between', () => {
    const presence = new Presence<string>()
    const [flushed, joined] = [client(7), client(8)]
    presence.receive('a', raw(1, 1, '{}'))
    hear(flushed, presence.takeChanges())
    presence.receive('b', raw(2, 1, '{}'))
    hear(joined, presence.all())
    // Gone, back and gone again, all before the next flush.
    for (const [clock, json] of [
      [2, 'null'],
      [3, '{}'],
      [4, 'null'],
    ] as const) {
      presence.receive('a', raw(1, clock, json))
    }
    presence.leave('b')
    const changes = presence.takeChanges()
    expect(idsIn(changes)).toBe(2)
    for (const peer of [flushed, joined]) {
      hear(peer, changes)
      expect([...peer.getStates().keys()]).toEqual([peer.clientID])
    }
  })

  it('reads no more states of a message than one connection may have', () => {
    const presence = new Presence<string>({ ...defaultPresenceLimits, memberBytes: 100 })
    const again = Array.from({ length: 50 }, (_, i) => [1, i + 1, '"0123456"'] as const)
    expect(presence.receive('a', many(again))).toMatchObject({ reason: 'too large a presence' })
    const peer = client(7)
    hear(peer, presence.all())
    expect(peer.meta.get(1)?.clock).toBe(11)
    expect(presence.receive('a', raw(1, 60, '"0123456"'))).toBeNull()
  })
})

describe('entriesIn', () => {
  it('says how many are looked at, whatever the bytes are', () => {
    expect(entriesIn(raw(1, 1, '{}'))).toBe(1)
    expect(entriesIn(many(Array.from({ length: 20_000 }, (_, i) => [i, 1, 'null'])))).toBe(MOST_ENTRIES)
    for (const bytes of [[], [0], [0xff], [200], [200, 1, 1]]) {
      expect(entriesIn(Uint8Array.from(bytes))).toBeLessThanOrEqual(1)
    }
  })
})
