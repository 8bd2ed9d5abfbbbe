import { BadUpdateError } from './bad-update.js'
import type { Cursor } from './cursor.js'

/** A lib0 "any" that is an object: a count of keys and values. */
export const ANY_OBJECT = 118

/**
 * Steps over one lib0 "any" value: a type byte (116–127) and what belongs to it.
 *
 * @throws BadUpdateError 'kind', 'depth', 'truncated', 'count', 'utf8', 'overflow'.
 */
export const skipAny = (cursor: Cursor, depth = 0): void => {
  const type = cursor.byte()
  switch (type) {
    case 127: // undefined
    case 126: // null
    case 121: // false
    case 120: // true
      return
    case 125:
      skipInteger(cursor)
      return
    case 124:
      cursor.skip(4) // float32
      return
    case 123: // float64
    case 122: // bigint64
      cursor.skip(8)
      return
    case 119:
      cursor.string()
      return
    case ANY_OBJECT: {
      const count = cursor.count(2)
      within(cursor, depth + 1)
      for (let i = 0; i < count; i++) {
        cursor.string()
        skipAny(cursor, depth + 1)
      }
      return
    }
    case 117: {
      const count = cursor.count(1)
      within(cursor, depth + 1)
      for (let i = 0; i < count; i++) skipAny(cursor, depth + 1)
      return
    }
    case 116:
      cursor.skip(cursor.uint()) // bytes
      return
    default:
      throw new BadUpdateError('kind', `unknown type of value ${type}`)
  }
}

/** A lib0 varInt: its first byte holds a sign and 6 bits, the others 7 each. */
const skipInteger = (cursor: Cursor): void => {
  const first = cursor.byte()
  if (first < 0x80) return
  const high = cursor.uint()
  if (high * 0x40 + (first & 0x3f) > Number.MAX_SAFE_INTEGER) {
    throw new BadUpdateError('overflow', 'an integer is past 2^53 - 1')
  }
}

const within = (cursor: Cursor, depth: number): void => {
  if (depth > cursor.maxDepth) throw new BadUpdateError('depth', 'a value is nested too deep')
}
