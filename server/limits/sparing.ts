import { Bucket } from './bucket.js'

/** Lines of one kind that are said at once, and per second in the long run. */
const BURST = 20
const PER_SECOND = 1

/**
 * Keeps a flood of bad connections out of the log: says the first lines of each kind, then one a second that tells
 * how many it stands for.
 */
export class Sparing<Kind> {
  readonly #clock: () => number
  readonly #kinds = new Map<Kind, { bucket: Bucket; unsaid: number }>()

  /** @param clock milliseconds, monotonic. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** @param say writes the line; told how many of the kind went unsaid since the last one, 0 mostly. */
  say(kind: Kind, say: (unsaid: number) => void): void {
    const now = this.#clock()
    const state = this.#kinds.get(kind) ?? { bucket: new Bucket(PER_SECOND, BURST, now), unsaid: 0 }
    this.#kinds.set(kind, state)
    if (!state.bucket.tryTake(now)) {
      state.unsaid++
      return
    }
    const { unsaid } = state
    state.unsaid = 0
    say(unsaid)
  }
}
