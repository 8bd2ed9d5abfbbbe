import { skipAny } from './any.js'
import { Cursor } from './cursor.js'
import { skipJson } from './json.js'
import { TRUSTED_LIMITS } from './limits.js'
import {
  ANY_VALUES,
  DELETED,
  GC,
  HAS_ORIGIN,
  HAS_PARENT_SUB,
  HAS_RIGHT_ORIGIN,
  JSON_VALUES,
  KIND,
  STRING,
  skipReferences,
} from './struct.js'
import { utf16Offset } from './utf8.js'
import { uintSize, Writer } from './writer.js'

/** The bytes of what stands for half a surrogate pair when a string is cut inside of it: U+FFFD, as Yjs writes it. */
const REPLACEMENT = Uint8Array.of(0xef, 0xbf, 0xbd)

/** Where a struct lies in scanned bytes, and whose it is. */
export interface StructPlace {
  readonly bytes: Uint8Array
  readonly pos: number
  readonly client: number
  readonly clock: number
}

/**
 * The struct that holds clocks `[start, end)` of a longer one, written as Yjs writes parts of an item: the right
 * part's origin is the clock before it, its right origin stays; the left part keeps both.
 *
 * @param place a scanned struct that covers `[start, end)` and more.
 */
export const sliceStruct = (place: StructPlace, start: number, end: number): Uint8Array => {
  const { bytes, client, clock } = place
  const cursor = new Cursor(bytes, place.pos, TRUSTED_LIMITS.maxDepth)
  const info = cursor.byte()
  if (info === GC) return withLength(Uint8Array.of(GC), end - start)
  const head =
    start === clock ? sameHead(cursor, info, place) : headWithOrigin(cursor, info, place, start - 1)
  const from = start - clock
  const to = end - clock
  switch (info & KIND) {
    case DELETED:
      return withLength(head, to - from)
    case STRING:
      return concat(head, sliceString(cursor, from, to))
    case JSON_VALUES:
      return concat(
        head,
        sliceList(cursor, from, to, () => skipJson(cursor, true)),
      )
    case ANY_VALUES:
      return concat(
        head,
        sliceList(cursor, from, to, () => skipAny(cursor)),
      )
    default:
      throw new RangeError(`a struct of client ${client} at ${clock} has length 1 and no parts`)
  }
}

/** Everything before the content, as it is. Leaves the cursor at the content. */
const sameHead = (cursor: Cursor, info: number, place: StructPlace): Uint8Array => {
  skipReferences(cursor, info, place.client, place.clock)
  return place.bytes.subarray(place.pos, cursor.pos)
}

/** The head of a right part. Its parent is its origin's, so it names none. */
const headWithOrigin = (cursor: Cursor, info: number, place: StructPlace, origin: number): Uint8Array => {
  const { client, clock, bytes } = place
  if (info >= HAS_ORIGIN) {
    cursor.uint()
    cursor.uint()
  }
  const from = cursor.pos
  if ((info & HAS_RIGHT_ORIGIN) !== 0) {
    cursor.uint()
    cursor.uint()
  }
  const to = cursor.pos
  if (info < HAS_RIGHT_ORIGIN) {
    cursor.pos = place.pos + 1
    skipReferences(cursor, info, client, clock)
  }
  const writer = new Writer(1 + uintSize(client) + uintSize(origin) + to - from)
  writer.uint8((info & (KIND | HAS_RIGHT_ORIGIN | HAS_PARENT_SUB)) | HAS_ORIGIN)
  writer.uint(client)
  writer.uint(origin)
  writer.copy(bytes, from, to)
  return writer.bytes
}

const sliceString = (cursor: Cursor, from: number, to: number): Uint8Array => {
  const { bytes } = cursor
  cursor.uint()
  const left = utf16Offset(bytes, cursor.pos, from)
  const right = utf16Offset(bytes, cursor.pos, to)
  const text = bytes.subarray(left.pos, right.split ? right.pos - 4 : right.pos)
  const before = left.split ? REPLACEMENT : NOTHING
  const after = right.split ? REPLACEMENT : NOTHING
  const content = concat(before, text, after)
  return concat(withLength(NOTHING, content.length), content)
}

const sliceList = (cursor: Cursor, from: number, to: number, skipValue: () => void): Uint8Array => {
  cursor.uint()
  for (let i = 0; i < from; i++) skipValue()
  const start = cursor.pos
  for (let i = from; i < to; i++) skipValue()
  return concat(withLength(NOTHING, to - from), cursor.bytes.subarray(start, cursor.pos))
}

const NOTHING = new Uint8Array(0)

const withLength = (head: Uint8Array, length: number): Uint8Array => {
  const writer = new Writer(head.length + uintSize(length))
  writer.copy(head, 0, head.length)
  writer.uint(length)
  return writer.bytes
}

const concat = (...parts: readonly Uint8Array[]): Uint8Array => {
  const writer = new Writer(parts.reduce((size, part) => size + part.length, 0))
  for (const part of parts) writer.copy(part, 0, part.length)
  return writer.bytes
}
