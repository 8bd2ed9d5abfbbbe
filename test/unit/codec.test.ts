import { describe, expect, it } from 'vitest'
import {
  decodeMessage,
  decodeTrunkMessage,
  encodeMessage,
  encodeSignal,
  encodeTrunkMessage,
} from '../../shared/codec.js'
import type { Message, TrunkMessage } from '../../shared/messages.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

/** The examples of PROTOCOL.md. */
const examples: readonly [rule: string, hex: string, message: Message][] = [
  ['W3', '00 00 01 00', { type: 'syncStep1', stateVector: Uint8Array.of(0) }],
  ['W4', '00 01 02 00 00', { type: 'syncStep2', update: Uint8Array.of(0, 0) }],
  ['W5', '00 02 02 00 00', { type: 'update', update: Uint8Array.of(0, 0) }],
  ['W6', '01 01 00', { type: 'awareness', update: Uint8Array.of(0) }],
  ['W6', '03', { type: 'queryAwareness' }],
  ['W6', '02 00 02 6e6f', { type: 'permissionDenied', reason: 'no' }],
  [
    'X2',
    '78 00 000102030405060708090a0b0c0d0e0f 05 01 02 8080 8008',
    {
      type: 'hello',
      generation: '000102030405060708090a0b0c0d0e0f',
      seq: 5,
      access: 'write',
      durability: 'fsync',
      maxMessageBytes: 16 * 1024 * 1024,
    },
  ],
  ['X3', '78 03 00 00', { type: 'join', generation: '', seq: 0 }],
  [
    'X3',
    '78 03 10 000102030405060708090a0b0c0d0e0f 00',
    { type: 'join', generation: '000102030405060708090a0b0c0d0e0f', seq: 0 },
  ],
  ['X4', '78 01 03 02', { type: 'ack', received: 3, durable: 2, mark: 0 }],
  [
    'X5',
    '78 02 02 b322 09 726561642d6f6e6c79',
    { type: 'rejection', message: 2, code: 4403, reason: 'read-only' },
  ],
  ['X7', '78 04', { type: 'authenticate' }],
  ['X8', '78 05 03 616263', { type: 'token', token: 'abc' }],
  ['X9', '78 06 02 00 00', { type: 'initialContent', update: Uint8Array.of(0, 0) }],
]

describe('codec', () => {
  for (const [rule, hex, message] of examples) {
    it(`${rule}: ${hex} is a ${message.type}, both ways`, () => {
      expect(decodeMessage(bytes(hex))).toEqual(message)
      expect(Buffer.from(encodeMessage(message)).toString('hex')).toBe(hex.replaceAll(' ', ''))
    })

    it(`W7: ${hex} cut short anywhere is refused`, () => {
      const whole = bytes(hex)
      for (let length = 0; length < whole.length; length++) {
        expect(() => decodeMessage(whole.subarray(0, length))).toThrowError(
          expect.objectContaining({ code: 'INKWIRE_BAD_MESSAGE' }),
        )
      }
    })
  }

  it('X10: a signal has a sender from the server only', () => {
    const data = Uint8Array.of(0x22, 0x31)
    expect(Buffer.from(encodeSignal(data)).toString('hex')).toBe('7807022231')
    expect(decodeMessage(bytes('78 07 02 2231'))).toEqual({ type: 'signal', data, user: '' })
    const said: Message = { type: 'signal', data, user: 'ada' }
    expect(Buffer.from(encodeMessage(said)).toString('hex')).toBe('780702223103616461')
    expect(decodeMessage(bytes('78 07 02 2231 03 616461'))).toEqual(said)
    for (const cut of ['78 07', '78 07 02 22', '78 07 02 2231 03 6164']) {
      expect(() => decodeMessage(bytes(cut))).toThrow('bad message')
    }
  })

  it('W1: bytes left over after a message are refused', () => {
    expect(() => decodeMessage(bytes('03 00'))).toThrowError(/left over/)
    expect(() => decodeMessage(bytes('00 02 02 00 00 00'))).toThrowError(/left over/)
  })

  it('W7: unknown types are refused', () => {
    for (const hex of ['04', '00 03 00', '02 01 00', '78 63', 'ff ff ff ff ff ff ff ff ff 01']) {
      expect(() => decodeMessage(bytes(hex))).toThrowError(
        expect.objectContaining({ code: 'INKWIRE_BAD_MESSAGE' }),
      )
    }
  })

  it('X4: an ack may have a mark', () => {
    const ack = { type: 'ack', received: 3, durable: 3, mark: 7 } as const
    expect(decodeMessage(bytes('78 01 03 03 07'))).toEqual(ack)
    expect(Buffer.from(encodeMessage(ack)).toString('hex')).toBe('7801030307')
  })

  it('X6: an extension message may have grown fields at its end', () => {
    expect(decodeMessage(bytes('78 01 03 02 07 09'))).toEqual({
      type: 'ack',
      received: 3,
      durable: 2,
      mark: 7,
    })
  })
})

describe('codec of shared connections', () => {
  const examples: readonly [rule: string, hex: string, message: TrunkMessage][] = [
    ['X11', '78 08 8001', { type: 'shared', channels: 128 }],
    ['X12', '78 09 01 01 05 6e6f746573', { type: 'open', channel: 1, extended: true, target: 'notes' }],
    ['X12', '78 09 02 00 00', { type: 'open', channel: 2, extended: false, target: '' }],
    ['X13', '78 0a 02', { type: 'channel', channel: 2 }],
    ['X14', '78 0b 01 b322 02 6e6f', { type: 'end', channel: 1, code: 4403, reason: 'no' }],
  ]

  for (const [rule, hex, message] of examples) {
    it(`${rule}: ${hex} is ${message.type}, both ways`, () => {
      expect(decodeTrunkMessage(bytes(hex))).toEqual(message)
      expect(Buffer.from(encodeTrunkMessage(message)).toString('hex')).toBe(hex.replaceAll(' ', ''))
    })

    it(`X6: ${hex} may have grown fields at its end`, () => {
      expect(decodeTrunkMessage(bytes(`${hex} 07 09`))).toEqual(message)
    })

    it(`X15: ${hex} cut short anywhere is refused, or none of these`, () => {
      const whole = bytes(hex)
      for (let length = 0; length < 2; length++)
        expect(decodeTrunkMessage(whole.subarray(0, length))).toBe(null)
      for (let length = 2; length < whole.length; length++) {
        expect(() => decodeTrunkMessage(whole.subarray(0, length))).toThrowError(
          expect.objectContaining({ code: 'INKWIRE_BAD_MESSAGE' }),
        )
      }
    })

    it(`W7: ${hex} is no message of a document`, () => {
      expect(() => decodeMessage(bytes(hex))).toThrow('bad message')
    })
  }

  it('leaves what is about a document alone', () => {
    for (const hex of ['', '03', '00 00 01 00', '78', '78 01 03 02', '78 07 02 2231', '78 0c 01', '79 0a 01'])
      expect(decodeTrunkMessage(bytes(hex))).toBe(null)
  })
})
