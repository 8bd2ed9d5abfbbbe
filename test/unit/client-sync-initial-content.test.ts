import { describe, expect, it } from 'vitest'
import { exchange, foreign, hello, step1, step2 } from '../support/exchange.js'

describe('X9: initial content', () => {
  const content = foreign('content')

  it('is offered to a document without history, and the sync is complete once it has some', () => {
    const one = exchange(null, content)
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }))
    expect(one.types()).toEqual(['syncStep1', 'initialContent', 'syncStep1'])
    one.hear(step1, step2())
    expect(one.steps).toEqual([])
    one.hear({ type: 'update', update: foreign('somebody else’s') }, step2())
    expect(one.steps).toEqual([{ type: 'synced' }])
    expect(one.text.toString()).toBe('somebody else’s')
  })

  it('needs one answer only', () => {
    const one = exchange(null, content)
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(content))
    expect(one.steps).toEqual([{ type: 'synced' }])
    expect(one.ledger.state()).toMatchObject({ pending: 0 })
  })

  it('that is refused is done without', () => {
    const one = exchange(null, content)
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(), step2())
    expect(one.steps).toEqual([])
    one.hear({ type: 'rejection', message: 0, code: 4413, reason: 'full' }, step2())
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it.each([
    ['a document with history', { seq: 1 }, null],
    ['a reader', { seq: 0, access: 'read' as const }, null],
    ['a server that does not take so much', { seq: 0, maxMessageBytes: 10 }, null],
    ['a device that has something', { seq: 0 }, 'mine'],
  ])('is not offered for %s', (_, fields, mine) => {
    const one = exchange(null, content)
    if (mine) one.text.insert(0, mine)
    one.sync.begin('inkwire.1')
    one.hear(hello(fields), step1, step2())
    expect(one.types()).not.toContain('initialContent')
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it('is not offered to a server without extensions', () => {
    const one = exchange(null, content)
    one.sync.begin('')
    one.hear(step1, step2())
    expect(one.types()).not.toContain('initialContent')
    expect(one.steps).toEqual([{ type: 'synced' }])
  })
})
