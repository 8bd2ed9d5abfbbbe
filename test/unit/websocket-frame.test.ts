import { describe, expect, it } from 'vitest'
import { frame, headerSize, pieces } from '../../server/websocket/frame.js'
import { payloadsIn } from '../support/frames.js'

/** Headers of RFC 6455 §5.2 for an unmasked, final, binary frame: 7, 16 or 64 bits of length. */
const headers: [length: number, hex: string][] = [
  [0, '8200'],
  [1, '8201'],
  [125, '827d'],
  [126, '827e007e'],
  [65_535, '827effff'],
  [65_536, '827f0000000000010000'],
  [70_000, '827f0000000000011170'],
]

describe('frame (RFC 6455 §5.2)', () => {
  for (const [length, hex] of headers) {
    it(`${length} bytes of payload`, () => {
      const payload = Buffer.from(Uint8Array.from({ length }, (_, i) => i))
      const framed = Buffer.from(frame(payload))
      expect(framed.subarray(0, hex.length / 2).toString('hex')).toBe(hex)
      expect(framed.length).toBe(headerSize(length) + length)
      expect(payload.equals(payloadsIn([framed])[0] ?? Buffer.of())).toBe(true)
    })
  }
})

describe('pieces', () => {
  const parts = [
    Uint8Array.of(1, 2, 3),
    Uint8Array.of(),
    Uint8Array.of(4),
    Uint8Array.from({ length: 300 }, () => 9),
  ]
  const message = Uint8Array.from(Buffer.concat(parts))

  it.each([1, 2, 3, 100, 303, 304, 1000])('of %i bytes, nothing copied: one frame', (size) => {
    const found = [...pieces(parts, size)]
    const [header, ...views] = found.flat()
    expect(header?.length).toBe(headerSize(message.length))
    expect(views.every((view) => parts.some((part) => part.buffer === view.buffer))).toBe(true)
    for (const piece of found)
      expect(piece.filter((part) => part !== header).flatMap((part) => [...part]).length).toBeLessThanOrEqual(
        size,
      )
    expect(payloadsIn(found.flat())).toEqual([message])
  })

  it('an empty message is one frame', () => {
    expect(payloadsIn([...pieces([], 10)].flat())).toEqual([Uint8Array.of()])
  })
})
