import { describe, expect, it } from 'vitest'
import { exchange, foreign, G1, G2, hello, step1, step2 } from '../support/exchange.js'

describe('X1: whether a server speaks the extensions', () => {
  it('is decided by its first message, although it selected the subprotocol', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(step1, hello())
    one.text.insert(0, 'a')
    expect(one.ledger.state().supported).toBe(false)
    expect(one.types()).toEqual(['syncStep1', 'syncStep2', 'update'])
  })

  it('is decided at once when it selected another, or none', () => {
    for (const protocol of ['', 'mine']) {
      const one = exchange()
      one.sync.begin(protocol)
      one.text.insert(0, 'a')
      expect(one.types()).toEqual(['syncStep1', 'update'])
    }
  })
})

describe('X2, X3: generations', () => {
  it('another one stops the exchange before anything is merged or sent', () => {
    const one = exchange(G2)
    one.text.insert(0, 'mine')
    one.sync.begin('inkwire.1')
    one.hear(hello())
    one.text.insert(0, 'still ')
    expect(one.steps).toEqual([{ type: 'refused', code: 4409, reason: 'generation-changed' }])
    expect(one.types()).toEqual(['syncStep1'])
    expect(one.ledger.state()).toMatchObject({ status: 'device', pending: 2 })
  })

  it('the remembered one is said before the first update message', () => {
    const one = exchange(G1)
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    expect(one.sent().slice(1)).toMatchObject([{ type: 'join', generation: G1 }, { type: 'syncStep2' }])
  })

  it('is bound by a complete sync with a document that has history, even in parts', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1, { type: 'update', update: foreign() })
    expect(one.sync.generation).toBe(null)
    one.hear(step2())
    expect(one.told).toContainEqual(['generation', G1])
  })

  it('is not bound by looking at an empty document, acks included', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(), { type: 'ack', received: 1, durable: 1 })
    expect(one.sync.generation).toBe(null)
    one.sync.end()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0, generation: G2 }))
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it('is bound once an edit of ours is durable, not before', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2())
    one.text.insert(0, 'first')
    one.hear({ type: 'ack', received: 2, durable: 1 })
    expect(one.sync.generation).toBe(null)
    one.hear({ type: 'ack', received: 2, durable: 2 })
    expect(one.sync.generation).toBe(G1)
  })

  it("is bound by others' first edits once an ack proves that they are durable", () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(), { type: 'ack', received: 1, durable: 1 })
    one.sent()
    one.hear({ type: 'update', update: foreign() }, { type: 'update', update: foreign() })
    expect(one.sent()).toEqual([{ type: 'update', update: Uint8Array.of(0, 0) }])
    expect(one.sync.generation).toBe(null)
    expect(one.ledger.state()).toMatchObject({ pending: 0 })
    one.hear({ type: 'ack', received: 2, durable: 2 })
    expect(one.sync.generation).toBe(G1)
  })

  it('is not bound by an edit that was refused', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2())
    one.text.insert(0, 'no')
    one.hear(
      { type: 'rejection', message: 2, code: 4403, reason: 'no' },
      { type: 'ack', received: 2, durable: 2 },
    )
    expect(one.sync.generation).toBe(null)
  })
})

describe('X2: access', () => {
  it('is told by each hello, and a later one changes nothing else', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.text.insert(0, 'a')
    one.sent()
    one.hear(hello({ access: 'read' }))
    expect(one.sync.access).toBe('read')
    expect(one.told).toEqual([
      ['access', 'write'],
      ['access', 'read'],
    ])
    expect(one.sent()).toEqual([])
    one.hear({ type: 'ack', received: 2, durable: 2 })
    expect(one.ledger.state()).toMatchObject({ status: 'saved', durable: 1 })
  })

  it('is taken back by a server that says nothing of it: who was read-only hears that', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ access: 'read' }))
    one.sync.end()
    expect(one.sync.access).toBe('read')
    one.sync.begin('')
    expect(one.sync.access).toBeNull()
    expect(one.told.at(-1)).toEqual(['access', 'write'])
  })

  it('X7: a server that wants a token first is not taken for another', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear({ type: 'authenticate' }, hello())
    expect(one.asked()).toBe(1)
    expect(one.sync.access).toBe('write')
    expect(one.ledger.state().supported).toBe(true)
  })
})

describe('resuming (PROTOCOL X3, X4)', () => {
  /** Synced, with an edit of its own that is durable, and a mark. */
  const marked = () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1, step2(foreign()))
    one.text.insert(0, 'mine')
    one.hear({ type: 'ack', received: 2, durable: 2, mark: 5 })
    one.sync.end()
    one.sent()
    return one
  }

  it('says its mark before it asks, and asks only when it was greeted', () => {
    const one = marked()
    one.sync.begin('inkwire.1')
    expect(one.types()).toEqual([])
    one.hear(hello({ seq: 9 }))
    expect(one.sent()).toMatchObject([{ type: 'join', generation: G1, seq: 5 }, { type: 'syncStep1' }])
  })

  it('asks a server that turns out to be another kind as any other client', () => {
    const one = marked()
    one.sync.begin('inkwire.1')
    one.hear(step1)
    expect(one.types()).toEqual(['syncStep1', 'syncStep2'])
  })
})
