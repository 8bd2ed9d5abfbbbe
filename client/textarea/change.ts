/**
 * Changes of a text as plain values, and what one can do with them: carry them out, and move one past
 * another that was made at the same time.
 *
 * A binding needs this while an input method is composing. The element then shows an older text than the
 * shared one, so what the user does has to be moved past the remote changes that wait, and they past it.
 */

/** A positive number keeps that many UTF-16 code units, a negative one removes them, a string is inserted. */
export type Part = number | string

/**
 * A change from left to right. Whatever follows the last part is kept; 0 and '' mean nothing.
 *
 * @example [2, -1, 'xy'] turns 'abcd' into 'abxyd'
 */
export type Change = readonly Part[]

/** One part of what Yjs reports to an observer of a text. */
export interface DeltaPart {
  readonly insert?: unknown
  readonly delete?: number | undefined
  readonly retain?: number | undefined
}

/** What a Yjs text event says. An embedded object, which counts 1 but has no characters, becomes U+FFFC. */
export const fromDelta = (delta: readonly DeltaPart[]): Change =>
  delta.map(({ insert, retain, delete: removed }) =>
    insert ? (isText(insert) ? insert : '\ufffc') : (retain ?? -(removed as number)),
  )

/** The text after the change. */
export const apply = (text: string, change: Change): string => {
  let result = ''
  let rest = text
  for (const part of change) {
    if (isText(part)) result += part
    else {
      if (part > 0) result += rest.slice(0, part)
      rest = rest.slice(Math.abs(part))
    }
  }
  return result + rest
}

/**
 * Where an index of the old text lies in the new one. It holds on to the character on its left, or with
 * `right` to the one on its right: this decides on which side of an insertion at the index it ends up.
 * A Yjs relative position with the same association comes to the same index.
 */
export const mapIndex = (change: Change, index: number, right?: boolean): number => {
  let moved = 0
  // As if something was inserted there.
  for (const part of transform([index || ' ', ' '], change, !right)) {
    if (isText(part)) break
    moved += part
  }
  return moved
}

/**
 * `change`, made at the same time as `other`, so that it can be carried out after it. Of two insertions at
 * one place, `first` says whether that of `change` comes first. For all texts t and changes a and b of it:
 * `apply(apply(t, a), transform(b, a, false))` equals `apply(apply(t, b), transform(a, b, true))`.
 */
export const transform = (change: Change, other: Change, first: boolean): Change => {
  const result: Part[] = []
  const ours = [...change]
  const theirs = [...other, Infinity]
  let x = ours.shift()
  let y = theirs.shift() as Part
  while (x !== undefined) {
    if (isText(x) && (first || !isText(y))) {
      result.push(x)
      x = ours.shift()
    } else if (isText(y)) {
      result.push(y.length)
      y = theirs.shift() as Part
    } else {
      // Both are numbers: they speak of the same characters for as long as the shorter one reaches.
      const length = Math.min(Math.abs(x as number), Math.abs(y))
      const same = Math.sign(x as number) * length
      if (y > 0) result.push(same)
      x = (x as number) - same || ours.shift()
      y = y - Math.sign(y) * length || (theirs.shift() as Part)
    }
  }
  return result
}

/**
 * `change`, moved past changes that others have made meanwhile, and these past it, so that either way leads
 * to the same text.
 */
export const rebase = (
  change: Change,
  others: readonly Change[],
): [moved: Change, others: readonly Change[]] => {
  let moved = change
  const past = others.map((other) => {
    const result = transform(other, moved, false)
    moved = transform(moved, other, true)
    return result
  })
  return [moved, past]
}

export const isText = (part: unknown): part is string => typeof part === 'string'
