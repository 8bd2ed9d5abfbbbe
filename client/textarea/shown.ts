import { apply, type Change, transform } from './change.js'

/**
 * What an element shows of a shared text. It lags behind only while an input method composes: then the
 * element may not be written to, and remote changes wait.
 */
export interface Shown {
  /** The text that the element shows. */
  readonly base: string
  /** The changes that lead from there to the shared text, in their order. */
  readonly waiting: readonly Change[]
}

/**
 * The user has changed what the element shows. Gives also the same change as the shared text needs it:
 * moved past all that waits, as that is moved past it.
 */
export const edit = ({ base, waiting }: Shown, change: Change): [shown: Shown, moved: Change] => {
  let moved = change
  const past = waiting.map((other) => {
    const result = transform(other, moved, false)
    moved = transform(moved, other, true)
    return result
  })
  return [{ base: apply(base, change), waiting: past }, moved]
}
