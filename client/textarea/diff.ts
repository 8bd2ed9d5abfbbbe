/** One range of a text replaced by another text; `start` and `end` are UTF-16 indices of the old one. */
export interface Splice {
  readonly start: number
  readonly end: number
  readonly insert: string
}

/**
 * The smallest single replacement that turns `before` into `after`, or `null` when they are the same.
 * Where several would do (an `a` typed somewhere in `aaaa`), `caret`, an index of `after`, tells which: the
 * change ends there. A surrogate pair is never cut, since Yjs would write U+FFFD for each half.
 *
 * @example diff('aaaa', 'aaaaa', 2) // { start: 1, end: 1, insert: 'a' }
 */
export const diff = (before: string, after: string, caret: number | null = null): Splice | null => {
  if (before === after) return null
  const shorter = Math.min(before.length, after.length)
  let prefix = 0
  while (prefix < shorter && before.charCodeAt(prefix) === after.charCodeAt(prefix)) prefix++
  let suffix = 0
  const [endBefore, endAfter] = [before.length - 1, after.length - 1]
  while (suffix < shorter && before.charCodeAt(endBefore - suffix) === after.charCodeAt(endAfter - suffix))
    suffix++

  // Both together may cover more than there is: then the change can slide, and the caret says where it ends.
  const wanted = caret === null ? 0 : after.length - caret
  suffix = Math.min(suffix, Math.max(wanted, shorter - prefix))
  prefix = Math.min(prefix, shorter - suffix)

  if (isHigh(before.charCodeAt(prefix - 1))) prefix--
  if (isLow(before.charCodeAt(before.length - suffix))) suffix--
  return {
    start: prefix,
    end: before.length - suffix,
    insert: after.slice(prefix, after.length - suffix),
  }
}

const isHigh = (unit: number): boolean => unit >> 10 === 0x36
const isLow = (unit: number): boolean => unit >> 10 === 0x37
