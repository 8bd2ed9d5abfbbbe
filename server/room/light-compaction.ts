import { condenseInSteps } from '../update/condense.js'
import { KNOWN_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { encodeScanIndex } from '../update/scan-index.js'
import { splice } from '../update/splice.js'
import type { Compact } from './compaction.js'

/** What is worked off on the event loop, bytes. */
const MOST_BYTES = 4 * 1024 * 1024
/** The same in structs, and in what structs may be cut into: a range of deletions cuts one at its two ends. */
const MOST_STRUCTS = 32 * 1024
const MOST_PARTS = 64 * 1024
/** After reading so much, many small updates or a large one, the event loop goes on. */
const STEP_BYTES = 256 * 1024
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
 * third of a second of CPU and 30 MB for them, most of it to start. Large ones, those of which much was deleted here
 * and there, and those with much that only a `Y.Doc` can forget, go to the thread.
 *
 * Works in steps, one in a turn of the event loop, one document after the other: a hundred rooms that everybody leaves
 * at once would else take a step each in the same turn.
 *
 * @example createRoomLoader({ compact: lightly({ thoroughly: (job) => pool.compact(job), nextTurn }), … })
 */
export const lightly = ({ thoroughly, nextTurn }: LightCompactionDeps): Compact => {
  const inTurn = oneByOne()
  return async (job) => {
    const parts = job.snapshot ? [job.snapshot, ...job.updates] : job.updates
    if (bytesOf(parts) > MOST_BYTES) return thoroughly(job)
    return (await inTurn(() => compactLightly(parts, nextTurn))) ?? thoroughly(job)
  }
}

/** `null` if it is too much, or too much of it can't be forgotten here. */
const compactLightly = async (
  parts: readonly Uint8Array[],
  nextTurn: () => Promise<void>,
): Promise<Awaited<ReturnType<Compact>> | null> => {
  const scans: Scan[] = []
  let structs = 0
  let cuts = 0
  let read = 0
  for (const part of parts) {
    const scan = scanUpdate(part, KNOWN_LIMITS)
    structs += scan.structs
    for (const { ranges } of scan.deletes) cuts += ranges.length
    if (structs > MOST_STRUCTS || structs + cuts > MOST_PARTS) return null
    scans.push(scan)
    read += part.length
    if (read < STEP_BYTES) continue
    read = 0
    await nextTurn()
  }
  await nextTurn()
  const spliced = splice(scans)
  await nextTurn()
  const whole = scanUpdate(spliced, KNOWN_LIMITS)
  await nextTurn()
  const condensing = condenseInSteps(whole)
  let step = condensing.next()
  for (; !step.done; step = condensing.next()) await nextTurn()
  const condensed = step.value
  if (condensed.nested > condensed.structs * NESTED) return null
  await nextTurn()
  return { update: condensed.update, index: encodeScanIndex(scanUpdate(condensed.update, KNOWN_LIMITS)) }
}

const bytesOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((bytes, { length }) => bytes + length, 0)

/** Runs what it is given one after the other. */
const oneByOne = (): (<T>(task: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result.catch(() => undefined)
    return result
  }
}
