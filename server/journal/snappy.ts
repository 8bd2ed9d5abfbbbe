/**
 * Unpacks a block that LevelDB packed with Snappy (raw format, without frames). Only index blocks are ever unpacked
 * here, after their checksum was found right.
 *
 * @throws RangeError when the bytes are no such block.
 */
export const unsnap = (packed: Uint8Array): Uint8Array => {
  const reader = new Reader(packed)
  const output = new Uint8Array(reader.varint())
  let at = 0
  while (!reader.atEnd) {
    const tag = reader.byte()
    const kind = tag & 3
    if (kind === LITERAL) {
      const literal = reader.take(literalLength(tag, reader))
      output.set(literal, at)
      at += literal.length
      continue
    }
    const length = kind === COPY_1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const offset =
      kind === COPY_1 ? ((tag >> 5) << 8) | reader.byte() : reader.littleEndian(kind === COPY_2 ? 2 : 4)
    if (offset === 0 || offset > at || at + length > output.length) throw new RangeError('bad copy')
    // Byte by byte: a copy may overlap what it writes.
    for (let end = at + length; at < end; at++) output[at] = output[at - offset] ?? 0
  }
  if (at !== output.length) throw new RangeError('bad length')
  return output
}

const LITERAL = 0
const COPY_1 = 1
const COPY_2 = 2

/** Lengths up to 60 are in the tag, longer ones in the 1 to 4 bytes after it. */
const literalLength = (tag: number, reader: Reader): number => {
  const length = tag >> 2
  return length < 60 ? length + 1 : reader.littleEndian(length - 59) + 1
}

/** Reads numbers as LevelDB and Snappy write them. All methods throw RangeError beyond the end. */
export class Reader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError('beyond the end')
    return byte
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('beyond the end')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  /** 7 bits a byte, least significant first; at most 2^53 − 1. */
  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw new RangeError('number too large')
  }

  littleEndian(size: number): number {
    let value = 0
    for (let i = 0; i < size; i++) value += this.byte() * 256 ** i
    return value
  }
}
