import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKey, clientAddress, peerKey, proxiesFrom } from '../../server/limits/address.js'
import { Bucket } from '../../server/limits/bucket.js'
import { DEFAULT_LIMITS } from '../../server/limits/limits.js'
import { Pace } from '../../server/limits/pace.js'
import { Sparing } from '../../server/limits/sparing.js'
import { Turnstile } from '../../server/limits/turnstile.js'

describe('Bucket', () => {
  it('lets a burst through, then what flows in', () => {
    const bucket = new Bucket(10, 100, 0)
    expect(bucket.take(100, 0)).toBe(0)
    expect(bucket.take(20, 0)).toBe(2000)
    expect(bucket.take(0, 1000)).toBe(1000)
    expect(bucket.take(0, 2000)).toBe(0)
    expect(bucket.tryTake(2000)).toBe(false)
    expect(bucket.waitFor(2000)).toBe(100)
    expect(bucket.tryTake(2100)).toBe(true)
  })

  it('whatever is taken when, no more than the burst and what flowed in gets through without waiting', () => {
    const steps = fc.array(
      fc.record({ amount: fc.integer({ min: 0, max: 50 }), ms: fc.integer({ min: 0, max: 500 }) }),
    )
    fc.assert(
      fc.property(steps, (all) => {
        const bucket = new Bucket(10, 100, 0)
        let [now, taken] = [0, 0]
        for (const { amount, ms } of all) {
          now += ms
          const wait = bucket.take(amount, now)
          taken += amount
          now += wait
          expect(taken).toBeLessThanOrEqual(100 + now / 100 + 1e-6)
        }
      }),
    )
  })
})

