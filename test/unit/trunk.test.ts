import { beforeEach, describe, expect, it } from 'vitest'
import type { Guest } from '../../server/clients/connections.js'
import { Trunk } from '../../server/clients/trunk.js'
import type { Transport } from '../../server/session/session.js'
import { frame } from '../../server/websocket/frame.js'
import { decodeTrunkMessage, encodeTrunkMessage } from '../../shared/codec.js'
import type { TrunkMessage } from '../../shared/messages.js'
import { payloadsIn } from '../support/frames.js'

const KIB = 1024

/** A connection whose other end is the test. */
class FakeConnection implements Transport {
  readonly outlet = this
  congested = false
  full = false
  paused = false
  probes = 0
  closed: [code: number, reason: string] | null = null
  readonly writes: (readonly Uint8Array[])[] = []
  readonly streams: Iterable<readonly Uint8Array[]>[] = []

  write(frames: readonly Uint8Array[]): void {
    this.writes.push(frames)
  }
  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    this.streams.push(pieces)
  }
  close(code: number, reason: string): void {
    this.closed ??= [code, reason]
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  probe(): void {
    this.probes++
  }

  /** What went out since the last look: markers and the like as they are, documents' messages as text. */
  said(): unknown[] {
    return this.writes
      .splice(0)
      .flatMap((frames) => payloadsIn(frames))
      .map((bytes) => decodeTrunkMessage(bytes) ?? Buffer.from(bytes).toString())
  }
}

/** A document's client that does what a test says. */
class FakeGuest implements Guest {
  readonly heard: string[] = []
  readonly fields = {}
  started = false
  endedWith: number | null = null
  onDrained = (): void => {}
  onMessage = (): void => {}

  constructor(
    readonly target: string,
    readonly extended: boolean,
    readonly channel: Transport,
  ) {}

  visits(): [] {
    return []
  }
  start(): void {
    this.started = true
  }
  receive(payload: Uint8Array): void {
    this.heard.push(Buffer.from(payload).toString())
    this.onMessage()
  }
  drained(): void {
    this.onDrained()
  }
  stopReading(): void {
    this.heard.push('no more')
  }
  close(code: number, reason: string): void {
    this.channel.close(code, reason)
  }
  ended(code: number): void {
    this.endedWith = code
  }
  say(text: string): void {
    this.channel.outlet.write([frame(Buffer.from(text))])
  }
}

let connection: FakeConnection
let guests: FakeGuest[]
let endings: number[]
let trunk: Trunk

beforeEach(() => {
  connection = new FakeConnection()
  guests = []
  endings = []
  trunk = new Trunk(connection, {
    maxChannels: 3,
    receive: (target, extended, channel) => {
      if (target === 'bad') return { code: 4404, reason: 'no name' }
      const guest = new FakeGuest(target, extended, channel)
      guests.push(guest)
      return guest
    },
    opening: () => undefined,
    ending: ({ code }) => void endings.push(code),
  })
  trunk.start()
  connection.said()
})

const hear = (...messages: (TrunkMessage | string)[]): void => {
  for (const each of messages)
    trunk.receive(typeof each === 'string' ? Buffer.from(each) : encodeTrunkMessage(each))
}
const open = (channel: number, target = `doc${channel}`): FakeGuest => {
  hear({ type: 'open', channel, extended: true, target })
  return guests.at(-1) as FakeGuest
}
const to = (channel: number): TrunkMessage => ({ type: 'channel', channel })

describe('markers', () => {
  it('X13: what comes is of the channel that was opened or named last', () => {
    const [one, two] = [open(1), open(2)]
    hear('b', to(1), 'a', 'a', to(2), 'b')
    expect([one.heard, two.heard]).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ])
  })

  it('X13: a marker goes out when the channel changes, in the same write', () => {
    const [one, two] = [open(1), open(2)]
    one.say('a')
    one.say('a')
    two.say('b')
    expect(connection.writes.length).toBe(3)
    one.channel.outlet.write([frame(Buffer.alloc(4 * KIB, 'x')), frame(Buffer.from('y'))])
    expect(connection.writes.length).toBe(4)
    expect(connection.said()).toEqual([to(1), 'a', 'a', to(2), 'b', to(1), 'x'.repeat(4 * KIB), 'y'])
  })

  it('a room’s bytes are not copied for a long write, and nobody else’s for a short one', () => {
    const shared = frame(Buffer.alloc(8 * KIB, 'x'))
    open(1).channel.outlet.write([shared])
    expect(connection.writes[0]?.[1]).toBe(shared)
  })

  it('what is written behind a message in pieces is still of the right channel, also when that is not wanted any more', () => {
    const [one, two] = [open(1), open(2)]
    const pieces = [[frame(Buffer.from('large'))]]
    one.channel.outlet.stream(pieces)
    one.say('after')
    expect(connection.said()).toEqual(['after'])
    one.close(1013, 'enough')
    two.say('b')
    const streamed = connection.streams.map((each) => [...each].flat())
    // The marker is sent in any case: "after" comes behind it.
    expect(
      streamed.map((frames) => [...payloadsIn(frames)].map((bytes) => decodeTrunkMessage(bytes))),
    ).toEqual([[to(1)]])
    expect(connection.said().slice(1)).toEqual([to(2), 'b'])
  })
})

