import { describe, expect, it } from 'vitest'
import { Backlog } from '../../server/session/backlog.js'

const [one, two, three] = [Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3)] as const

describe('Backlog', () => {
  it('counts all that was said, and keeps what it is told to, in order', () => {
    const backlog = new Backlog()
    expect([backlog.count(one, 3), backlog.count(two, 3), backlog.count(three, 3)]).toEqual([
      true,
      true,
      false,
    ])
    backlog.keep(three)
    backlog.keep(one)
    expect(backlog.messages).toEqual([three, one])
  })
})
