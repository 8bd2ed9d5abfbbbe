import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tail } from '../../server/room/tail.js'
import { messagesIn } from '../support/frames.js'

const update = (seq: number, length: number): Uint8Array => new Uint8Array(length).fill(seq)

const same = (left: readonly (Uint8Array | null)[], right: readonly Uint8Array[]): boolean =>
  left.length === right.length && right.every((each, i) => Buffer.compare(each, left[i] ?? Buffer.of()) === 0)

describe('Tail', () => {
  it('gives back what was appended, as update messages in order (PROTOCOL W5)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(200), fc.nat(3000), fc.constant(70_000)), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        (lengths, a, b, cut) => {
          const tail = new Tail(5)
          const updates = lengths.map((length, i) => update(i, length))
          for (const each of updates) expect(same([tail.append(each)], [each])).toBe(true)
          expect([tail.firstSeq, tail.lastSeq]).toEqual([6, 5 + updates.length])
          const trimmed = cut % (updates.length + 1)
          tail.trim(5 + trimmed)
          expect([tail.firstSeq, tail.lastSeq]).toEqual([6 + trimmed, 5 + updates.length])
          if (trimmed === updates.length) {
            expect(tail.bytesFrom(tail.lastSeq + 1)).toBe(0)
            return
          }
          const from = trimmed + (a % (updates.length - trimmed))
          const to = from + (b % (updates.length - from))
          const expected = updates.slice(from, to + 1)
          const messages = messagesIn(tail.frames(from + 6, to + 6))
          expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(['update']))
          const carried = messages.map((message) => (message.type === 'update' ? message.update : null))
          expect(same(carried, expected)).toBe(true)
          expect(same([...tail.updates(from + 6, to + 6)], expected)).toBe(true)
        },
      ),
    )
  })

  it('views stay what they were while the tail grows and is trimmed', () => {
    const tail = new Tail(0)
    tail.append(update(1, 100))
    const views = tail.frames(1, 1)
    const before = Buffer.concat(views).toString('hex')
    for (let seq = 2; seq < 2000; seq++) tail.append(update(seq, 100))
    tail.trim(1500)
    expect(Buffer.concat(views).toString('hex')).toBe(before)
  })

  it('within() stops at the byte limit, but never before the first', () => {
    const tail = new Tail(0)
    for (let seq = 1; seq <= 10; seq++) tail.append(update(seq, 95)) // 100 bytes a frame
    expect(tail.within(1, 10, 50)).toBe(1)
    expect(tail.within(1, 10, 300)).toBe(3)
    expect(tail.within(4, 10, 299)).toBe(5)
    expect(tail.within(4, 6, 100_000)).toBe(6)
  })

  it('an empty room holds next to nothing', () => {
    const tail = new Tail(0)
    tail.append(update(1, 20))
    expect((tail.frames(1, 1)[0] as Uint8Array).buffer.byteLength).toBeLessThanOrEqual(1024)
  })

  it('a seq that is not there is an error, not other bytes', () => {
    const tail = new Tail(3)
    tail.append(update(1, 4))
    expect(() => tail.frames(3, 4)).toThrow(RangeError)
    expect(() => tail.frames(4, 5)).toThrow(RangeError)
  })
})
