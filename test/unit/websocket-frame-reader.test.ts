import { describe, expect, it } from 'vitest'
import { unmask } from '../../server/websocket/unmask.js'
import { type Heard, hex, listening, readAll } from '../support/frame-events.js'
import { CLOSE, CONTINUATION, type FrameOptions, frameOf, PING, PONG, TEXT } from '../support/wire.js'

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255)
const binary = (bytes: Uint8Array | string): Heard => ['binary', hex(Buffer.from(bytes as Uint8Array))]
const text = (content: string): Heard => ['text', hex(Buffer.from(content))]
const ping = (content: string): Heard => ['ping', hex(Buffer.from(content))]
const part = (payload: Uint8Array | string, options: FrameOptions = {}): Buffer =>
  frameOf(payload, { fin: false, ...options })
const more = (payload: Uint8Array | string, options: FrameOptions = {}): Buffer =>
  frameOf(payload, { opcode: CONTINUATION, ...options })
const closing = (code: number, reason: string | Uint8Array = ''): Buffer =>
  frameOf(Buffer.concat([Uint8Array.of(code >> 8, code & 255), Buffer.from(reason as Uint8Array)]), {
    opcode: CLOSE,
  })

/** Everything in every way it can be cut in two. */
const halves = (stream: Uint8Array): Uint8Array[][] =>
  Array.from({ length: stream.length + 1 }, (_, at) => [stream.subarray(0, at), stream.subarray(at)])
const singly = (stream: Uint8Array): Uint8Array[] => Array.from(stream, (byte) => Uint8Array.of(byte))

describe('RFC 6455 §5.2: frames', () => {
  it('the examples of §5.7', () => {
    const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex')
    expect(readAll([hello])).toEqual({ heard: [text('Hello')], refused: null })
    const pong = Buffer.from('8a8537fa213d7f9f4d5158', 'hex')
    expect(readAll([pong])).toEqual({ heard: [['pong']], refused: null })
  })

  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 65_537]) {
    it(`a payload of ${length} bytes, with the next frame behind it`, () => {
      const payload = bytesOf(length)
      const stream = Buffer.concat([frameOf(payload), frameOf('next', { opcode: TEXT })])
      const expected = { heard: [binary(payload), text('next')], refused: null }
      expect(readAll([stream])).toEqual(expected)
      expect(readAll(singly(stream))).toEqual(expected)
    })
  }

  for (const lengthBytes of [0, 2, 8] as const) {
    it(`a header with ${lengthBytes} more bytes of length, cut anywhere`, () => {
      const payload = bytesOf(lengthBytes === 0 ? 9 : lengthBytes === 2 ? 200 : 65_536)
      const stream = Buffer.concat([
        frameOf('before', { opcode: TEXT }),
        frameOf(payload, { lengthBytes }),
        frameOf('x', { opcode: PING }),
      ])
      const expected = { heard: [text('before'), binary(payload), ping('x')], refused: null }
      const from = 12
      for (let at = from; at < from + 20; at++)
        for (let next = at; next < from + 20; next++) {
          const chunks = [stream.subarray(0, at), stream.subarray(at, next), stream.subarray(next)]
          expect(readAll(chunks)).toEqual(expected)
        }
    })
  }

  it('a length in more bytes than it needs is read', () => {
    const stream = [frameOf('a', { lengthBytes: 2 }), frameOf('b', { lengthBytes: 8 })]
    expect(readAll(stream)).toEqual({ heard: [binary('a'), binary('b')], refused: null })
  })

  it.each([1, 2, 3, 4, 5, 6, 7])('reserved bits %i are refused: 1002', (rsv) => {
    expect(readAll([frameOf('a'), frameOf('b', { rsv })])).toEqual({ heard: [binary('a')], refused: 1002 })
    expect(readAll([frameOf('b', { rsv, opcode: PING })]).refused).toBe(1002)
  })

  it.each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])('opcode %i is refused: 1002', (opcode) => {
    expect(readAll([frameOf('', { opcode })])).toEqual({ heard: [], refused: 1002 })
    expect(readAll([part('a'), frameOf('', { opcode })]).refused).toBe(1002)
  })

  it('a length with the highest bit, or past 2^53, is refused: 1009', () => {
    for (const length of ['8000000000000000', 'ffffffffffffffff', '0020000000000000'])
      expect(readAll([Buffer.from(`82ff${length}00000000`, 'hex')]).refused).toBe(1009)
  })
})

