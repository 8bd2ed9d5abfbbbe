import { afterEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { exchange, foreign, hello, step1, step2 } from '../support/exchange.js'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('local edits', () => {
  it('wait for the hello and our sync step 2, which covers them', () => {
    const one = exchange()
    one.text.insert(0, 'before')
    one.sync.begin('inkwire.1')
    one.text.insert(0, '1')
    expect(one.types()).toEqual(['syncStep1'])
    one.hear(hello())
    one.text.insert(0, '2')
    expect(one.types()).toEqual([])
    one.hear(step1)
    one.text.insert(0, '3')
    const [answer, update] = one.sent()
    expect([answer?.type, update?.type]).toEqual(['syncStep2', 'update'])
    const server = new Y.Doc()
    if (answer?.type === 'syncStep2') Y.applyUpdate(server, answer.update)
    expect(server.getText('t').toString()).toBe('21before')
    one.hear({ type: 'ack', received: 2, durable: 1 })
    expect(one.ledger.state()).toMatchObject({ status: 'received', pending: 1, durable: 3 })
  })

  it('after the connection has ended wait for the next one', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.sync.end()
    one.sent()
    one.text.insert(0, 'a')
    expect(one.sent()).toEqual([])
    expect(one.ledger.state()).toMatchObject({ status: 'device', pending: 1 })
  })

  it('that the server would refuse as too large are rejected here', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.sent()
    one.text.insert(0, 'x'.repeat(1_000))
    expect(one.sent()).toEqual([])
    expect(one.told.at(-1)).toMatchObject(['rejected', { code: 1009, edits: 1, retried: false }])
    expect(one.ledger.state().status).toBe('rejected')
  })
})

describe('X5: rejections', () => {
  const refused = (code: number) => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.text.insert(0, 'a')
    one.told.length = 0
    one.hear({ type: 'rejection', message: 2, code, reason: 'because' })
    return one
  }

  it('for good are told with the update, and the exchange goes on', () => {
    const one = refused(4403)
    expect(one.told).toMatchObject([
      ['rejected', { code: 4403, reason: 'because', edits: 1, retried: false }],
    ])
    const [, event] = one.told[0] ?? []
    const copy = new Y.Doc()
    Y.applyUpdate(copy, (event as { update: Uint8Array }).update)
    expect(copy.getText('t').toString()).toBe('a')
    expect(one.ledger.state().status).toBe('rejected')
    expect(one.steps).toEqual([])
  })

  it('that pass are told, and the edits are offered again on the next connection', () => {
    const one = refused(4529)
    expect(one.told).toMatchObject([['rejected', { code: 4529, edits: 1, retried: true }]])
    expect(one.steps).toEqual([{ type: 'lost' }])
    expect(one.ledger.state().status).toBe('device')
  })

  it('of presence are told without an update', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.told.length = 0
    one.hear({ type: 'rejection', message: 0, code: 4529, reason: 'too fast' })
    expect(one.told).toMatchObject([['rejected', { edits: 0, update: null, retried: false }]])
    expect(one.steps).toEqual([])
  })

  it('W6: permission denied is told as a rejection', () => {
    const one = exchange()
    one.sync.begin('')
    one.hear({ type: 'permissionDenied', reason: 'no' })
    expect(one.told).toMatchObject([['rejected', { code: 4403, reason: 'no', update: null }]])
  })
})

describe('W7: what can not be decoded', () => {
  const garbage = Uint8Array.of(99, 1, 2)

  it('is passed over from other servers, which may have messages of their own', () => {
    const reported = vi.spyOn(console, 'error').mockReturnValue()
    const one = exchange()
    one.sync.begin('')
    one.sync.received(garbage)
    expect(reported).toHaveBeenCalledOnce()
    expect(one.steps).toEqual([])
  })

  it('ends the connection with a server that greeted', () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello())
    one.sync.received(garbage)
    expect(one.steps).toEqual([{ type: 'lost' }])
  })

  it('an observer that throws does not keep the exchange from being complete', () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const one = exchange()
    one.text.observe(() => {
      throw new Error('a bug of the app')
    })
    one.sync.begin('')
    one.hear(step2(foreign()))
    expect(one.text.toString()).toBe('theirs')
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it('an observer that ends the connection ends the handling of its message', () => {
    const one = exchange()
    one.text.observe(() => one.sync.end())
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1)
    one.sent()
    one.hear(step2(foreign()))
    expect(one.steps).toEqual([])
    expect(one.sent()).toEqual([])
    expect(one.ledger.sent).toBe(0)
  })
})