describe('whom a request comes from', () => {
  const proxies = proxiesFrom(['10.0.0.0/8', '127.0.0.1', 'fd00::/8'])
  const cases: [peer: string, header: string | undefined, address: string][] = [
    ['203.0.113.5', undefined, '203.0.113.5'],
    ['203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
    ['10.1.2.3', undefined, '10.1.2.3'],
    ['10.1.2.3', '', '10.1.2.3'],
    ['10.1.2.3', 'nonsense', '10.1.2.3'],
    ['10.1.2.3', 'nonsense, 10.2.2.2', '10.2.2.2'],
    ['127.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['fd00::1', '[2001:db8::7]:443', '2001:db8::7'],
    ['10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1'],
  ]
  it.each(cases)('%s says %s: %s', (peer, header, address) => {
    expect(clientAddress(peer, header, proxies)).toBe(address)
  })

  it.each([
    ['127.0.0.1', null],
    ['127.9.9.9', null],
    ['::1', null],
    ['0:0:0:0:0:0:0:1', null],
    ['203.0.113.5', '203.0.113.5'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::5', '2001:db8:0:0::/64'],
    ['::5', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })

  it.each([
    ['127.0.0.1', null],
    ['::ffff:127.0.0.1', null],
    ['10.1.2.3', null],
    ['::ffff:10.1.2.3', null],
    ['fd00::1', null],
    ['203.0.113.5', '203.0.113.5'],
    // A server that takes both families is told of IPv4 in the words of IPv6: not all of it is one address.
    ['::ffff:203.0.113.5', '203.0.113.5'],
    ['2001:db8:1:2::7', '2001:db8:1:2::/64'],
    ['', ''],
  ])('a socket from %s counts as %s', (peer, key) => {
    expect(peerKey(peer, proxies)).toBe(key)
  })

  it.each(['10.0.0.0/33', 'x', '10.0.0.0/8/8', '::1/129', '10.0.0.1/', ''])('%s is no proxy', (entry) => {
    expect(() => proxiesFrom([entry])).toThrow(TypeError)
  })
})

/** A pace with its time under control. */
const setup = (limits: Partial<typeof DEFAULT_LIMITS> = {}) => {
  const turns: (() => void)[] = []
  const state = { now: 0, clogged: false, slowed: 0 }
  const turnstile = new Turnstile({
    soon: (task) => void turns.push(task),
    later: (task) => void turns.push(task),
    clogged: () => state.clogged,
  })
  const turn = (): void => turns.shift()?.()
  const pace = (onMessage: (pace: Pace) => void = () => undefined) => {
    const events: string[] = []
    const handled: number[] = []
    const paced = {
      handle: (payload: Uint8Array) => {
        handled.push(payload[0] ?? -1)
        onMessage(made)
      },
      hold: () => void events.push('hold'),
      release: () => void events.push('release'),
    }
    const deps = {
      limits: { ...DEFAULT_LIMITS, ...limits },
      turnstile,
      clock: () => state.now,
      onSlowed: () => {
        state.slowed++
      },
    }
    const made = new Pace(paced, deps)
    return { events, handled, pace: made }
  }
  return { state, turn, pace }
}

const send = (pace: Pace, messages: number, bytes = messages * 20): void => {
  for (let i = 0; i < messages; i++) pace.message(Uint8Array.of(i))
  pace.read(bytes)
}

describe('Pace and Turnstile', () => {
  it('somebody who types is never held', () => {
    const { pace: make } = setup()
    const { pace, events } = make()
    for (let i = 0; i < 1000; i++) send(pace, 1)
    expect(events).toEqual([])
  })

  it('of those who pour in what they have, one is let on each turn, in order', () => {
    const { pace: make, turn } = setup()
    const all = [make(), make(), make()]
    for (const { pace } of all) send(pace, 400)
    turn()
    expect(all.map(({ events }) => events.at(-1))).toEqual(['release', 'hold', 'hold'])
    send(all[0]?.pace as Pace, 400)
    turn()
    turn()
    expect(all.map(({ events }) => events.at(-1))).toEqual(['hold', 'release', 'release'])
    turn()
    turn()
    expect(all[0]?.events).toEqual(['hold', 'release', 'hold', 'release'])
  })

  it('one who throws in its turn doesn’t stop those who wait behind it', () => {
    const turns: (() => void)[] = []
    const soon = (task: () => void): void => void turns.push(task)
    const turnstile = new Turnstile({ soon, later: soon, clogged: () => false })
    const released: string[] = []
    turnstile.queue({
      release: () => {
        throw new Error('broken')
      },
    })
    turnstile.queue({ release: () => void released.push('second') })
    expect(() => turns.shift()?.()).toThrow('broken')
    turns.shift()?.()
    turnstile.queue({ release: () => void released.push('third') })
    turns.shift()?.()
    expect(released).toEqual(['second', 'third'])
  })

  it('a piece with thousands of messages is worked off a few a turn, in order, and then read on', () => {
    const { pace: make, turn } = setup()
    const [{ pace, events, handled }, other] = [make(), make()]
    send(pace, 500)
    send(other.pace, 400)
    expect(handled).toHaveLength(256)
    // What the socket had taken already comes behind.
    pace.message(Uint8Array.of(500 % 256))
    pace.read(20)
    turn()
    expect(handled).toEqual(Array.from({ length: 501 }, (_, i) => i % 256))
    expect(events).toEqual(['hold', 'release'])
    send(pace, 500)
    turn()
    turn()
    turn()
    expect(handled).toHaveLength(1001)
    expect(other.handled).toHaveLength(400)
  })

  it('of messages that take as much work as 64, four are worked off a turn, in order, and none is left out', () => {
    const { pace: make, turn } = setup()
    const { pace, events, handled } = make((paced) => paced.weighs(64))
    send(pace, 10)
    expect(handled).toHaveLength(4)
    turn()
    expect(handled).toHaveLength(8)
    // What the socket had taken already comes behind.
    pace.message(Uint8Array.of(10))
    turn()
    expect(handled).toEqual(Array.from({ length: 11 }, (_, i) => i))
    expect(events).toEqual(['hold', 'release'])
  })

  it('a presence message about many weighs more: in a turn, and in its own rate', () => {
    const { pace: make, turn, state } = setup({ presencePerSecond: 10 })
    const { pace, handled } = make((paced) => paced.presence(2048))
    send(pace, 12)
    expect(handled).toHaveLength(4)
    turn()
    expect(handled).toHaveLength(8)
    turn()
    expect([handled.length, state.slowed]).toEqual([12, 0])
    send(pace, 1)
    expect(state.slowed).toBe(1)
    pace.end()
  })

  it('nobody who pours is let on while the disk is behind', () => {
    const { pace: make, turn, state } = setup()
    const { pace, events } = make()
    state.clogged = true
    send(pace, 400)
    for (let i = 0; i < 5; i++) turn()
    expect(events).toEqual(['hold'])
    state.clogged = false
    turn()
    expect(events).toEqual(['hold', 'release'])
  })

  it('what had arrived when a connection ended is worked off, and it is not let on', () => {
    const { pace: make, turn } = setup()
    const { pace, events, handled } = make()
    send(pace, 500)
    pace.end()
    expect(handled).toHaveLength(500)
    turn()
    expect(events).toEqual(['hold'])
  })

  it('who is over a rate waits, and is counted', () => {
    for (const limits of [{ messagesBurst: 100 }, { bytesBurst: 1000 }, { presencePerSecond: 1 }]) {
      const { pace: make, state } = setup(limits)
      const { pace, events } = make()
      for (let i = 0; i < 200; i++) {
        pace.control()
        pace.presence(1)
      }
      pace.read(4000)
      expect(events).toEqual(['hold'])
      expect(state.slowed).toBe(1)
      pace.end()
    }
  })
})

it('Sparing says the first lines of a kind, then how many it left out', () => {
  const state = { now: 0 }
  const sparing = new Sparing<number>(() => state.now)
  const said: [kind: number, unsaid: number][] = []
  const say = (kind: number): void => sparing.say(kind, (unsaid) => void said.push([kind, unsaid]))
  for (let i = 0; i < 100; i++) say(4400)
  say(4401)
  expect(said).toHaveLength(21)
  state.now = 1000
  say(4400)
  expect(said.at(-1)).toEqual([4400, 80])
  state.now = 2000
  say(4400)
  expect(said.at(-1)).toEqual([4400, 0])
})