describe('RFC 6455 §5.1 and 5.3: masking', () => {
  it('a frame that is not masked is refused: 1002', () => {
    for (const opcode of [TEXT, 2, CLOSE, PING, PONG])
      expect(readAll([frameOf('', { opcode, masked: false })]).refused).toBe(1002)
  })

  it('goes on where it was over all the pieces of a frame, wherever they lie in memory', () => {
    const payload = bytesOf(300)
    const framed = frameOf(payload)
    for (let offset = 0; offset < 8; offset++)
      for (const size of [1, 3, 49, 52, 101, 304]) {
        const { reader, heard } = listening(1000)
        for (let at = 0; at < framed.length; at += size) {
          const piece = framed.subarray(at, at + size)
          const memory = new Uint8Array(offset + piece.length)
          memory.set(piece, offset)
          reader.read(memory.subarray(offset))
        }
        expect(heard).toEqual([binary(payload)])
      }
  })

  it('takes off what was put on, from any byte of the mask on, and nothing beside it', () => {
    const mask = Uint8Array.of(1, 2, 4, 128)
    for (const length of [0, 1, 47, 48, 49, 50, 51, 200])
      for (let offset = 0; offset < 5; offset++)
        for (let at = 0; at < 4; at++) {
          const memory = new Uint8Array(at + length + 4)
          unmask(memory.subarray(at, at + length), mask, offset)
          const expected = Array.from(memory, (_, i) =>
            i < at || i >= at + length ? 0 : (mask[(offset + i - at) & 3] ?? 0),
          )
          expect([...memory]).toEqual(expected)
        }
  })
})

describe('RFC 6455 §5.4: fragments', () => {
  it('are one message, however they are cut', () => {
    const stream = Buffer.concat([
      part('ab', { opcode: TEXT }),
      more('', { fin: false }),
      more('cd', { fin: false }),
      more('e'),
      part(''),
      more(''),
      frameOf('whole'),
    ])
    const expected = { heard: [text('abcde'), binary(''), binary('whole')], refused: null }
    for (const chunks of halves(stream)) expect(readAll(chunks)).toEqual(expected)
    expect(readAll(singly(stream))).toEqual(expected)
  })

  it('control frames may come in between', () => {
    const stream = Buffer.concat([
      part('ab'),
      frameOf('p', { opcode: PING }),
      more('cd', { fin: false }),
      frameOf('', { opcode: PONG }),
      more('ef'),
    ])
    const expected = { heard: [ping('p'), ['pong'], binary('abcdef')], refused: null }
    for (const chunks of [...halves(stream), singly(stream)]) expect(readAll(chunks)).toEqual(expected)
  })

  it('a close frame in between ends it: the message that isn’t whole never comes', () => {
    const stream = [part('ab'), closing(1001), more('cd'), frameOf('e')]
    expect(readAll(stream)).toEqual({ heard: [['close', 1001, '']], refused: null })
  })

  it('a message within a message is refused: 1002', () => {
    for (const opcode of [TEXT, 2])
      for (const first of ['', 'a'])
        expect(readAll([part(first), frameOf('b', { opcode })])).toEqual({ heard: [], refused: 1002 })
  })

  it('a continuation of nothing is refused: 1002', () => {
    expect(readAll([more('a')]).refused).toBe(1002)
    expect(readAll([frameOf('a'), more('b')])).toEqual({ heard: [binary('a')], refused: 1002 })
    expect(readAll([part('a'), more('b'), more('c')])).toEqual({ heard: [binary('ab')], refused: 1002 })
  })

  it('16,384 make a message, one more is refused: 1008', () => {
    const fragments = (count: number): Uint8Array[] => [
      part('x'),
      ...Array.from({ length: count - 2 }, () => more('x', { fin: false })),
      more('x'),
    ]
    const whole = fragments(16_384)
    expect(readAll([...whole, ...whole]).heard.length).toBe(2)
    expect(readAll(fragments(16_385))).toEqual({ heard: [], refused: 1008 })
    expect(readAll(singly(Buffer.concat(fragments(16_385)))).refused).toBe(1008)
  })
})

describe('RFC 6455 §5.5: control frames', () => {
  it('may hold 125 bytes, cut anywhere', () => {
    const content = 'x'.repeat(125)
    const stream = Buffer.concat([frameOf(content, { opcode: PING }), frameOf('', { opcode: PING })])
    for (const chunks of [...halves(stream), singly(stream)])
      expect(readAll(chunks)).toEqual({ heard: [ping(content), ping('')], refused: null })
  })

  it.each([CLOSE, PING, PONG])('opcode %i with more is refused before it has come: 1002', (opcode) => {
    for (const claimed of [126, 65_535, 65_536])
      expect(readAll([frameOf('', { opcode, claimed })]).refused).toBe(1002)
  })

  it('a short one with its length in a long form is refused: 1002', () => {
    for (const lengthBytes of [2, 8] as const)
      expect(readAll([frameOf('short', { opcode: PING, lengthBytes })])).toEqual({ heard: [], refused: 1002 })
  })

  it('one in fragments is refused: 1002', () => {
    for (const opcode of [CLOSE, PING, PONG]) expect(readAll([part('', { opcode })]).refused).toBe(1002)
  })
})

