/** One range of a text replaced by another text, as a change: what is kept before it, minus what goes, what comes. */
export type Splice = readonly [start: number, minusRemoved: number, insert: string]

/**
 * The smallest single replacement that turns `before` into `after`; it does nothing if they are the same.
 * Where several would do (an `a` typed somewhere in `aaaa`), `caret`, an index of `after`, tells which: the
 * change ends there. A surrogate pair is never cut, since Yjs would write U+FFFD for each half.
 *
 * @example diff('aaaa', 'aaaaa', 2) // [1, 0, 'a']
 */
export const diff = (before: string, after: string, caret?: number | null): Splice => {
  const length = before.length
  const newLength = after.length
  const shorter = Math.min(length, newLength)
  let prefix = 0
  let suffix = 0
  // Engines compare pages of a long text much faster than its characters.
  for (const step of [4096, 1]) {
    while (
      prefix + step <= shorter &&
      before.slice(prefix, prefix + step) === after.slice(prefix, prefix + step)
    )
      prefix += step
    while (
      suffix + step <= shorter &&
      before.slice(length - suffix - step, length - suffix) ===
        after.slice(newLength - suffix - step, newLength - suffix)
    )
      suffix += step
  }

  // Both together may cover more than there is: then the change can slide, and the caret says where it ends.
  suffix = Math.min(suffix, Math.max(newLength - (caret ?? newLength), shorter - prefix))
  prefix = Math.min(prefix, shorter - suffix)

  // The first six bits tell the halves of a pair.
  if (before.charCodeAt(prefix - 1) >> 10 === 0x36) prefix--
  if (before.charCodeAt(length - suffix) >> 10 === 0x37) suffix--
  return [prefix, prefix + suffix - length, after.slice(prefix, newLength - suffix)]
}
