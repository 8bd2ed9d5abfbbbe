/**
 * Changes of a text as plain values, and the three things one can do with them: carry them out, join two
 * that follow each other, and move one past another that was made at the same time.
 *
 * A binding needs this while an input method is composing. The element then shows an older text than the
 * shared one, so what the user does has to be moved past the remote changes that wait, and they past it.
 */

/**
 * Parts of a change from left to right: a positive number keeps that many UTF-16 code units, a negative one
 * removes them, a string is inserted. Whatever follows the last part is kept; 0 and '' mean nothing.
 *
 * @example [2, -1, 'xy'] turns 'abcd' into 'abxyd'
 */
export type Change = readonly (number | string)[]

/** One part of what Yjs reports to an observer of a text. */
export interface DeltaPart {
  readonly insert?: unknown
  readonly delete?: number | undefined
  readonly retain?: number | undefined
}

/** Stands for an embedded object, which counts 1 in a Y.Text but has no characters. */
export const OBJECT = '\ufffc'

/** What a Yjs text event says, as a change. */
export const fromDelta = (delta: readonly DeltaPart[]): Change =>
  delta.map((part) =>
    part.insert === undefined
      ? (part.retain ?? -(part.delete ?? 0))
      : typeof part.insert === 'string'
        ? part.insert
        : OBJECT,
  )

/** The text after the change. */
export const apply = (text: string, change: Change): string => {
  let result = ''
  let index = 0
  for (const part of change) {
    if (typeof part === 'string') result += part
    else if (part < 0) index -= part
    else {
      result += text.slice(index, index + part)
      index += part
    }
  }
  return result + text.slice(index)
}

/**
 * Where an index of the old text lies in the new one. It holds on to the character on its left, or with
 * `right` to the one on its right: this decides on which side of an insertion at the index it ends up.
 * A Yjs relative position with the same association comes to the same index.
 */
export const mapIndex = (change: Change, index: number, right = false): number => {
  let before = 0
  let after = 0
  for (const part of change) {
    if (before === index && !(right && typeof part === 'string')) break
    if (typeof part === 'string') after += part.length
    else {
      const step = Math.min(Math.abs(part), index - before)
      before += step
      if (part > 0) after += step
    }
  }
  return after + index - before
}

/** The way back, good for {@link mapIndex} only: what was removed comes back as blanks. */
export const invert = (change: Change): Change =>
  change.map((part) => (typeof part === 'string' ? -part.length : part < 0 ? ' '.repeat(-part) : part))

/** One change that does what `first` and then `second` do. */
export const compose = (first: Change, second: Change): Change => {
  const result: (number | string)[] = []
  const a = new Parts(first)
  const b = new Parts(second)
  while (!a.done || !b.done) {
    const x = a.next
    const y = b.next
    if (typeof x === 'number' && x < 0) push(result, a.take())
    else if (typeof y === 'string') push(result, b.take())
    else {
      const length = Math.min(size(x), size(y))
      const part = a.take(length)
      b.take(length)
      if (y > 0) push(result, part)
      else if (typeof part === 'number') push(result, -part)
    }
  }
  return result
}

/**
 * `change`, made at the same time as `other`, so that it can be carried out after it. Of two insertions at
 * one place, `first` says whether that of `change` comes first. For all texts t and changes a and b of it:
 * `apply(apply(t, a), transform(b, a, false))` equals `apply(apply(t, b), transform(a, b, true))`.
 */
export const transform = (change: Change, other: Change, first: boolean): Change => {
  const result: (number | string)[] = []
  const a = new Parts(change)
  const b = new Parts(other)
  while (!a.done) {
    const x = a.next
    const y = b.next
    if (typeof x === 'string' && (first || typeof y !== 'string')) push(result, a.take())
    else if (typeof y === 'string') push(result, size(b.take()))
    else {
      const length = Math.min(size(x), size(y))
      const part = a.take(length)
      b.take(length)
      if (y > 0) push(result, part)
    }
  }
  return result
}

const size = (part: number | string): number => (typeof part === 'string' ? part.length : Math.abs(part))

const push = (parts: (number | string)[], part: number | string): void => {
  const last = parts.at(-1)
  if (typeof part === 'string') {
    if (typeof last === 'string') parts[parts.length - 1] = last + part
    else parts.push(part)
  } else if (typeof last === 'number' && last > 0 === part > 0) parts[parts.length - 1] = last + part
  else parts.push(part)
}

/** Reads a change in pieces of any length; after its end it keeps everything. */
class Parts {
  readonly #parts: (number | string)[]

  constructor(change: Change) {
    this.#parts = change.filter(Boolean)
  }

  get done(): boolean {
    return this.#parts.length === 0
  }

  /** The part that comes next, whole. */
  get next(): number | string {
    return this.#parts[0] ?? Number.POSITIVE_INFINITY
  }

  /** Takes the next part, or its first `length` code units. */
  take(length = size(this.next)): number | string {
    const part = this.next
    const rest = size(part) - length
    let taken: number | string
    if (typeof part === 'string') {
      taken = part.slice(0, length)
      if (rest) this.#parts[0] = part.slice(length)
    } else {
      taken = part < 0 ? -length : length
      if (rest) this.#parts[0] = part < 0 ? -rest : rest
    }
    if (!rest) this.#parts.shift()
    return taken
  }
}
