import type { Snapshot } from '../journal/journal.js'
import { DocumentIndex } from '../update/document-index.js'
import type { Scan } from '../update/scan.js'
import { scanWithIndex } from '../update/scan-index.js'
import { coversStateVector, type StateVector } from '../update/state-vector.js'

/** What a scan takes for each run of structs and for each mark in it, about, bytes. */
const BLOCK_BYTES = 128
const MARK_BYTES = 56

/**
 * The compacted state of a document. What it holds is known always; its bytes may be let go of, since the journal has
 * them.
 */
export class Base {
  readonly seq: number
  /** Bytes of the snapshot, here or not. */
  readonly size: number
  /** What it holds; `null` if it has gaps, so that no state vector tells whether one has all of it. */
  readonly #stateVector: StateVector | null
  #scan: Scan | null
  #held: number

  /** @param scan of `snapshot`. */
  constructor(snapshot: Snapshot, scan: Scan) {
    const structs = withoutDeletes(scan)
    const index = new DocumentIndex()
    this.seq = snapshot.seq
    this.size = snapshot.update.length
    this.#stateVector = index.hasGap(structs) ? null : heldBy(index, structs)
    this.#scan = structs
    this.#held = sizeOf(structs)
  }

  /** Its bytes, scanned, without deletions: those are in the document's index. `null` when they aren't here. */
  get scan(): Scan | null {
    return this.#scan
  }

  /** About what {@link drop} gives back, bytes. */
  get held(): number {
    return this.#held
  }

  /** Whether a client that has all that the document holds without a gap has all of the snapshot, too. */
  get isWithoutGaps(): boolean {
    return this.#stateVector !== null
  }

  /** Whether one at `since` has all of it. */
  isHeldBy(since: StateVector): boolean {
    return this.#stateVector !== null && coversStateVector(since, this.#stateVector)
  }

  /** Lets go of the bytes. */
  drop(): void {
    this.#scan = null
    this.#held = 0
  }

  /** The bytes again. */
  restore({ update, index }: Snapshot): void {
    this.#scan = withoutDeletes(scanWithIndex(update, index))
    this.#held = sizeOf(this.#scan)
  }
}

const sizeOf = ({ bytes, blocks }: Scan): number => {
  let size = bytes.length
  for (const { marks } of blocks) size += BLOCK_BYTES + marks.length * MARK_BYTES
  return size
}

const withoutDeletes = (scan: Scan): Scan => ({ ...scan, deletes: [] })

const heldBy = (index: DocumentIndex, scan: Scan): StateVector => {
  index.add(scan)
  return index.stateVector()
}
