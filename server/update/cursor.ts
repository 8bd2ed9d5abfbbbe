import { BadUpdateError } from './bad-update.js'
import { utf16Length } from './utf8.js'

/** The most bytes that a lib0 varUint up to 2^53 − 1 takes. */
const LONGEST_UINT = 8

/**
 * A place in bytes, moving forward. Every read is bounds-checked against the view itself: lib0's own reader
 * goes by the underlying ArrayBuffer, which for a pooled Buffer holds other people's messages.
 */
export class Cursor {
  constructor(
    readonly bytes: Uint8Array,
    public pos: number,
    /** How deep values may nest. */
    readonly maxDepth: number,
    /** The bytes have been checked before: JSON is stepped over unread. */
    readonly known = false,
  ) {}

  /** Bytes from here to the end. */
  get left(): number {
    return this.bytes.length - this.pos
  }

  /** One byte. */
  byte(): number {
    const byte = this.bytes[this.pos++]
    if (byte === undefined) throw truncated()
    return byte
  }

  /** A lib0 varUint: 7 bits a byte, least significant first. */
  uint(): number {
    const first = this.bytes[this.pos++]
    if (first === undefined) throw truncated()
    return first < 0x80 ? first : this.#longUint(first & 0x7f)
  }

  /** Kept apart so that the one-byte case is small enough to be inlined everywhere. */
  #longUint(low: number): number {
    const bytes = this.bytes
    let pos = this.pos
    const last = pos + LONGEST_UINT - 1
    let value = low
    let scale = 0x80
    for (;;) {
      if (pos === last) throw new BadUpdateError('overflow', 'a number takes more than 8 bytes')
      const byte = bytes[pos++]
      if (byte === undefined) throw truncated()
      if (byte < 0x80) {
        value += byte * scale
        break
      }
      value += (byte & 0x7f) * scale
      scale *= 0x80
    }
    if (value > Number.MAX_SAFE_INTEGER) throw new BadUpdateError('overflow', 'a number is past 2^53 - 1')
    this.pos = pos
    return value
  }

  /** A varUint that counts things of at least `bytesEach` bytes each, checked against the bytes left. */
  count(bytesEach: number): number {
    const count = this.uint()
    if (count * bytesEach > this.left) {
      throw new BadUpdateError('count', `claims ${count} entries, more than the bytes that follow can hold`)
    }
    return count
  }

  /** Steps over `length` bytes. */
  skip(length: number): void {
    if (length > this.left) throw truncated()
    this.pos += length
  }

  /** Steps over a length-prefixed string, checking its UTF-8. Returns its length as JavaScript counts (UTF-16). */
  string(): number {
    const length = this.uint()
    const from = this.pos
    this.skip(length)
    return utf16Length(this.bytes, from, this.pos)
  }
}

const truncated = (): BadUpdateError => new BadUpdateError('truncated', 'the update is cut short')
