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

  it('connect while it waits makes the next attempt now', () => {
    expect(names(run(['connect', 'opened', 'lost', 'connect']).slice(-2))).toBe('backingOff connecting')
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

  it('is tried first on each connection to a server that refuses it', () => {
    expect(offered(run(['connect', 'lost', 'opened', 'lost', 'retry', 'lost']))).toBe(
      'with without with without',
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
    ...(['connect', 'disconnect', 'opened', 'synced', 'lost', 'retry'] as const).map((type) =>
      fc.constant({ type }),
    ),
    fc.record({ type: fc.constant('refused' as const), code: fc.nat(), reason: fc.string() }),
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
