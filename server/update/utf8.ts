import { BadUpdateError } from './bad-update.js'

/**
 * The length, in UTF-16 code units, of the UTF-8 in `bytes[from, to)`. This is the number by which Yjs counts
 * a string's clocks, and it takes no string to find out.
 *
 * Follows the WHATWG decoder in fatal mode, which Yjs's clients use: no overlong forms, no surrogates, nothing
 * past U+10FFFF.
 *
 * @throws BadUpdateError 'utf8'.
 */
export const utf16Length = (bytes: Uint8Array, from: number, to: number): number => {
  let pos = from
  while (pos < to && at(bytes, pos) < 0x80) pos++
  let length = pos - from
  while (pos < to) {
    const lead = at(bytes, pos)
    if (lead < 0x80) {
      pos++
      length++
    } else {
      const size = sequenceLength(bytes, pos, lead)
      pos += size
      // What UTF-8 needs four bytes for is a surrogate pair in UTF-16.
      length += size === 4 ? 2 : 1
    }
  }
  if (pos > to) throw bad()
  return length
}

/**
 * Bytes of the sequence that `lead` (≥ 0x80) opens at `pos`. May look past the string's end: what lies there
 * is of no account, since the caller then sees that the sequence ends past it.
 */
const sequenceLength = (bytes: Uint8Array, pos: number, lead: number): number => {
  const second = at(bytes, pos + 1)
  if (lead < 0xe0) {
    if (lead < 0xc2 || !continues(second)) throw bad()
    return 2
  }
  const third = at(bytes, pos + 2)
  if (lead < 0xf0) {
    const lowest = lead === 0xe0 ? 0xa0 : 0x80
    const highest = lead === 0xed ? 0x9f : 0xbf
    if (second < lowest || second > highest || !continues(third)) throw bad()
    return 3
  }
  const lowest = lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xf4 ? 0x8f : 0xbf
  if (lead > 0xf4 || second < lowest || second > highest || !continues(third)) throw bad()
  if (!continues(at(bytes, pos + 3))) throw bad()
  return 4
}

const continues = (byte: number): boolean => (byte & 0xc0) === 0x80

/** 0 past the end of the array: no byte that continues a sequence. */
const at = (bytes: Uint8Array, pos: number): number => bytes[pos] ?? 0

const bad = (): BadUpdateError => new BadUpdateError('utf8', 'a string is not UTF-8')

/**
 * Where in valid UTF-8 `units` UTF-16 code units have passed, from `pos` on. When that is inside of a surrogate
 * pair, the place after the pair, with `split` set.
 */
export const utf16Offset = (
  bytes: Uint8Array,
  pos: number,
  units: number,
): { pos: number; split: boolean } => {
  let rest = units
  let at = pos
  while (rest > 0) {
    const lead = bytes[at] ?? 0
    at += lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    rest -= lead < 0xf0 ? 1 : 2
  }
  return { pos: at, split: rest < 0 }
}
