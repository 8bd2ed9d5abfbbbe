import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  backoff,
  type Environment,
  type Event,
  initial,
  isWanted,
  offers,
  type State,
  statusOf,
  step,
} from '../../client/machine.js'

const calm: Environment = { now: 0, random: 0, maxBackoffMs: 2_500 }

/** The states that a script of events leads through. */
const run = (types: readonly (Event['type'] | Event)[], environment: Environment = calm): State[] => {
  const states: State[] = [initial]
  for (const item of types) {
    const event = (typeof item === 'string' ? { type: item, code: 4403, reason: 'no' } : item) as Event
    states.push(step(states.at(-1) ?? initial, event, environment))
  }
  return states
}
const names = (states: readonly State[]): string => states.map(({ name }) => name).join(' ')

describe('the connection', () => {
  it('connects, syncs, loses its link, waits, and connects again', () => {
    const states = run(['connect', 'opened', 'synced', 'lost', 'retry', 'opened', 'synced'])
    expect(names(states)).toBe('offline connecting syncing live backingOff connecting syncing live')
  })

  it('stops at a permanent close with its reason, and only connect gets it going again', () => {
    const states = run(['connect', 'opened', { type: 'refused', code: 4403, reason: 'no' }])
    expect(states.at(-1)).toMatchObject({ name: 'stopped', code: 4403, reason: 'no' })
    expect(names(run(['connect', 'opened', 'refused', 'retry', 'lost', 'opened', 'connect']).slice(3))).toBe(
      'stopped stopped stopped stopped connecting',
    )
  })

  it('disconnect ends every state, and nothing but connect follows', () => {
    for (const before of [
      ['connect'],
      ['connect', 'opened'],
      ['connect', 'opened', 'synced', 'lost'],
    ] as const) {
      const states = run([...before, 'disconnect', 'retry', 'opened', 'lost', 'synced'])
      expect(states.slice(before.length + 1).every(({ name }) => name === 'offline')).toBe(true)
    }
  })

  it('suspended, it gives up its socket, which is nobody’s failure', () => {
    for (const before of [['connect'], ['connect', 'opened'], ['connect', 'opened', 'synced']] as const) {
      expect(run([...before, 'suspended']).at(-1)).toMatchObject({ name: 'backingOff', failures: 0 })
    }
    expect(run(['suspended']).at(-1)).toBe(initial)
  })

  it('connect while it waits makes the next attempt now', () => {
    expect(names(run(['connect', 'opened', 'lost', 'connect']).slice(-2))).toBe('backingOff connecting')
  })
})

describe('a server that wants a token (PROTOCOL X7)', () => {
  it('is authorizing until it greets, and connected all the while', () => {
    const states = run(['connect', 'opened', 'asked', 'synced', 'admitted', 'synced'])
    expect(names(states)).toBe('offline connecting syncing authorizing authorizing syncing live')
    expect(states.slice(2).map(statusOf)).toEqual(Array(5).fill('connected'))
  })

  it('asks anew on a live connection without leaving it', () => {
    expect(names(run(['connect', 'opened', 'synced', 'asked', 'admitted']).slice(-2))).toBe('live live')
  })

  it('that takes none is tried with one more, and then given up', () => {
    const states = run(['connect', 'opened', 'asked', 'denied', 'retry', 'opened', 'asked', 'denied'])
    expect(names(states.slice(3))).toBe('authorizing backingOff connecting syncing authorizing stopped')
    expect(states.at(-1)).toMatchObject({ code: 4403, reason: 'no' })
  })

  it('that takes each and ends the connection at once is given up, too', () => {
    const once = ['opened', 'asked', 'admitted', 'synced'] as const
    const states = run(['connect', ...once, 'denied', 'retry', ...once, 'denied'])
    expect(states.at(-1)?.name).toBe('stopped')
  })

  it('that ends one connection after the other with their tokens is never given up', () => {
    let state = run(['connect', 'opened', 'synced']).at(-1) ?? initial
    for (let now = 10_000; now < 100_000; now += 10_000) {
      const ended = step(state, { type: 'denied', code: 4401, reason: '' }, { ...calm, now })
      expect(ended).toMatchObject({ name: 'backingOff', failures: 1 })
      state = (['retry', 'opened', 'synced'] as const).reduce<State>(
        (before, type) => step(before, { type }, { ...calm, now }),
        ended,
      )
    }
  })

  it('is asked again by the user with a clean slate', () => {
    const twice = ['connect', 'opened', 'denied', 'retry', 'opened', 'denied'] as const
    expect(run([...twice, 'connect', 'opened', 'denied']).at(-1)?.name).toBe('backingOff')
  })
})