describe('X14: ends', () => {
  it('of a channel leave the others and the connection alone', () => {
    const [one, two] = [open(1), open(2)]
    two.close(4403, 'no')
    expect(two.endedWith).toBe(4403)
    expect(connection.said()).toEqual([{ type: 'end', channel: 2, code: 4403, reason: 'no' }])
    expect(endings).toEqual([4403])
    hear('late', to(1), 'a', to(2), 'late', { type: 'end', channel: 2, code: 1000, reason: '' })
    two.say('never')
    expect([one.heard, two.heard, connection.said(), connection.closed]).toEqual([['a'], [], [], null])
    hear({ type: 'end', channel: 1, code: 1000, reason: '' })
    expect([one.endedWith, connection.said(), endings]).toEqual([1000, [], [4403]])
  })

  it('of the connection are told to all, once', () => {
    const [one, two] = [open(1), open(2)]
    one.close(4403, 'no')
    trunk.ended(1006)
    expect([one.endedWith, two.endedWith]).toEqual([4403, 1006])
    hear(to(2), 'late')
    expect(two.heard).toEqual([])
  })
})

describe('X15: what ends the connection', () => {
  it.each<[string, (TrunkMessage | string)[]]>([
    ['a message of no channel', ['a']],
    ['an empty one', ['']],
    ['a number that was used', [{ type: 'open', channel: 1, extended: true, target: 'again' }]],
    ['a number below', [{ type: 'open', channel: 0, extended: true, target: 'x' }]],
    ['a channel that never was', [to(2)]],
    ['channel 0', [to(0)]],
    ['the end of one that never was', [{ type: 'end', channel: 2, code: 1000, reason: '' }]],
  ])('%s', (what, messages) => {
    if (!/no channel|empty/.test(what)) open(1)
    hear(...messages)
    expect(connection.closed?.[0]).toBe(4400)
    for (const { endedWith } of guests) expect(endedWith).toBe(4400)
    hear({ type: 'open', channel: 9, extended: true, target: 'late' })
    expect(guests.length).toBeLessThan(2)
  })

  it('bytes that are no message', () => {
    trunk.receive(Uint8Array.of(0x78, 9, 1))
    expect(connection.closed?.[0]).toBe(4400)
  })

  it('channels that are opened by one who reads nothing', () => {
    connection.full = true
    open(1)
    expect(connection.closed?.[0]).toBe(4529)
  })
})

describe('X15: what ends only the channel', () => {
  it('no name, too long a one, one too many', () => {
    hear({ type: 'open', channel: 1, extended: true, target: 'bad' })
    hear({ type: 'open', channel: 2, extended: true, target: 'x'.repeat(17 * KIB) })
    for (let channel = 3; channel <= 6; channel++) open(channel)
    expect(connection.said()).toMatchObject([
      { type: 'end', channel: 1, code: 4404 },
      { type: 'end', channel: 2, code: 4404 },
      { type: 'end', channel: 6, code: 4529 },
    ])
    expect(endings).toEqual([4404, 4404, 4529])
    hear('for the one that was refused', to(3), 'a')
    expect(guests[0]?.heard).toEqual(['a'])
    expect(connection.closed).toBe(null)
    hear({ type: 'end', channel: 3, code: 1000, reason: '' })
    open(7)
    expect(guests.length).toBe(4)
  })
})

it('X11: who asks whether we are here is told, unless it reads nothing', () => {
  hear({ type: 'shared', channels: 0 })
  expect(connection.said()).toEqual([{ type: 'shared', channels: 3 }])
  connection.congested = true
  hear({ type: 'shared', channels: 0 })
  expect(connection.said()).toEqual([])
})

describe('a paused channel', () => {
  it('doesn’t keep the others from being read until 256 KiB wait for those that are', () => {
    const [one, two, three] = [open(1), open(2), open(3)]
    one.onMessage = () => one.channel.pause()
    two.onMessage = () => two.channel.pause()
    hear(to(1), 'x'.repeat(200 * KIB))
    expect(connection.paused).toBe(false)
    hear(to(3), 'goes on')
    expect(three.heard).toEqual(['goes on'])
    hear(to(2), 'x'.repeat(50 * KIB))
    expect(connection.paused).toBe(false)
    hear(to(2), 'x'.repeat(7 * KIB))
    expect(connection.paused).toBe(true)
    two.channel.resume()
    expect(connection.paused).toBe(false)
    hear(to(1), 'x'.repeat(100 * KIB))
    expect(connection.paused).toBe(true)
    one.close(1013, 'gave up')
    expect(connection.paused).toBe(false)
    two.channel.resume()
    hear(to(3), 'x'.repeat(300 * KIB))
    expect(connection.paused).toBe(false)
  })
})

it('a drained socket serves all in turn, the one after the last one first', () => {
  const served: string[] = []
  for (const channel of [1, 2, 3]) {
    const guest = open(channel)
    guest.onDrained = () => {
      served.push(guest.target)
      connection.congested = guest.target !== 'doc2'
    }
  }
  for (let i = 0; i < 4; i++) {
    connection.congested = false
    trunk.drained()
    served.push('|')
  }
  expect(served.join(' ')).toBe('doc1 | doc2 doc3 | doc1 | doc2 doc3 |')
})

it('probes the connection, once for all that is on it', () => {
  open(1).channel.probe()
  expect(connection.probes).toBe(1)
})

it('when reading stops, nothing is opened, and all are told', () => {
  const one = open(1)
  trunk.stopReading()
  hear('a', { type: 'open', channel: 2, extended: true, target: 'x' })
  expect(one.heard).toEqual(['no more'])
  expect(guests.length).toBe(1)
  one.say('ack')
  expect(connection.said()).toContain('ack')
})
