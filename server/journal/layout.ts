import { runKey, snapshotKey } from './keys.js'

/** A snapshot that lies in the store. */
export interface StoredSnapshot {
  readonly seq: number
  readonly bytes: number
}

/** A run of updates that lies in the store, as one record. */
export interface StoredRun {
  readonly first: number
  readonly last: number
  readonly bytes: number
}

/** Which records of one generation lie in the store: what a compaction has to remove. */
export class Layout {
  readonly #generation: string
  #snapshots: StoredSnapshot[] = []
  /** In order; one per commit since the last compaction. */
  #runs: StoredRun[] = []

  constructor(generation: string) {
    this.#generation = generation
  }

  addSnapshot(snapshot: StoredSnapshot): void {
    this.#snapshots.push(snapshot)
  }

  addRun(run: StoredRun): void {
    this.#runs.push(run)
  }

  /** The newest snapshot's, 0 without one. */
  get snapshotSeq(): number {
    return this.#snapshots.at(-1)?.seq ?? 0
  }

  /** The keys that a snapshot at `seq` makes void, and how many bytes lie under them. */
  coveredBy(seq: number): { readonly keys: readonly Uint8Array[]; readonly bytes: number } {
    const keys: Uint8Array[] = []
    let bytes = 0
    for (const snapshot of this.#snapshots) {
      if (snapshot.seq >= seq) continue
      keys.push(snapshotKey(this.#generation, snapshot.seq))
      bytes += snapshot.bytes
    }
    for (const run of this.#runs) {
      if (run.last > seq) break
      keys.push(runKey(this.#generation, run.first))
      bytes += run.bytes
    }
    return { keys, bytes }
  }

  /** Forgets what {@link coveredBy} named and remembers the snapshot. */
  compacted(snapshot: StoredSnapshot): void {
    this.#snapshots = [...this.#snapshots.filter(({ seq }) => seq > snapshot.seq), snapshot]
    this.#runs = this.#runs.filter(({ last }) => last > snapshot.seq)
  }
}
