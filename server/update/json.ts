import { BadUpdateError } from './bad-update.js'
import type { Cursor } from './cursor.js'

/**
 * Steps over a length-prefixed string that must hold JSON, as Yjs stores embeds and the values of formats:
 * a client that meets anything else throws in the middle of applying an update. The grammar is `JSON.parse`'s;
 * nothing is allocated, and nesting is capped, since clients print such values by recursion. Where the bytes are known
 * to be good it isn't looked at: to read 4 MiB of it takes 100 ms.
 *
 * @throws BadUpdateError 'utf8', 'json', 'depth'.
 */
export const skipJson = (cursor: Cursor, orUndefined = false): void => {
  if (cursor.known) {
    cursor.skip(cursor.uint())
    return
  }
  const from = cursor.pos
  cursor.string()
  const to = cursor.pos
  cursor.pos = from
  const length = cursor.uint()
  // The one word beyond JSON that Yjs writes, in its old array content only.
  if (orUndefined && length === UNDEFINED.length && follows(cursor, UNDEFINED)) return
  space(cursor, to)
  value(cursor, to, 0)
  space(cursor, to)
  if (cursor.pos !== to) throw bad()
}

const ascii = (text: string): readonly number[] => Array.from(text, (char) => char.charCodeAt(0))
const UNDEFINED = ascii('undefined')
const TRUE = ascii('true')
const FALSE = ascii('false')
const NULL = ascii('null')

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** What may follow a backslash, except u and its four hex digits: "\/bfnrt */
const ESCAPES: ReadonlySet<number> = new Set(ascii('"\\/bfnrt'))

const value = (cursor: Cursor, to: number, depth: number): void => {
  const first = peek(cursor, to)
  switch (first) {
    case QUOTE:
      text(cursor, to)
      return
    case OPEN_ARRAY:
      list(cursor, to, depth + 1, CLOSE_ARRAY)
      return
    case OPEN_OBJECT:
      list(cursor, to, depth + 1, CLOSE_OBJECT)
      return
    case TRUE[0]:
      word(cursor, TRUE)
      return
    case FALSE[0]:
      word(cursor, FALSE)
      return
    case NULL[0]:
      word(cursor, NULL)
      return
    default:
      number(cursor, to)
      return
  }
}

/** An array, or an object, which is the same with a name and a colon before each value. */
const list = (cursor: Cursor, to: number, depth: number, close: number): void => {
  if (depth > cursor.maxDepth) throw new BadUpdateError('depth', 'JSON is nested too deep')
  cursor.pos++
  space(cursor, to)
  if (peek(cursor, to) === close) {
    cursor.pos++
    return
  }
  for (;;) {
    if (close === CLOSE_OBJECT) {
      if (peek(cursor, to) !== QUOTE) throw bad()
      text(cursor, to)
      space(cursor, to)
      if (peek(cursor, to) !== COLON) throw bad()
      cursor.pos++
      space(cursor, to)
    }
    value(cursor, to, depth)
    space(cursor, to)
    const next = peek(cursor, to)
    cursor.pos++
    if (next === close) return
    if (next !== COMMA) throw bad()
    space(cursor, to)
  }
}

const text = (cursor: Cursor, to: number): void => {
  cursor.pos++
  for (;;) {
    const byte = peek(cursor, to)
    cursor.pos++
    if (byte === QUOTE) return
    if (byte < 0x20) throw bad()
    if (byte === BACKSLASH) {
      const escaped = peek(cursor, to)
      cursor.pos++
      if (escaped === 0x75) for (let digit = 0; digit < 4; digit++) hex(cursor, to)
      else if (!ESCAPES.has(escaped)) throw bad()
    }
  }
}

const hex = (cursor: Cursor, to: number): void => {
  const byte = peek(cursor, to)
  const letter = byte | 0x20
  if (!isDigit(byte) && !(letter >= 0x61 && letter <= 0x66)) throw bad()
  cursor.pos++
}

const number = (cursor: Cursor, to: number): void => {
  if (peek(cursor, to) === MINUS) cursor.pos++
  // No digits before a leading zero's dot or end: 012 is no JSON.
  if (peek(cursor, to) === ZERO) cursor.pos++
  else digits(cursor, to)
  if (peek(cursor, to) === DOT) {
    cursor.pos++
    digits(cursor, to)
  }
  if ((peek(cursor, to) | 0x20) === 0x65) {
    cursor.pos++
    const sign = peek(cursor, to)
    if (sign === MINUS || sign === 0x2b) cursor.pos++
    digits(cursor, to)
  }
}

const digits = (cursor: Cursor, to: number): void => {
  if (!isDigit(peek(cursor, to))) throw bad()
  while (isDigit(peek(cursor, to))) cursor.pos++
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE

const word = (cursor: Cursor, expected: readonly number[]): void => {
  if (!follows(cursor, expected)) throw bad()
}

/** Steps over `expected` if it comes next. */
const follows = (cursor: Cursor, expected: readonly number[]): boolean => {
  for (let i = 0; i < expected.length; i++) if (cursor.bytes[cursor.pos + i] !== expected[i]) return false
  cursor.pos += expected.length
  return true
}

const space = (cursor: Cursor, to: number): void => {
  for (;;) {
    const byte = peek(cursor, to)
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
    cursor.pos++
  }
}

/** The next byte; 0, which JSON never holds, at the end. */
const peek = (cursor: Cursor, to: number): number => (cursor.pos < to ? (cursor.bytes[cursor.pos] ?? 0) : 0)

const bad = (): BadUpdateError => new BadUpdateError('json', 'a value is not JSON')
