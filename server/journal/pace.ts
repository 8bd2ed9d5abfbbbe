import { Bucket } from '../limits/bucket.js'

/** Commits a second, once so many came in a row; each wakes two threads and costs some 0.4 ms of a core. */
const PER_SECOND = 100
/** Commits that come as soon as they can after a quiet time: who waits for one before the next edit isn't slowed. */
const BURST = 100
/** So many updates are worth a commit of their own: what it costs is little for each of them. */
const ENOUGH_UPDATES = 16
/** As many bytes are. */
const ENOUGH_BYTES = 64 * 1024

/**
 * How soon a commit may follow the last ones. Updates of many documents that come one by one would be a commit each,
 * which costs more than all the rest that is done about them: they gather for at most 10 ms, until there are enough
 * of them. Nobody but the author waits for a commit, and it only for the word that it is safe.
 */
export class CommitPace {
  readonly #bucket: Bucket

  /** @param now milliseconds of a monotonic clock. */
  constructor(now: number) {
    this.#bucket = new Bucket(PER_SECOND, BURST, now)
  }

  /** How long a commit of so much has to wait for more, ms; 0: it is made now. */
  wait(updates: number, bytes: number, now: number): number {
    return enough(updates, bytes) ? 0 : this.#bucket.waitFor(now)
  }

  /** A commit of so much is made now. */
  made(updates: number, bytes: number, now: number): void {
    if (!enough(updates, bytes)) this.#bucket.tryTake(now)
  }
}

/** Whether so much needn't wait for more. */
export const enough = (updates: number, bytes: number): boolean =>
  updates >= ENOUGH_UPDATES || bytes >= ENOUGH_BYTES
