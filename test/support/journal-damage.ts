import { crc32c } from '@node-rs/crc32'

/** The same record as another format version would have it: intact, but not readable by this program. */
export const atVersion = (version: number, key: Uint8Array, value: Uint8Array): Uint8Array => {
  const other = Buffer.from(value)
  other[4] = version
  other.writeUInt32BE(crc32c(other.subarray(4), crc32c(key)))
  return other
}

/** A copy with one bit flipped. */
export const flipBit = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}