describe('the offer of inkwire.1', () => {
  const offered = (states: readonly State[]): string =>
    states
      .filter(({ name }) => name === 'connecting')
      .map((state) => (offers(state) ? 'with' : 'without'))
      .join(' ')

  it('is left out at once when an attempt with it fails, and then made again', () => {
    const states = run(['connect', 'lost', 'lost', 'retry', 'lost', 'lost'])
    expect(names(states)).toBe('offline connecting connecting backingOff connecting connecting backingOff')
    expect(offered(states)).toBe('with without with without')
  })

  it('is always made once it was taken, however often the server is down', () => {
    const states = run(['connect', 'opened', 'lost', 'retry', 'lost', 'retry', 'lost', 'retry'])
    expect(offered(states)).toBe('with with with with')
  })

  it('is made again to a server that comes up just when it was left out', () => {
    const states = run(['connect', 'lost', 'opened', 'opened', 'synced', 'lost', 'retry'])
    expect(names(states)).toBe('offline connecting connecting connecting syncing live backingOff connecting')
    expect(offered(states)).toBe('with without with with')
  })

  it('is no longer made to a server that refuses it, until an attempt fails', () => {
    const refused = ['connect', 'lost', 'opened', 'lost', 'opened'] as const
    expect(names(run(refused).slice(-1))).toBe('syncing')
    expect(offered(run([...refused, 'lost', 'retry', 'opened', 'lost', 'retry']))).toBe(
      'with without with without without without',
    )
    expect(offered(run([...refused, 'lost', 'retry', 'lost', 'retry']))).toBe(
      'with without with without without with',
    )
    expect(offered(run(['connect', 'lost', 'disconnect', 'connect']))).toBe('with without with')
  })
})

describe('backoff', () => {
  it('doubles from 100 to 200 ms up to the longest, half of it random', () => {
    expect([1, 2, 3, 4, 5, 6, 1_000].map((failures) => backoff(failures, 2_500, 0))).toEqual([
      100, 200, 400, 800, 1_250, 1_250, 1_250,
    ])
    fc.assert(
      fc.property(fc.nat(2_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
        const delay = backoff(failures, 2_500, random)
        expect(delay).toBeGreaterThanOrEqual(50)
        expect(delay).toBeLessThanOrEqual(2_500)
      }),
    )
  })

  it('grows over connections that end soon after they synced, and starts anew after one that lasted', () => {
    const flap = run(['connect', 'opened', 'synced', 'lost', 'retry', 'opened', 'synced', 'lost'])
    expect(flap.at(-1)).toMatchObject({ name: 'backingOff', failures: 2 })
    const live = flap.at(-2) ?? initial
    expect(step(live, { type: 'lost' }, { ...calm, now: 5_000 })).toMatchObject({ failures: 1 })
  })
})

it('any events in any order keep the invariants', () => {
  const event: fc.Arbitrary<Event> = fc.oneof(
    ...(
      [
        'connect',
        'disconnect',
        'opened',
        'asked',
        'admitted',
        'synced',
        'lost',
        'suspended',
        'retry',
      ] as const
    ).map((type) => fc.constant({ type })),
    fc.record({
      type: fc.constantFrom('refused' as const, 'denied' as const),
      code: fc.nat(),
      reason: fc.string(),
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(20_000)), { maxLength: 60 }), (events) => {
      let state = initial
      let now = 0
      for (const [next, later] of events) {
        const before = state
        now += later
        state = step(state, next, { now, random: 0.5, maxBackoffMs: 2_500 })
        // Nobody connects unless it is wanted; only the user wants it again.
        if (!isWanted(before) && isWanted(state)) expect(next.type).toBe('connect')
        // The way to "connected" leads through "connecting", and to "synced" through an open socket.
        if (statusOf(state) === 'connected') expect(statusOf(before)).not.toBe('disconnected')
        if (state.name === 'live' && before.name !== 'live') expect(before.name).toBe('syncing')
        if (state.name === 'backingOff') expect(state.delayMs).toBeGreaterThan(0)
        expect(state.failures).toBeGreaterThanOrEqual(0)
      }
    }),
  )
})
