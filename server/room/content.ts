import { encodeMessage } from '../../shared/codec.js'
import { frame } from '../frame.js'
import type { Snapshot, StoredDocument } from '../journal/journal.js'
import { DocumentIndex } from '../update/document-index.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { scanWithIndex } from '../update/scan-index.js'
import { Splicer } from '../update/splice.js'
import { coversStateVector, type StateVector } from '../update/state-vector.js'
import { type Answer, updateMessage } from './answer.js'
import { Tail } from './tail.js'

/**
 * Up to this size a joiner gets the whole document as one sync step 2. Above it the snapshot goes out as it lies
 * there, in front of what came since: joining then costs no copy of the document per version.
 */
const ONE_PIECE_BYTES = 1024 * 1024
/** Frames that are kept behind a snapshot, for those who come back and for slow readers, bytes. */
const KEPT_BYTES = 64 * 1024
/** More updates than that are found sooner by what one has than by where one was. */
const MOST_RESUMED = 20_000
const MOST_RESUMED_ANSWERS = 16

/** PROTOCOL W4: nothing is missing any more. */
const END_OF_ANSWER = frame(encodeMessage({ type: 'syncStep2', update: Uint8Array.of(0, 0) }))

/** What came after a `seq`. */
interface Resumed {
  readonly answer: Answer
  /** By author: the clocks of its structs in it. */
  readonly news: ReadonlyMap<number, { readonly start: number; readonly end: number }>
}

/** The compacted state, scanned. */
interface Base {
  /** Without its deletions: those are in the index. */
  readonly scan: Scan
  /** What it holds; `null` if it has gaps, so that no state vector tells whether one has all of it. */
  readonly stateVector: StateVector | null
}

/**
 * What a room has of its document: an index of everything, the snapshot, and the tail since. All in bytes; the
 * answer to any state vector is put together from them by copying, without a Y.Doc.
 */
export class Content {
  readonly index = new DocumentIndex()
  readonly tail: Tail
  #base: Base | null
  /** The last `seq` that the snapshot covers; the tail may go back further, for those who resume. */
  #baseSeq: number
  /** Answers of {@link since} at this version. */
  readonly #resumed = new Map<number, Resumed>()
  /** The tail's structs in one piece per author, ready to be written as one update. */
  #merged = new Splicer()
  /** Bytes of the tail's structs. */
  #mergedBytes = 0
  /** Snapshot and tail together; null once there is something newer, so that old versions don't stay in memory. */
  #whole: Splicer | null = null
  /** The frames for one who has nothing; null likewise. */
  #everything: Answer | null = null

  /**
   * @param stored what the journal has.
   * @throws InkwireError INKWIRE_BAD_UPDATE if it isn't made of updates.
   */
  constructor(stored: Pick<StoredDocument, 'snapshot' | 'tail'>) {
    this.tail = new Tail(stored.snapshot?.seq ?? 0)
    this.#base = null
    this.#baseSeq = stored.snapshot?.seq ?? 0
    if (stored.snapshot) {
      const scan = scanWithIndex(stored.snapshot.update, stored.snapshot.index)
      this.index.add(scan)
      this.#base = baseOf(scan)
    }
    for (const { update } of stored.tail) this.append(update, scanUpdate(update, TRUSTED_LIMITS))
  }

  /** The last update's `seq`. */
  get seq(): number {
    return this.tail.lastSeq
  }

  /** Bytes of the snapshot; 0 when there is none. */
  get snapshotBytes(): number {
    return this.#base?.scan.bytes.length ?? 0
  }

