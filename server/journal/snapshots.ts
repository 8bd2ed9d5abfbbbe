import type { Housekeeping } from './housekeeping.js'
import type { Snapshot } from './journal.js'
import { snapshotKey } from './keys.js'
import type { LevelLog } from './level-log.js'
import { encodeSnapshot } from './records.js'
import type { Store } from './store.js'
import type { Operation } from './writer.js'

/** What writing snapshots needs. */
export interface SnapshotsDeps {
  readonly store: Store
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly perform: (operation: Operation) => Promise<void>
  readonly housekeeping: Housekeeping
}

/** Garbage of a document's compactions is left to LevelDB until there is this much of it, bytes. */
const RECLAIM_BYTES = 1024 * 1024

/** Puts snapshots in the place of what they cover, and has the space of that given back. */
export class Snapshots {
  readonly #deps: SnapshotsDeps
  /** Bytes that were removed from a generation since its range was last compacted by LevelDB. */
  readonly #garbage = new Map<string, number>()
  /** Generations whose garbage is being removed from the files. */
  readonly #reclaiming = new Map<string, Promise<void>>()

  constructor(deps: SnapshotsDeps) {
    this.#deps = deps
  }

  /** Resolves when earlier garbage is gone: who compacts faster than it can be removed would fill the disk. */
  async ready(log: LevelLog): Promise<void> {
    await this.#reclaiming.get(log.generation)
  }

  /**
   * One atomic batch: the new snapshot, and the end of all that it covers. The caller holds the document's lock.
   *
   * @throws InkwireError INKWIRE_STORE_FAILED, INKWIRE_STORE_CLOSED; nothing has changed then.
   */
  async write(log: LevelLog, snapshot: Snapshot): Promise<void> {
    if (snapshot.seq <= log.layout.snapshotSeq) throw new RangeError('there is a newer snapshot')
    const { generation, nameBytes: name, created } = log
    const { seq, update, index = null } = snapshot
    const key = snapshotKey(generation, seq)
    const value = encodeSnapshot(key, { name, created, taken: this.#deps.now(), index, update })
    const covered = log.layout.coveredBy(seq)
    await this.#deps.perform({
      step: 'compact',
      writes: [{ key, value }, ...covered.keys.map((old) => ({ key: old, value: null }))],
      landed: async () => (await this.#deps.store.get(key)) !== undefined,
    })
    log.layout.compacted({ seq, bytes: value.length })
    log.compacted(snapshot)
    this.#collectGarbage(generation, covered.bytes, value.length)
  }

  /** The document is not open any more. */
  forget(generation: string): void {
    this.#garbage.delete(generation)
  }

  /** Has LevelDB compact the range when as much was removed as is alive: the cost stays in proportion to what is written. */
  #collectGarbage(generation: string, removed: number, alive: number): void {
    const garbage = (this.#garbage.get(generation) ?? 0) + removed
    if (garbage < Math.max(RECLAIM_BYTES, alive)) {
      this.#garbage.set(generation, garbage)
      return
    }
    this.#garbage.delete(generation)
    const reclaimed = this.#deps.housekeeping.reclaim(generation).then(() => {
      this.#reclaiming.delete(generation)
    })
    this.#reclaiming.set(generation, reclaimed)
  }
}
