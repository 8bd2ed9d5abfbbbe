import { condense } from '../update/condense.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { scanUpdate } from '../update/scan.js'
import { encodeScanIndex } from '../update/scan-index.js'
import { splice } from '../update/splice.js'
import type { Compact } from './compaction.js'

/** What is worked off on the event loop: bytes and structs, a few milliseconds in all. */
const MOST_BYTES = 4 * 1024 * 1024
const MOST_STRUCTS = 32 * 1024
/** From this part of nested deleted structs on, a Y.Doc is asked: it forgets them. */
const NESTED = 1 / 8

/** What light compaction is told about its surroundings. */
export interface LightCompactionDeps {
  /** Compacts with a Y.Doc, in another thread. */
  readonly thoroughly: Compact
  /** Resolves after the event loop has looked at its sockets. */
  readonly nextTurn: () => Promise<void>
}

/**
 * Compacts small documents by their bytes, in a few milliseconds and right here: a thread with a `Y.Doc` takes a
 * third of a second of CPU and 30 MB for them, most of it to start. Large ones, and those with much that only a `Y.Doc`
 * can forget, go to the thread.
 *
 * @example
 *   createLoader({ compact: lightly({ thoroughly: (job) => pool.compact(job), nextTurn }), … })
 */
export const lightly =
  ({ thoroughly, nextTurn }: LightCompactionDeps): Compact =>
  async (job) => {
    const parts = job.snapshot ? [job.snapshot, ...job.updates] : job.updates
    if (parts.reduce((bytes, { length }) => bytes + length, 0) > MOST_BYTES) return thoroughly(job)
    const scans = parts.map((part) => scanUpdate(part, TRUSTED_LIMITS))
    if (scans.reduce((sum, { structs }) => sum + structs, 0) > MOST_STRUCTS) return thoroughly(job)
    await nextTurn()
    const whole = scanUpdate(splice(scans), TRUSTED_LIMITS)
    await nextTurn()
    const { update, structs, nested } = condense(whole)
    if (nested > structs * NESTED) return thoroughly(job)
    await nextTurn()
    return { update, index: encodeScanIndex(scanUpdate(update, TRUSTED_LIMITS)) }
  }
