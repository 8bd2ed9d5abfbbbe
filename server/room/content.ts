import type { Snapshot, StoredDocument } from '../journal/journal.js'
import { DocumentIndex } from '../update/document-index.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { scanWithIndex } from '../update/scan-index.js'
import { Splicer } from '../update/splice.js'
import type { Clocks, StateVector } from '../update/state-vector.js'
import { Visible } from '../update/visible.js'
import { type Answer, answerBytes, updateMessage } from './answer.js'
import { Base } from './base.js'
import { Diffs } from './diffs.js'
import { EVERYTHING, type Holder, type Keeper } from './holdings.js'
import { END_OF_ANSWER, Resume } from './resume.js'
import { Tail } from './tail.js'

/**
 * Up to this size a joiner gets the whole document as one sync step 2. Above it the snapshot goes out as it lies
 * there, in front of what came since: joining then costs no copy of the document per version.
 */
const ONE_PIECE_BYTES = 1024 * 1024
/** Frames that are kept behind a snapshot, for those who come back and for slow readers, bytes. */
const KEPT_BYTES = 64 * 1024

/**
 * What a room has of its document: an index of everything, the snapshot, and the tail since. All in bytes; the
 * answer to any state vector is put together from them by copying, without a Y.Doc.
 *
 * The snapshot's bytes and ready-made answers may be let go of at the end of any turn ({@link drop}). What needs the
 * snapshot gives null then, until it was read again and handed to {@link restore}.
 */
export class Content implements Holder {
  readonly index = new DocumentIndex()
  readonly visible = new Visible(this.index)
  readonly tail: Tail
  readonly #keeper: Keeper
  #base: Base | null
  /** Other answers of this version; null while nobody has asked, since most rooms are idle. */
  #resume: Resume | null = null
  #diffs: Diffs | null = null
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
   * @param keeper is told what of this could be had again; it may call {@link drop} between turns.
   * @throws InkwireError INKWIRE_BAD_UPDATE if it isn't made of updates.
   */
  constructor(stored: Pick<StoredDocument, 'snapshot' | 'tail'>, keeper: Keeper = EVERYTHING) {
    this.#keeper = keeper
    this.tail = new Tail(stored.snapshot?.seq ?? 0)
    this.#base = stored.snapshot && this.#take(stored.snapshot, this.visible)
    for (const { update } of stored.tail) this.append(update, scanUpdate(update, TRUSTED_LIMITS))
    keeper.used(this)
  }

  /** The last update's `seq`. */
  get seq(): number {
    return this.tail.lastSeq
  }

  /** Bytes of the snapshot; 0 when there is none. */
  get snapshotBytes(): number {
    return this.#base?.size ?? 0
  }

  /** The last `seq` that the snapshot covers; the tail may go back further, for those who resume. */
  get baseSeq(): number {
    return this.#base?.seq ?? 0
  }

  /** Whether the snapshot, if there is one, is here. */
  get complete(): boolean {
    return this.#base === null || this.#base.scan !== null
  }

  /** Bytes of the tail's frames since the snapshot. */
  get tailBytes(): number {
    return this.tail.bytesFrom(this.baseSeq + 1)
  }

  /** About what the whole document takes as one update, bytes. */
  get size(): number {
    return this.snapshotBytes + this.#mergedBytes
  }

  /** Bytes that could be had again: the snapshot and what was made of it and of the tail. */
  get held(): number {
    const everything = this.#everything ? answerBytes(this.#everything, this.#base?.scan?.bytes) : 0
    return (this.#base?.held ?? 0) + everything + (this.#diffs?.held ?? 0) + (this.#resume?.held ?? 0)
  }

  drop(): void {
    this.#base?.drop()
    this.#outdated()
  }

  /**
   * The snapshot was read again.
   *
   * @returns whether it is still the one that is needed; another may have taken its place.
   */
  restore(snapshot: Snapshot): boolean {
    if (snapshot.seq !== this.baseSeq) return false
    this.#base?.restore(snapshot)
    this.#keeper.used(this)
    return true
  }

  /** The document is closed. */
  dispose(): void {
    this.#keeper.forget(this)
  }

  /** Takes an update in; returns the copy that is kept. */
  append(update: Uint8Array, scan: Scan): Uint8Array {
    const kept = this.tail.append(update)
    this.visible.add(scan)
    // Pieces may be kept by reference: of our copy, not of the socket's buffer.
    this.#merged.add({ ...scan, bytes: kept })
    this.#mergedBytes += structBytes(scan)
    if (this.#outdated()) this.#keeper.changed(this)
    return kept
  }

  /**
   * The frames that bring one up to date (PROTOCOL W4); `null` when that takes the snapshot and it isn't here.
   *
   * @param since what it says it holds, and the same encoded.
   */
  answer(since: StateVector, encoded: Uint8Array): Answer | null {
    if (since.size === 0) return this.everything()
    const past = this.#base === null || this.#base.isHeldBy(since)
    this.#diffs ??= new Diffs()
    const answer = this.#diffs.get(encoded, this.#base?.scan?.bytes, () => {
      const source = past ? this.#merged : this.#wholeSplicer()
      if (source === null) return null
      return [updateMessage('syncStep2', source.parts({ since, deleteSet: this.index.encodeDeleteSet() }))]
    })
    if (answer && past) this.#keeper.changed(this)
    else if (answer) this.#keeper.used(this)
    return answer
  }

