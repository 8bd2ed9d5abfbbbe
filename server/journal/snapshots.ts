import { documentDamaged, isCorruption, newerFormat, reasonOf, storeFailed } from './errors.js'
import type { Housekeeping } from './housekeeping.js'
import type { Snapshot } from './journal.js'
import { snapshotKey } from './keys.js'
import type { LevelLog } from './level-log.js'
import { encodeSnapshot, readRecord } from './records.js'
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

  /**
   * The newest snapshot, read from the store and checked; `null` without one.
   *
   * @param inTurn runs a task with the document's lock.
   * @throws InkwireError INKWIRE_DOCUMENT_DAMAGED, INKWIRE_STORE_FORMAT, INKWIRE_STORE_FAILED
   */
  async read(
    log: LevelLog,
    inTurn: (task: () => Promise<Snapshot | null>) => Promise<Snapshot | null>,
  ): Promise<Snapshot | null> {
    if (log.layout.snapshotSeq === 0) return null
    const found = await this.#find(log)
    if (found) return found
    // A compaction has just taken it away. Without need nobody waits for one: on a full disk that takes for ever.
    return inTurn(async () => {
      const replaced = await this.#find(log)
      if (!replaced) throw documentDamaged(log.name, `snapshot ${log.layout.snapshotSeq} is missing`)
      return replaced
    })
  }

  async #find({ name, nameBytes, generation, layout }: LevelLog): Promise<Snapshot | null> {
    const seq = layout.snapshotSeq
    const key = snapshotKey(generation, seq)
    const value = await this.#deps.store.get(key).catch((error: unknown) => {
      if (isCorruption(error)) throw documentDamaged(name, `snapshot ${seq}: ${reasonOf(error)}`, error)
      throw storeFailed(`document ${JSON.stringify(name)} can't be read`, error)
    })
    if (!value) return null
    const reading = readRecord(key, value)
    if (reading.status === 'newer') throw newerFormat(`document ${JSON.stringify(name)}`, reading.version)
    if (reading.status === 'damaged') throw documentDamaged(name, `snapshot ${seq}: ${reading.problem}`)
    const { record } = reading
    if (record.kind !== 'snapshot' || Buffer.compare(record.name, nameBytes) !== 0) {
      throw documentDamaged(name, `snapshot ${seq}: belongs to another document`)
    }
    const { update, index } = record
    return index ? { seq, update, index } : { seq, update }
  }

  /** The document is not open any more. */
  forget(generation: string): void {
    this.#garbage.delete(generation)
  }

  /**
   * Has LevelDB compact the range when as much was removed as is alive: the cost stays in proportion to what is
   * written.
   */
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
