import { describe, expect, it } from 'vitest'
import { Counters } from '../../server/observe/counters.js'
import { Refusals } from '../../server/session/refusals.js'
import { FakeTransport } from '../support/fake-transport.js'

const READ_ONLY = { code: 4403, reason: 'read-only' }
const FULL = { code: 4413, reason: 'full' }

const setup = (extended: boolean) => {
  const transport = new FakeTransport()
  const client = { extended, close: (code: number) => transport.close(code) }
  return { transport, refusals: new Refusals(client, transport, new Counters()) }
}

describe('Refusals', () => {
  it('X5: a client that speaks inkwire.1 hears of each refused update', () => {
    const { refusals, transport } = setup(true)
    refusals.update(2, READ_ONLY)
    refusals.update(3, FULL)
    expect(transport.said()).toEqual([
      { type: 'rejection', message: 2, ...READ_ONLY },
      { type: 'rejection', message: 3, ...FULL },
    ])
    expect(transport.calls).toEqual([])
  })

  it('A4, S10: a stock client hears once that it may only read; of a full document, and is closed', () => {
    const { refusals, transport } = setup(false)
    refusals.update(1, READ_ONLY)
    refusals.update(2, READ_ONLY)
    expect(transport.said()).toEqual([{ type: 'permissionDenied', reason: 'read-only' }])
    refusals.update(3, FULL)
    expect(transport.said()).toEqual([{ type: 'permissionDenied', reason: 'full' }])
    expect(transport.calls).toEqual(['close 4413'])
  })

  it.each([true, false])('one that reads nothing is closed instead of told (inkwire.1: %j)', (extended) => {
    const { refusals, transport } = setup(extended)
    transport.full = true
    refusals.update(1, READ_ONLY)
    expect([transport.said(), transport.calls]).toEqual([[], ['close 4403']])
  })

  it('S6: what is wrong with presence is said once, to those who understand it', () => {
    const { refusals, transport } = setup(true)
    refusals.presence(FULL)
    refusals.presence(FULL)
    expect(transport.said()).toEqual([{ type: 'rejection', message: 0, ...FULL }])
    const stock = setup(false)
    stock.refusals.presence(FULL)
    expect(stock.transport.said()).toEqual([])
  })

  it('X10: a refused signal is said each time, but not to one that is backed up', () => {
    const { refusals, transport } = setup(true)
    refusals.signal(READ_ONLY)
    refusals.signal(READ_ONLY)
    transport.congested = true
    refusals.signal(READ_ONLY)
    expect(transport.said()).toHaveLength(2)
  })
})
