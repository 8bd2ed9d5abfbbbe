import { describe, expect, it } from 'vitest'
import { Doorway } from '../../server/limits/doorway.js'
import { DEFAULT_LIMITS } from '../../server/limits/limits.js'

describe('Doorway', () => {
  const doorway = (limits: Partial<typeof DEFAULT_LIMITS>) => {
    const time = { now: 0 }
    return { time, doorway: new Doorway({ ...DEFAULT_LIMITS, ...limits }, () => time.now) }
  }

  it('counts connections: whole, and per address, but not this machine’s', () => {
    const { doorway: door } = doorway({ maxConnections: 5, maxConnectionsPerAddress: 2 })
    expect([1, 2, 3].map(() => door.enter('1.1.1.1')?.code)).toEqual([undefined, undefined, 4529])
    expect([1, 2, 3, 4].map(() => door.enter('127.0.0.1')?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      1013,
    ])
    door.leave('1.1.1.1')
    expect(door.enter('1.1.1.1')).toBeNull()
  })

  it('counts how fast an address opens connections', () => {
    const { doorway: door, time } = doorway({ opensPerMinute: 60 })
    for (let i = 0; i < 60; i++) {
      expect(door.enter('1.1.1.1')).toBeNull()
      door.leave('1.1.1.1')
    }
    expect(door.enter('1.1.1.1')?.code).toBe(4529)
    expect(door.enter('2.2.2.2')).toBeNull()
    time.now += 1000
    expect(door.enter('1.1.1.1')).toBeNull()
  })

  it('counts connections per document and per named user', () => {
    const { doorway: door } = doorway({ maxConnectionsPerDocument: 3, maxConnectionsPerUser: 1 })
    expect(door.enterDocument('a', 'ada')).toBeNull()
    expect(door.enterDocument('b', 'ada')?.code).toBe(4529)
    expect(door.enterDocument('a', '')).toBeNull()
    expect(door.enterDocument('a', '')).toBeNull()
    expect(door.enterDocument('a', '')?.code).toBe(1013)
    expect(door.enterDocument('__proto__', 'toString')).toBeNull()
    door.leaveDocument('a', 'ada')
    expect(door.enterDocument('b', 'ada')).toBeNull()
  })

  it('a place in a document is free again when its user has no place left', () => {
    const { doorway: door } = doorway({ maxConnectionsPerDocument: 2, maxConnectionsPerUser: 1 })
    expect(door.enterDocument('a', 'ada')).toBeNull()
    expect(door.enterDocument('a', 'ada')?.code).toBe(4529)
    expect(door.enterDocument('a', 'bob')).toBeNull()
  })

  it('X12: counts channels, whole and per address; who leaves makes room in both', () => {
    const { doorway: door } = doorway({ maxChannels: 3, maxChannelsPerAddress: 2 })
    const enter = (address: string): number | undefined => door.enterChannel(address)?.code
    expect([1, 2, 3].map(() => enter('1.1.1.1'))).toEqual([undefined, undefined, 4529])
    expect([enter('2.2.2.2'), enter('3.3.3.3')]).toEqual([undefined, 1013])
    door.leaveChannel('1.1.1.1')
    expect([enter('1.1.1.1'), enter('3.3.3.3')]).toEqual([undefined, 1013])
  })

  it('a flood of addresses costs little, and lets none of them off', () => {
    const { doorway: door } = doorway({ opensPerMinute: 1, maxConnections: 1_000_000 })
    const address = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    for (let i = 0; i < 100_000; i++) {
      door.enter(address(i))
      door.leave(address(i))
    }
    expect(door.enter(address(99_999))?.code).toBe(4529)
  })
})
