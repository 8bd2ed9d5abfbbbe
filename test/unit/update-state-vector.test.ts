import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { coversStateVector, decodeStateVector, encodeStateVector } from '../../server/update/state-vector.js'
import { InkwireError } from '../../shared/errors.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('W3: state vectors', () => {
  it('are written and read as Yjs writes and reads them', () => {
    const vector = new Map([
      [4_000_000_000, 300],
      [7, 1],
      [129, 2 ** 40],
    ])
    expect(encodeStateVector(vector)).toEqual(Y.encodeStateVector(vector))
    expect(decodeStateVector(Y.encodeStateVector(vector))).toEqual(vector)
    expect(Y.decodeStateVector(encodeStateVector(vector))).toEqual(vector)
  })

  it('leave out clients at 0', () => {
    expect(encodeStateVector(new Map([[5, 0]]))).toEqual(bytes('00'))
  })

  it.each([
    ['nothing', ''],
    ['cut short', '02 05 01 06'],
    ['bytes left over', '01 05 01 00'],
    ['more entries than bytes', 'ffffff0f 05 01'],
    ['a client twice', '02 05 01 05 02'],
    ['past 2^53 - 1', '01 05 ffffffffffffff1f'],
  ])('are refused as a bad message: %s', (_what, hex) => {
    expect(() => decodeStateVector(bytes(hex))).toThrow(InkwireError)
    expect(() => decodeStateVector(bytes(hex))).toThrow(
      expect.objectContaining({ code: 'INKWIRE_BAD_MESSAGE' }),
    )
  })

  it('are bounded in clients', () => {
    expect(decodeStateVector(bytes('02 05 01 06 01'), 2).size).toBe(2)
    expect(() => decodeStateVector(bytes('02 05 01 06 01'), 1)).toThrow(InkwireError)
  })

  it('compare', () => {
    const vector = new Map([
      [1, 5],
      [2, 3],
    ])
    expect(coversStateVector(vector, vector)).toBe(true)
    expect(coversStateVector(vector, new Map([[1, 5]]))).toBe(true)
    expect(coversStateVector(vector, new Map([[1, 6]]))).toBe(false)
    expect(coversStateVector(vector, new Map([[3, 1]]))).toBe(false)
    expect(coversStateVector(vector, new Map([[3, 0]]))).toBe(true)
  })
})