describe('RFC 6455 §5.5.1 and 7: the close frame', () => {
  it('comes with its code and reason, cut anywhere', () => {
    for (const chunks of halves(closing(1001, 'gone')))
      expect(readAll(chunks)).toEqual({
        heard: [['close', 1001, hex(Buffer.from('gone'))]],
        refused: null,
      })
  })

  it('§7.1.5: without a code it is 1005', () => {
    expect(readAll([frameOf('', { opcode: CLOSE })])).toEqual({ heard: [['close', 1005, '']], refused: null })
  })

  it('nothing behind it is read, whatever it is', () => {
    for (const rest of [frameOf('a'), closing(1000), frameOf('', { rsv: 1 }), Buffer.alloc(100, 0xff)]) {
      const stream = Buffer.concat([frameOf('b'), closing(1000), rest])
      const expected = { heard: [binary('b'), ['close', 1000, '']], refused: null }
      for (const chunks of [...halves(stream), singly(stream)]) expect(readAll(chunks)).toEqual(expected)
    }
  })

  it('half a code is refused: 1002', () => {
    expect(readAll([frameOf(Uint8Array.of(3), { opcode: CLOSE })])).toEqual({ heard: [], refused: 1002 })
  })

  it('§7.4: the codes that may be sent, and no others', () => {
    const taken: number[] = []
    for (let code = 0; code < 65_536; code++) {
      const { heard, refused } = readAll([closing(code)])
      if (heard.length > 0) taken.push(code)
      else expect(refused).toBe(1002)
    }
    const range = (from: number, to: number): number[] =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i)
    expect(taken).toEqual([...range(1000, 1003), ...range(1007, 1014), ...range(3000, 4999)])
  })

  it('a reason that is not UTF-8 is refused: 1007', () => {
    expect(readAll([closing(1000, Uint8Array.of(0xff))])).toEqual({ heard: [], refused: 1007 })
  })
})

describe('RFC 6455 §8.1: texts', () => {
  it('that are UTF-8 only as a whole may be cut within a character', () => {
    const bytes = Buffer.from('é\u{1f600}')
    for (let at = 0; at <= bytes.length; at++) {
      const stream = [part(bytes.subarray(0, at), { opcode: TEXT }), more(bytes.subarray(at))]
      expect(readAll(stream)).toEqual({ heard: [['text', hex(bytes)]], refused: null })
    }
  })

  it.each(['ff', 'c080', 'eda080', 'f4908080', 'e282'])('%s is refused: 1007', (bytes) => {
    const payload = Buffer.from(bytes, 'hex')
    expect(readAll([frameOf(payload, { opcode: TEXT })]).refused).toBe(1007)
    expect(readAll([part('a', { opcode: TEXT }), more(payload)]).refused).toBe(1007)
    expect(readAll([frameOf(payload)])).toEqual({ heard: [binary(payload)], refused: null })
  })
})

describe('a message may have so many bytes', () => {
  const most = 1000

  it('in one frame', () => {
    expect(readAll([frameOf(bytesOf(most))], most).heard).toEqual([binary(bytesOf(most))])
    expect(readAll([frameOf(bytesOf(most + 1))], most)).toEqual({ heard: [], refused: 1009 })
  })

  it('in fragments: what comes after a message counts anew', () => {
    const stream = [
      part(bytesOf(600)),
      more(bytesOf(400), { fin: false }),
      frameOf('x'.repeat(125), { opcode: PING }),
      more(''),
      frameOf(bytesOf(most)),
    ]
    expect(readAll(stream, most).heard.length).toBe(3)
    expect(readAll([part(bytesOf(600)), more(bytesOf(401))], most)).toEqual({ heard: [], refused: 1009 })
    expect(readAll([part(bytesOf(most)), more('x', { fin: false })], most).refused).toBe(1009)
  })

  it('and is refused before the rest has come', () => {
    expect(readAll([frameOf('', { claimed: most + 1 })], most).refused).toBe(1009)
    expect(readAll([part(bytesOf(999)), more('', { claimed: 2 })], most).refused).toBe(1009)
  })
})

describe('after a refusal', () => {
  it('nothing is read', () => {
    const { reader, heard } = listening(100)
    expect(() => reader.read(frameOf('a', { rsv: 1 }))).toThrow('reserved')
    reader.read(frameOf('b'))
    expect(heard).toEqual([])
  })
})