  /**
   * The same for a client that holds all that the room holds without a gap: it lacks at most deletions, and what lies
   * behind gaps. No look at each client id is needed, of which there may be 100,000.
   */
  rest(): Answer | null {
    const source = this.#base === null || this.#base.isWithoutGaps ? this.#merged : this.#wholeSplicer()
    if (source === null) return null
    if (source !== this.#merged) this.#keeper.used(this)
    const since = { get: (client: number) => this.index.clock(client) }
    return [updateMessage('syncStep2', source.parts({ since, deleteSet: this.index.encodeDeleteSet() }))]
  }

  /** What brings up one who lacks nothing up to `seq` (PROTOCOL X3): see {@link Resume.since}. */
  since(seq: number, holds: Clocks): Answer | null {
    this.#resume ??= new Resume(this.tail, this.index)
    const answer = this.#resume.since(seq, holds)
    if (answer) this.#keeper.changed(this)
    return answer
  }

  /**
   * The frames that bring up one who has nothing; `null` when the snapshot isn't here. Made once per version, shared by
   * all who ask.
   */
  everything(): Answer | null {
    this.#everything ??= this.#all()
    if (this.#everything) this.#keeper.used(this)
    return this.#everything
  }

  /** What a compaction starts from: everything up to {@link seq}. `null` when the snapshot isn't here. */
  forCompaction(): { snapshot: Uint8Array | null; updates: Uint8Array[] } | null {
    if (!this.complete) return null
    return { snapshot: this.#base?.scan?.bytes ?? null, updates: [this.#merged.build()] }
  }

  /** The journal has taken `snapshot` for everything up to its `seq`. */
  compacted(snapshot: Snapshot): void {
    // A Y.Doc finds deletions that no update told of (the losers of concurrent writes to one map key); clients have
    // found them too and will send them, which must not count as news: they go into the index, too.
    this.#base = this.#take(snapshot, this.index)
    this.tail.trim(snapshot.seq, KEPT_BYTES)
    this.#merged = new Splicer()
    this.#mergedBytes = 0
    for (const update of this.tail.updates(snapshot.seq + 1, this.tail.lastSeq)) {
      const scan = scanUpdate(update, TRUSTED_LIMITS)
      this.#merged.add(scan)
      this.#mergedBytes += structBytes(scan)
    }
    this.#outdated()
    this.#keeper.used(this)
  }

  #take(snapshot: Snapshot, into: Visible | DocumentIndex): Base {
    const scan = scanWithIndex(snapshot.update, snapshot.index)
    into.add(scan)
    return new Base(snapshot, scan)
  }

  /** Lets go of what was made of this version. Returns whether there was any. */
  #outdated(): boolean {
    const had = this.#everything !== null || this.#diffs !== null || this.#resume !== null
    this.#whole = null
    this.#everything = null
    this.#diffs = null
    this.#resume = null
    return had
  }

  #all(): Answer | null {
    if (this.snapshotBytes <= ONE_PIECE_BYTES) {
      const untouched = this.tail.lastSeq === this.baseSeq ? this.#base?.scan?.bytes : undefined
      if (untouched) return [updateMessage('syncStep2', [untouched])]
      const whole = this.#wholeSplicer()?.build({ deleteSet: this.index.encodeDeleteSet() })
      return whole ? [updateMessage('syncStep2', [whole])] : null
    }
    const bytes = this.#base?.scan?.bytes
    if (!bytes) return null
    const answer = [updateMessage('update', [bytes])]
    if (this.tail.lastSeq > this.baseSeq) answer.push(updateMessage('update', this.#merged.parts()))
    answer.push(END_OF_ANSWER)
    return answer
  }

  /** `null` when the snapshot isn't here. */
  #wholeSplicer(): Splicer | null {
    if (this.#base === null) return this.#merged
    if (this.#base.scan === null) return null
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
