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
/** What a surrogate pair takes in UTF-8. */
const PAIR_BYTES = 4

/** Where a struct lies in scanned bytes, and whose it is. */
export interface StructPlace {
  readonly bytes: Uint8Array
  readonly pos: number
  readonly client: number
  readonly clock: number
}

/**
 * The struct that holds clocks `[start, end)` of a longer one; see {@link Slicer}, which cuts one into many.
 *
 * @param place a scanned struct that covers `[start, end)` and more.
 */
export const sliceStruct = (place: StructPlace, start: number, end: number): Uint8Array => {
  const slicer = new Slicer(place)
  slicer.skip(start)
  return slicer.take(end)
}

/**
 * Cuts a struct into parts, written as Yjs writes parts of an item: the right part's origin is the clock before it,
 * its right origin stays; the left part keeps both.
 *
 * Goes over the struct's content once, however many parts it makes: a text of which every second character was deleted
 * has as many parts as characters.
 *
 * @example
 *   const slicer = new Slicer({ bytes, pos, client, clock: 5 })
 *   slicer.take(7) // 5 and 6
 *   slicer.skip(9)
 *   slicer.take(10) // 9
 */
export class Slicer {
  readonly #place: StructPlace
  readonly #info: number
  /** Everything before the content. */
  readonly #head: Uint8Array
  /** The right origin, or nothing. */
  readonly #rightOrigin: Uint8Array
  /** In the content, at {@link #clock}. */
  readonly #cursor: Cursor
  #clock: number
  /** Whether that is inside of a surrogate pair; the cursor is behind it then. */
  #split = false

  /** @param place a scanned struct. */
  constructor(place: StructPlace) {
    const { bytes, pos, client, clock } = place
    const cursor = new Cursor(bytes, pos, TRUSTED_LIMITS.maxDepth, true)
    const info = cursor.byte()
    this.#place = place
    this.#info = info
    this.#cursor = cursor
    this.#clock = clock
    this.#rightOrigin = NOTHING
    if (info !== GC) {
      if ((info & HAS_RIGHT_ORIGIN) !== 0) {
        if (info >= HAS_ORIGIN) skipId(cursor)
        const from = cursor.pos
        skipId(cursor)
        this.#rightOrigin = bytes.subarray(from, cursor.pos)
        cursor.pos = pos + 1
      }
      skipReferences(cursor, info, client, clock)
    }
    this.#head = bytes.subarray(pos, cursor.pos)
    const kind = info & KIND
    // Of what is in it: it is counted by walking.
    if (kind === STRING || kind === JSON_VALUES || kind === ANY_VALUES) cursor.uint()
  }

  /** Goes forward to a clock. */
  skip(clock: number): void {
    const count = clock - this.#clock
    if (count === 0) return
    const cursor = this.#cursor
    switch (this.#info & KIND) {
      case GC:
      case DELETED:
        break
      case STRING: {
        // The second half of a pair is behind the cursor already.
        const { pos, split } = utf16Offset(cursor.bytes, cursor.pos, this.#split ? count - 1 : count)
        cursor.pos = pos
        this.#split = split
        break
      }
      case JSON_VALUES:
        for (let i = 0; i < count; i++) skipJson(cursor, true)
        break
      case ANY_VALUES:
        for (let i = 0; i < count; i++) skipAny(cursor)
        break
      default:
        throw new RangeError(
          `a struct of client ${this.#place.client} at ${this.#place.clock} has length 1 and no parts`,
        )
    }
    this.#clock = clock
  }

  /** The part from where it is now up to `end`; goes on from there. */
  take(end: number): Uint8Array {
    const start = this.#clock
    const from = this.#cursor.pos
    const before = this.#split ? REPLACEMENT : NOTHING
    this.skip(end)
    const after = this.#split ? REPLACEMENT : NOTHING
    const to = this.#split ? this.#cursor.pos - PAIR_BYTES : this.#cursor.pos
    const content = before.length + to - from + after.length
    const length = (this.#info & KIND) === STRING ? content : end - start
    const size = this.#headSize(start) + uintSize(length) + content
    const writer = new Writer(size)
    this.#writeHead(writer, start)
    writer.uint(length)
    writer.copy(before, 0, before.length)
    writer.copy(this.#place.bytes, from, to)
    writer.copy(after, 0, after.length)
    return writer.bytes
  }

  #headSize(start: number): number {
    const { client, clock } = this.#place
    if (start === clock || this.#info === GC) return this.#head.length
    return 1 + uintSize(client) + uintSize(start - 1) + this.#rightOrigin.length
  }

  /** A right part's parent is its origin's, so it names none. */
  #writeHead(writer: Writer, start: number): void {
    const { client, clock } = this.#place
    if (start === clock || this.#info === GC) {
      writer.copy(this.#head, 0, this.#head.length)
      return
    }
    writer.uint8((this.#info & (KIND | HAS_RIGHT_ORIGIN | HAS_PARENT_SUB)) | HAS_ORIGIN)
    writer.uint(client)
    writer.uint(start - 1)
    writer.copy(this.#rightOrigin, 0, this.#rightOrigin.length)
  }
}

const skipId = (cursor: Cursor): void => {
  cursor.uint()
  cursor.uint()
}

const NOTHING = new Uint8Array(0)
