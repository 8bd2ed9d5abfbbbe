/** Below this, bytes one by one are as fast as words. */
const WORDS_FROM_BYTES = 48

/**
 * Takes a client's mask off, in place (RFC 6455 §5.3).
 *
 * @param mask four bytes.
 * @param offset how many bytes of the same frame were unmasked before.
 * @example
 *   unmask(Uint8Array.of(0x2a), Uint8Array.of(1, 2, 3, 4), 1) // 0x28: the second byte of the mask
 */
export const unmask = (bytes: Uint8Array, mask: Uint8Array, offset = 0): void => {
  const { length, byteOffset } = bytes
  let at = 0
  if (length >= WORDS_FROM_BYTES) {
    for (; ((byteOffset + at) & 3) !== 0; at++) (bytes[at] as number) ^= mask[(offset + at) & 3] as number
    const words = new Int32Array(bytes.buffer, byteOffset + at, (length - at) >> 2)
    const word = wordOf(mask, offset + at)
    for (let i = 0; i < words.length; i++) (words[i] as number) ^= word
    at += words.length << 2
  }
  for (; at < length; at++) (bytes[at] as number) ^= mask[(offset + at) & 3] as number
}

const scratch = new Uint8Array(4)
const scratchWord = new Int32Array(scratch.buffer)

/** The mask from a byte of it on, in this machine's byte order. */
const wordOf = (mask: Uint8Array, from: number): number => {
  for (let i = 0; i < 4; i++) scratch[i] = mask[(from + i) & 3] as number
  return scratchWord[0] as number
}
