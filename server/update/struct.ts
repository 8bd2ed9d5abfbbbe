/**
 * The structs of a v1 update, as bytes. A struct is an info byte and what that announces; where it stands
 * (client and clock) follows from the structs before it.
 *
 * | info & 31 | struct or content | body                                              | length in clocks |
 * | --------- | ----------------- | ------------------------------------------------- | ---------------- |
 * | 0         | GC                | length                                            | length           |
 * | 1         | deleted           | length                                            | length           |
 * | 2         | JSON (old)        | count, count × string of JSON or `undefined`      | count            |
 * | 3         | binary            | bytes                                             | 1                |
 * | 4         | string            | string                                            | UTF-16 units     |
 * | 5         | embed             | string of JSON                                    | 1                |
 * | 6         | format            | string key, string of JSON                        | 1                |
 * | 7         | type              | type number, for XML elements and hooks a name    | 1                |
 * | 8         | any               | count, count × any                                | count            |
 * | 9         | subdocument       | string guid, any (options)                        | 1                |
 * | 10        | Skip              | length                                            | length           |
 *
 * Items (1–9) have, before the body, what the upper bits announce: an origin (128) and a right origin (64),
 * each a client and a clock; or, with neither, the parent: 1 and the name of a root type, or 0 and the id of
 * the parent's item, and then (32) a key in that parent.
 */
import { ANY_OBJECT, skipAny } from './any.js'
import { BadUpdateError } from './bad-update.js'
import type { Cursor } from './cursor.js'
import { skipJson } from './json.js'
import type { References } from './references.js'

export const GC = 0
export const SKIP = 10
export const HAS_ORIGIN = 128
export const HAS_RIGHT_ORIGIN = 64
export const HAS_PARENT_SUB = 32
export const KIND = 31

export const DELETED = 1
export const JSON_VALUES = 2
export const BINARY = 3
export const STRING = 4
export const EMBED = 5
export const FORMAT = 6
export const TYPE = 7
export const ANY_VALUES = 8
export const SUBDOCUMENT = 9

const XML_ELEMENT = 3
const XML_HOOK = 5
const LAST_TYPE = 6

/** The fewest bytes that any struct takes: an info byte and a length. */
export const SMALLEST_STRUCT = 2

/**
 * Steps over one struct that is no Skip, after its info byte, checking all of it.
 *
 * @param client whose struct it is, and at which `clock`: it may refer only to earlier ones of its own.
 * @param references is told what it refers to of other clients.
 * @returns its length in clocks, at least 1.
 * @throws BadUpdateError
 */
export const skipStruct = (
  cursor: Cursor,
  info: number,
  client: number,
  clock: number,
  references?: References,
): number => {
  if (info === GC) return atLeastOne(cursor.uint())
  const kind = info & KIND
  // Yjs takes a GC or Skip with flags for one thing in applyUpdate and for another in decodeUpdate.
  if (kind === GC || kind > SUBDOCUMENT) throw new BadUpdateError('kind', `unknown kind of struct ${info}`)
  skipReferences(cursor, info, client, clock, references)
  return skipContent(cursor, kind)
}

/** Steps over what an item says about its place. */
export const skipReferences = (
  cursor: Cursor,
  info: number,
  client: number,
  clock: number,
  references?: References,
): void => {
  if (info >= HAS_ORIGIN) skipId(cursor, client, clock, references)
  if ((info & HAS_RIGHT_ORIGIN) !== 0) skipId(cursor, client, clock, references)
  if (info >= HAS_RIGHT_ORIGIN) return
  const parentIsRoot = cursor.byte()
  if (parentIsRoot === 1) cursor.string()
  else if (parentIsRoot === 0) skipId(cursor, client, clock, references)
  else throw new BadUpdateError('kind', `unknown kind of parent ${parentIsRoot}`)
  if ((info & HAS_PARENT_SUB) !== 0) cursor.string()
}

const skipId = (cursor: Cursor, client: number, clock: number, references?: References): void => {
  const toClient = cursor.uint()
  const toClock = cursor.uint()
  if (toClient !== client) references?.add(toClient, toClock)
  else if (toClock >= clock) {
    throw new BadUpdateError('reference', 'a struct refers to itself or to a later one of its author')
  }
}

const skipContent = (cursor: Cursor, kind: number): number => {
  switch (kind) {
    case STRING:
      return atLeastOne(cursor.string())
    case DELETED:
      return atLeastOne(cursor.uint())
    case JSON_VALUES: {
      const count = atLeastOne(cursor.count(2))
      for (let i = 0; i < count; i++) skipJson(cursor, true)
      return count
    }
    case ANY_VALUES: {
      const count = atLeastOne(cursor.count(1))
      for (let i = 0; i < count; i++) skipAny(cursor)
      return count
    }
    case BINARY:
      cursor.skip(cursor.uint())
      return 1
    case EMBED:
      skipJson(cursor)
      return 1
    case FORMAT:
      cursor.string()
      skipJson(cursor)
      return 1
    case TYPE: {
      const type = cursor.uint()
      if (type > LAST_TYPE) throw new BadUpdateError('kind', `unknown shared type ${type}`)
      if (type === XML_ELEMENT || type === XML_HOOK) cursor.string()
      return 1
    }
    case SUBDOCUMENT:
      cursor.string()
      // Yjs reads the options' fields without asking whether there is an object.
      if (cursor.bytes[cursor.pos] !== ANY_OBJECT)
        throw new BadUpdateError('kind', 'a subdocument without options')
      skipAny(cursor)
      return 1
    default:
      throw new BadUpdateError('kind', `unknown kind of struct ${kind}`)
  }
}

const atLeastOne = (length: number): number => {
  if (length === 0) throw new BadUpdateError('empty', 'a struct of length 0')
  return length
}
