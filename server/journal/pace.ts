import { Bucket } from '../limits/bucket.js'

/** Commits a second, once so many came in a row; each wakes two threads and costs some 0.4 ms of a core. */
const PER_SECOND = 30
/** Commits that come as soon as they can after a quiet time: who waits for one before the next edit isn't slowed. */
const BURST = 100
/** A commit of this many updates doesn't wait for more: what it costs is little for each of them. */
const ENOUGH_UPDATES = 32
/** Nor does a commit of this many bytes. */
const ENOUGH_BYTES = 64 * 1024
/**
 * Nor one of this many updates that came at once: they may be all there are, each from somebody who waits for the
 * commit.
 */
const ENOUGH_AT_ONCE = 16
/** A commit of this many updates, or more, isn't counted as a small one. */
const MANY_UPDATES = 64
/**
 * A small commit that waits does so at least this long, ms: an author who waits for each before the next edit gets a
 * hundred a second.
 */
const SHORTEST_MS = 10
/** After that it waits only until nothing has come for this long, ms: everybody may be waiting for this commit. */
export const QUIET_MS = 5

/**
 * How soon a commit may follow the last ones. Updates of many documents that come one by one would be a commit each,
 * which costs more than all the rest that is done about them: they gather for at most 33 ms, as long as more keep
 * coming and until there are enough of them. Nobody but the author waits for a commit, and it only for the word that it
 * is safe.
 */
export class CommitPace {
  readonly #bucket: Bucket

  /** @param now milliseconds of a monotonic clock. */
  constructor(now: number) {
    this.#bucket = new Bucket(PER_SECOND, BURST, now)
  }

  /** How long a commit of this size has to wait for more, ms; 0: it is made now. */
  wait(updates: number, bytes: number, now: number): number {
    return enough(updates, bytes, 0) ? 0 : this.#bucket.waitFor(now)
  }

  /** Whether one that has gathered for `waited` ms, the last {@link QUIET_MS} of them in vain, has to wait for more. */
  goesOn(waited: number): boolean {
    return waited < SHORTEST_MS
  }

  /** A commit of this size is made now. */
  made(updates: number, bytes: number, now: number): void {
    if (updates < MANY_UPDATES && bytes < ENOUGH_BYTES) this.#bucket.tryTake(now)
  }
}

/** Whether what has gathered for `waited` ms is enough to be committed. */
export const enough = (updates: number, bytes: number, waited: number): boolean =>
  updates >= (waited < QUIET_MS ? ENOUGH_AT_ONCE : ENOUGH_UPDATES) || bytes >= ENOUGH_BYTES
