import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BadUpdateError } from '../../server/update/bad-update.js'
import { Cursor } from '../../server/update/cursor.js'
import { skipJson } from '../../server/update/json.js'
import { utf16Length, utf16Offset } from '../../server/update/utf8.js'
import { uintSize, Writer } from '../../server/update/writer.js'

const utf8 = new TextEncoder()
const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const lengthOr = (bytes: Uint8Array): number | 'refused' => {
  try {
    return utf16Length(bytes, 0, bytes.length)
  } catch (error) {
    if (error instanceof BadUpdateError && error.reason === 'utf8') return 'refused'
    throw error
  }
}

const decoderSays = (bytes: Uint8Array): number | 'refused' => {
  try {
    return fatal.decode(bytes).length
  } catch {
    return 'refused'
  }
}

describe('the length of UTF-8', () => {
  it('is what the decoder of Yjs says, at the edges of every kind of sequence', () => {
    const edges = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]
    const leads = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef]
    for (const lead of [...leads, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]) {
      for (const second of edges) {
        for (const third of edges) {
          for (const fourth of edges) {
            const bytes = Uint8Array.of(lead, second, third, fourth)
            if (lengthOr(bytes) !== decoderSays(bytes)) expect.fail(Buffer.from(bytes).toString('hex'))
          }
          const bytes = Uint8Array.of(lead, second, third)
          if (lengthOr(bytes) !== decoderSays(bytes)) expect.fail(Buffer.from(bytes).toString('hex'))
        }
        expect(lengthOr(Uint8Array.of(lead, second))).toBe(decoderSays(Uint8Array.of(lead, second)))
      }
      expect(lengthOr(Uint8Array.of(lead))).toBe(decoderSays(Uint8Array.of(lead)))
    }
  })

  it('is what the decoder says, for any text and any bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(lengthOr(utf8.encode(text))).toBe(text.length)
      }),
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => lengthOr(bytes) === decoderSays(bytes)))
  })

  it('refuses a sequence that goes on past the end of the string into the bytes behind it', () => {
    expect(() => utf16Length(Uint8Array.of(0x61, 0xc3, 0xa9), 0, 2)).toThrow(BadUpdateError)
  })

  it('finds a place by UTF-16 units, and says when it is inside of a pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(), (text, seed) => {
        const units = seed % (text.length + 1)
        const { pos, split } = utf16Offset(utf8.encode(text), 0, units)
        const code = text.charCodeAt(units)
        const inside = units > 0 && code >= 0xdc00 && code < 0xe000
        expect(split).toBe(inside)
        expect(pos).toBe(utf8.encode(text.slice(0, units + (inside ? 1 : 0))).length)
      }),
    )
  })
})

describe('JSON', () => {
  const accepts = (text: string): boolean => {
    const content = utf8.encode(text)
    const size = uintSize(content.length)
    const writer = new Writer(size + content.length + 1)
    writer.uint(content.length)
    writer.copy(content, 0, content.length)
    // What follows must not be taken for a part of the value.
    writer.uint8(0x31)
    const cursor = new Cursor(writer.bytes, 0, 500)
    try {
      skipJson(cursor)
    } catch (error) {
      if (error instanceof BadUpdateError && error.reason === 'json') return false
      throw error
    }
    expect(cursor.pos).toBe(size + content.length)
    return true
  }
  const parses = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  it.each([
    '',
    ' ',
    '0',
    '-0',
    '-',
    '01',
    '1.',
    '.5',
    '1.5',
    '1e',
    '1e5',
    '1E+5',
    '1e-05',
    '+1',
    '0x1',
    '1 2',
    '--1',
    '-a',
    'true',
    'tru',
    'truex',
    'True',
    'null',
    'false',
    'undefined',
    'NaN',
    '"',
    '"a',
    '"a"',
    '"\\"',
    '"\\u00e9"',
    '"\\u00g0"',
    '"\\u00"',
    '"\\x"',
    '"\n"',
    '"\t"',
    '"\\n"',
    '"\u007f"',
    '"\u2028"',
    '[',
    ']',
    '[]',
    '[ ]',
    '[,]',
    '[1,]',
    '[1 2]',
    '[1,2]',
    '[[]',
    '{',
    '{}',
    '{ }',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a" : 1 , "a":2}',
    '{a:1}',
    "{'a':1}",
    '{1:1}',
    '{"a":1]',
    '[1}',
    ' [ 1 , { "k" : [ ] } ] ',
    '\ufeff1',
    '\u00a01',
    '\v1',
    '\f1',
    '\r\n\t 1',
    '1//',
    '/**/1',
    '"\u0000"',
    '{"__proto__":1}',
    '\u00001',
    '1\u0000',
  ])('judges %j as JSON.parse does', (text) => {
    expect(accepts(text)).toBe(parses(text))
  })

  it('judges any value, and any damage to one, as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => accepts(text)),
      { numRuns: 300 },
    )
    const damage = fc.record({
      text: fc.json(),
      at: fc.nat(),
      drop: fc.nat(2),
      put: fc.constantFrom(
        '',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '0',
        '1',
        '.',
        'e',
        '-',
        '+',
        ' ',
        'n',
        'u',
        't',
        '\n',
      ),
    })
    fc.assert(
      fc.property(damage, ({ text, at, drop, put }) => {
        const index = at % (text.length + 1)
        const damaged = text.slice(0, index) + put + text.slice(index + drop)
        // Half a surrogate pair would be replaced by the encoder.
        fc.pre(fatal.decode(utf8.encode(damaged)) === damaged)
        return accepts(damaged) === parses(damaged)
      }),
      { numRuns: 3000 },
    )
  })
})
