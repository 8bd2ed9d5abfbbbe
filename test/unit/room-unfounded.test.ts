import { describe, expect, it } from 'vitest'
import type { Member } from '../../server/room/member.js'
import { UnfoundedMessages } from '../../server/room/unfounded.js'
import { scanUpdate } from '../../server/update/scan.js'
import { forge } from '../support/forge.js'

const member = (): Member => ({}) as Member
/** One character of a client, at a clock. */
const edit = (client: number, clock: number) => scanUpdate(forge({ client, clock, structs: [{ text: 'x' }] }))

/** What is held without a gap, and how often somebody asked. */
const held = (clocks: Record<number, number> = {}) => {
  const index = {
    asked: 0,
    clocks,
    clock: (client: number) => {
      index.asked++
      return index.clocks[client] ?? 0
    },
  }
  return index
}

describe('UnfoundedMessages', () => {
  it('lets a message go when what it builds upon is there, and a member’s messages in their order', () => {
    const waiting = new UnfoundedMessages()
    const [ada, bob] = [member(), member()]
    waiting.add(ada, 1, 11, edit(1, 5))
    waiting.add(ada, 2, 12, edit(2, 0))
    waiting.add(ada, 3, null, edit(3, 7))
    waiting.add(bob, 1, 13, edit(2, 0))
    expect([waiting.has(ada), waiting.size, waiting.seqsOf(ada)]).toEqual([true, 2, [11, 12]])
    const index = held({ 2: 1 })
    expect(waiting.founded(index).map(({ seq }) => seq)).toEqual([13])
    index.clocks[1] = 6
    expect(waiting.founded(index).map(({ message }) => message)).toEqual([1, 2])
    expect([waiting.has(ada), waiting.has(bob), waiting.seqsOf(ada)]).toEqual([true, false, []])
    waiting.leave(ada)
    expect(waiting.size).toBe(0)
    expect(waiting.founded(held({ 3: 9 }))).toEqual([])
  })

  it('costs in proportion to who waits, not to how much: 250 edits after gaps, withheld from 250 connections', () => {
    const waiting = new UnfoundedMessages()
    const members = Array.from({ length: 250 }, member)
    for (let i = 0; i < 250; i++) {
      const scan = edit(1000 + i, 5)
      for (const each of members) waiting.add(each, 0, i, scan)
    }
    const index = held()
    expect(waiting.founded(index)).toEqual([])
    expect(index.asked).toBe(250)
  })
})
