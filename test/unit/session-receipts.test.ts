import { describe, expect, it } from 'vitest'
import { Receipts } from '../../server/session/receipts.js'

describe('Receipts (PROTOCOL X4)', () => {
  it('say how many messages arrived and how many of them are durable, if the client does not know', () => {
    const receipts = new Receipts()
    expect([receipts.untold, receipts.open]).toEqual([false, false])
    expect([receipts.next(), receipts.next(), receipts.next()]).toEqual([1, 2, 3])
    receipts.confirm(2)
    expect([receipts.untold, receipts.open]).toEqual([true, true])
    expect(receipts.tell(0)).toEqual({ type: 'ack', received: 3, durable: 2, mark: 0 })
    expect(receipts.untold).toBe(false)
    receipts.confirm(3)
    expect([receipts.untold, receipts.open]).toEqual([true, false])
  })

  it('give a message that has to wait its number again', () => {
    const receipts = new Receipts()
    receipts.next()
    receipts.takeBack()
    expect([receipts.untold, receipts.next()]).toEqual([false, 1])
  })

  it('know which marks the client has, the highest of them', () => {
    const receipts = new Receipts()
    expect([receipts.isNews(0), receipts.isNews(1)]).toEqual([false, true])
    receipts.tell(7)
    receipts.tell(0)
    expect([receipts.isNews(7), receipts.isNews(8)]).toEqual([false, true])
  })
})