  /** Bytes of the tail's frames since the snapshot. */
  get tailBytes(): number {
    return this.tail.bytesFrom(this.#baseSeq + 1)
  }

  /** About what the whole document takes as one update, bytes. */
  get size(): number {
    return this.snapshotBytes + this.#mergedBytes
  }

  /** Takes an update in; returns the copy that is kept. */
  append(update: Uint8Array, scan: Scan): Uint8Array {
    const kept = this.tail.append(update)
    this.index.add(scan)
    // Pieces may be kept by reference: of our copy, not of the socket's buffer.
    this.#merged.add({ ...scan, bytes: kept })
    this.#mergedBytes += structBytes(scan)
    this.#whole = null
    this.#everything = null
    this.#resumed.clear()
    return kept
  }

  /**
   * The frames that bring one up to date (PROTOCOL W4).
   *
   * @param since what it says it holds.
   */
  answer(since: StateVector): Answer {
    if (since.size === 0) return this.everything()
    const source = this.#hasBase(since) ? this.#merged : this.#wholeSplicer()
    return [updateMessage('syncStep2', source.build({ since, deleteSet: this.index.encodeDeleteSet() }))]
  }

  /**
   * What brings up one who lacks nothing up to `seq` (PROTOCOL X3); `null` when the updates since aren't held any more.
   * Made once per version for each `seq`: after an outage everybody comes back from the same one.
   *
   * @param holds what it says it holds.
   */
  since(seq: number, holds: StateVector): Answer | null {
    const { firstSeq, lastSeq } = this.tail
    if (seq < firstSeq - 1 || seq > lastSeq || lastSeq - seq > MOST_RESUMED) return null
    const resumed = this.#resumed.get(seq) ?? this.#resume(seq)
    // A disk that lost what it had called durable gives numbers out anew; state vectors tell.
    for (const [client, clock] of this.index.stateVector()) {
      const held = holds.get(client) ?? 0
      const news = resumed.news.get(client)
      if (held < clock && (!news || held < news.start || news.end < clock)) return null
    }
    return resumed.answer
  }

  #resume(seq: number): Resumed {
    const splicer = new Splicer()
    const news = new Map<number, { start: number; end: number }>()
    for (const update of this.tail.updates(seq + 1, this.tail.lastSeq)) {
      const scan = scanUpdate(update, TRUSTED_LIMITS)
      splicer.add(scan)
      for (const { client, clock, end } of scan.blocks) {
        const known = news.get(client) ?? { start: clock, end }
        news.set(client, { start: Math.min(clock, known.start), end: Math.max(end, known.end) })
      }
    }
    const nothing = seq === this.tail.lastSeq
    const resumed = {
      news,
      answer: nothing ? [END_OF_ANSWER] : [updateMessage('syncStep2', splicer.build())],
    }
    if (this.#resumed.size < MOST_RESUMED_ANSWERS) this.#resumed.set(seq, resumed)
    return resumed
  }

  /** The frames that bring up one who has nothing. Made once per version, shared by all who ask. */
  everything(): Answer {
    this.#everything ??= this.#all()
    return this.#everything
  }

  /** What a compaction starts from: everything up to {@link seq}. */
  forCompaction(): { snapshot: Uint8Array | null; updates: Uint8Array[] } {
    return { snapshot: this.#base?.scan.bytes ?? null, updates: [this.#merged.build()] }
  }

  /** The journal has taken `snapshot` for everything up to its `seq`. */
  compacted(snapshot: Snapshot): void {
    const scan = scanWithIndex(snapshot.update, snapshot.index)
    // A Y.Doc finds deletions that no update told of (the losers of concurrent writes to one map key); clients have
    // found them too and will send them, which must not count as news.
    this.index.add(scan)
    this.#base = baseOf(scan)
    this.#baseSeq = snapshot.seq
    this.tail.trim(snapshot.seq, KEPT_BYTES)
    this.#merged = new Splicer()
    this.#mergedBytes = 0
    for (const update of this.tail.updates(snapshot.seq + 1, this.tail.lastSeq)) {
      const scan = scanUpdate(update, TRUSTED_LIMITS)
      this.#merged.add(scan)
      this.#mergedBytes += structBytes(scan)
    }
    this.#whole = null
    this.#everything = null
    this.#resumed.clear()
  }

  #all(): Answer {
    const base = this.#base
    const untouched = this.tail.lastSeq === this.#baseSeq
    if (base !== null && untouched && base.scan.bytes.length <= ONE_PIECE_BYTES) {
      return [updateMessage('syncStep2', base.scan.bytes)]
    }
    if (base === null || base.scan.bytes.length <= ONE_PIECE_BYTES) {
      const whole = this.#wholeSplicer().build({ deleteSet: this.index.encodeDeleteSet() })
      return [updateMessage('syncStep2', whole)]
    }
    const answer = [updateMessage('update', base.scan.bytes)]
    if (!untouched) answer.push(updateMessage('update', this.#merged.build()))
    answer.push(END_OF_ANSWER)
    return answer
  }

  #hasBase(since: StateVector): boolean {
    if (this.#base === null) return true
    return this.#base.stateVector !== null && coversStateVector(since, this.#base.stateVector)
  }

  #wholeSplicer(): Splicer {
    if (this.#base === null) return this.#merged
    this.#whole ??= new Splicer().add(this.#base.scan).addAll(this.#merged)
    return this.#whole
  }
}

/** Bytes of an update's structs, without what says whose they are. */
export const structBytes = ({ blocks }: Scan): number => {
  let bytes = 0
  for (const { from, to } of blocks) bytes += to - from
  return bytes
}

const baseOf = (scan: Scan): Base => {
  const index = new DocumentIndex()
  const structs: Scan = { ...scan, deletes: [] }
  return { scan: structs, stateVector: index.hasGap(structs) ? null : held(index, structs) }
}

const held = (index: DocumentIndex, scan: Scan): StateVector => {
  index.add(scan)
  return index.stateVector()
}
