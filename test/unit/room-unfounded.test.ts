import { describe, expect, it } from 'vitest'
import type { Member } from '../../server/room/member.js'
import { UnfoundedMessages } from '../../server/room/unfounded.js'
import { scanUpdate } from '../../server/update/scan.js'
import { forge, forgeOfMany } from '../support/forge.js'

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
    const index = held()
    const waiting = new UnfoundedMessages(index)
    const [ada, bob] = [member(), member()]
    waiting.add(ada, 1, 11, edit(1, 5))
    waiting.add(ada, 2, 12, edit(2, 0))
    waiting.add(ada, 3, null, edit(3, 7))
    waiting.add(bob, 1, 13, edit(2, 0))
    expect([waiting.has(ada), waiting.size, waiting.seqsOf(ada)]).toEqual([true, 2, [11, 12]])
    index.clocks[2] = 1
    expect(waiting.founded().map(({ seqs }) => seqs)).toEqual([[13]])
    index.clocks[1] = 6
    expect(waiting.founded().map(({ message }) => message)).toEqual([1, 2])
    expect([waiting.has(ada), waiting.has(bob), waiting.seqsOf(ada)]).toEqual([true, false, []])
    waiting.leave(ada)
    expect(waiting.size).toBe(0)
    index.clocks[3] = 9
    expect(waiting.founded()).toEqual([])
  })

  it('costs in proportion to who waits, not to how much: 250 edits after gaps, withheld from 250 connections', () => {
    const index = held()
    const waiting = new UnfoundedMessages(index)
    const members = Array.from({ length: 250 }, member)
    for (let i = 0; i < 250; i++) {
      const scan = edit(1000 + i, 5)
      for (const each of members) waiting.add(each, 0, i, scan)
    }
    index.asked = 0
    expect(waiting.founded()).toEqual([])
    expect(index.asked).toBe(250)
  })

  it('costs what is missing, not what is there: one struct of each of 2,000 clients, all but the last there', () => {
    const index = held()
    const waiting = new UnfoundedMessages(index)
    const clients = Array.from({ length: 2000 }, (_, i) => 2000 - i)
    const scan = scanUpdate(forgeOfMany(clients.map((client) => ({ client, structs: [{ gc: 1 }] }))))
    const ada = member()
    waiting.add(ada, 1, 1, scan)
    for (const client of clients) if (client > 1) index.clocks[client] = 1
    waiting.founded()
    index.asked = 0
    for (let i = 0; i < 10; i++) waiting.founded()
    expect(index.asked).toBe(10)
    index.clocks[1] = 1
    expect(waiting.founded()).toEqual([{ member: ada, message: 1, seqs: [1] }])
  })

  it('keeps little in mind for one who says the same again and again', () => {
    const index = held({ 3: 9 })
    const waiting = new UnfoundedMessages(index)
    const ada = member()
    waiting.add(ada, 1, null, edit(1, 5))
    for (let message = 2; message < 5000; message++) waiting.add(ada, message, null, edit(3, 0))
    expect(waiting.tooMuchOf(ada)).toBe(false)
    for (let message = 5000; message < 6100; message++) waiting.add(ada, message, null, edit(1, 5))
    expect(waiting.tooMuchOf(ada)).toBe(true)
    index.clocks[1] = 6
    expect(waiting.founded().at(-1)?.message).toBe(6099)
    expect(waiting.tooMuchOf(ada)).toBe(false)
  })
})
