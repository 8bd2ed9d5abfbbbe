import { Cursor } from './cursor.js'
import { GrowingWriter } from './growing-writer.js'
import { TRUSTED_LIMITS } from './limits.js'
import type { Block, Scan } from './scan.js'
import { Slicer } from './slice.js'
import {
  ANY_VALUES,
  DELETED,
  GC,
  HAS_ORIGIN,
  HAS_PARENT_SUB,
  HAS_RIGHT_ORIGIN,
  KIND,
  SKIP,
  STRING,
  skipStruct,
} from './struct.js'
import { uintSize, Writer } from './writer.js'

/** What {@link condense} made. */
export interface Condensed {
  readonly update: Uint8Array
  /** Structs in it. */
  readonly structs: number
  /**
   * How many of them are deleted parts of something that was perhaps deleted itself: a Y.Doc may forget more of these.
   */
  readonly nested: number
}

/**
 * Makes a whole document's update smaller, by its bytes: what is deleted loses its content, and what was typed in one
 * go becomes one struct. It is what a `Y.Doc` does to its store when it garbage-collects (`Item.gc`, `Item.mergeWith`
 * and `tryToMergeWithLefts` of Yjs), but for children of what is deleted, which stay as deleted items.
 *
 * Two items are joined if the second begins where the first ends, names its last clock as origin, and both have the
 * same right origin. Yjs asks besides that they be neighbours in the document. That doesn't matter here: whoever takes
 * in the joined item, and later one that belongs in between, splits it into just the two that it was.
 *
 * @param scan of an update with all structs and all deletions, as a splicer makes it.
 */
export const condense = (scan: Scan): Condensed => {
  const condensing = condenseInSteps(scan)
  for (;;) {
    const { done, value } = condensing.next()
    if (done) return value
  }
}

/** What a step of {@link condenseInSteps} does at most, in bytes gone over: some 2 ms once warm. */
const STEP_BYTES = 1024 * 1024
/** What a struct, or a part of one, costs whatever its size, in bytes gone over. */
const PART_BYTES = 256

/**
 * The same in steps of a few milliseconds, for a caller that has something else to do in between.
 *
 * @param stepBytes what a step does at most, but for one large struct.
 */
export function* condenseInSteps(scan: Scan, stepBytes = STEP_BYTES): Generator<void, Condensed, void> {
  const work = new Work(stepBytes)
  const out = new GrowingWriter(Math.max(64, scan.bytes.length >> 2))
  const clients: { client: number; clock: number; structs: number; from: number; to: number }[] = []
  const deletes = new Map(scan.deletes.map(({ client, ranges }) => [client, ranges] as const))
  let nested = 0
  let structs = 0
  for (let i = 0; i < scan.blocks.length; ) {
    const { client, clock } = scan.blocks[i] as Block
    const from = out.length
    const run = new Run(out, client, work)
    const ranges = deletes.get(client) ?? []
    for (; scan.blocks[i]?.client === client; i++)
      yield* run.takeBlock(scan.bytes, scan.blocks[i] as Block, ranges)
    run.write()
    clients.push({ client, clock, structs: run.structs, from, to: out.length })
    nested += run.nested
    structs += run.structs
  }
  return { update: assemble(scan, out.written(), clients), structs, nested }
}

const assemble = (
  { bytes, deletesFrom }: Scan,
  written: Uint8Array,
  clients: readonly { client: number; clock: number; structs: number; from: number; to: number }[],
): Uint8Array => {
  let size = uintSize(clients.length) + written.length + bytes.length - deletesFrom
  for (const { client, clock, structs } of clients)
    size += uintSize(structs) + uintSize(client) + uintSize(clock)
  const writer = new Writer(size)
  writer.uint(clients.length)
  for (const { client, clock, structs, from, to } of clients) {
    writer.uint(structs)
    writer.uint(client)
    writer.uint(clock)
    writer.copy(written, from, to)
  }
  writer.copy(bytes, deletesFrom, bytes.length)
  return writer.bytes
}

/** Tells when a step has done enough. */
class Work {
  readonly #stepBytes: number
  #left: number

  constructor(stepBytes: number) {
    this.#stepBytes = stepBytes
    this.#left = stepBytes
  }

  /** A struct, or a part of one, was done; returns whether that is enough for a step. */
  done(bytes: number): boolean {
    this.#left -= PART_BYTES + bytes
    if (this.#left > 0) return false
    this.#left = this.#stepBytes
    return true
  }
}

/** Part of some bytes. */
interface Span {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

/** No id: what an item without origin, or without right origin, names. */
const NONE = -1

/** The structs of one client, one after the other: the last one is kept back, as long as others may join it. */
class Run {
  structs = 0
  nested = 0
  readonly #out: GrowingWriter
  readonly #client: number
  readonly #work: Work
  /** Where the deletions have been looked at up to. */
  #range = 0
  /** Clock after the last struct. */
  #end = NONE
  // What is kept back; nothing, if `#kind` is SKIP.
  #kind = SKIP
  #info = 0
  #length = 0
  #rightClient = NONE
  #rightClock = NONE
  #head: Span | null = null
  #content: Span[] = []
  #contentBytes = 0

  constructor(out: GrowingWriter, client: number, work: Work) {
    this.#out = out
    this.#client = client
    this.#work = work
  }

  *takeBlock(
    bytes: Uint8Array,
    { clock: start, end, from }: Block,
    deletes: readonly number[],
  ): Generator<void, void, void> {
    if (this.#end !== NONE && start > this.#end) this.#skip(start - this.#end)
    const cursor = new Cursor(bytes, from, TRUSTED_LIMITS.maxDepth, true)
    for (let clock = start; clock < end; ) {
      const pos = cursor.pos
      const info = cursor.byte()
      const next = clock + skipStruct(cursor, info, this.#client, clock)
      const struct = { bytes, from: pos, to: cursor.pos }
      while (this.#range < deletes.length && (deletes[this.#range + 1] as number) <= clock) this.#range += 2
      const from = deletes[this.#range] ?? Number.POSITIVE_INFINITY
      const to = deletes[this.#range + 1] ?? Number.POSITIVE_INFINITY
      if (from >= next) this.#take(struct, info, clock, next, false)
      else if (from <= clock && to >= next) this.#take(struct, info, clock, next, true)
      else yield* this.#takeParts(struct, clock, next, deletes)
      if (this.#work.done(cursor.pos - pos)) yield
      clock = next
    }
    this.#end = end
  }

  /** Writes what is kept back. */
  write(): void {
    const out = this.#out
    const kind = this.#kind
    this.#kind = SKIP
    if (kind === SKIP) return
    this.structs++
    if (kind === GC) {
      out.uint8(GC)
      out.uint(this.#length)
      return
    }
    const { bytes, from, to } = this.#head as Span
    out.uint8(this.#info)
    out.copy(bytes, from, to)
    if (kind === DELETED || kind === ANY_VALUES) out.uint(this.#length)
    else if (kind === STRING) out.uint(this.#contentBytes)
    for (const part of this.#content) out.copy(part.bytes, part.from, part.to)
    this.#content = []
  }

  #skip(length: number): void {
    this.write()
    this.structs++
    this.#out.uint8(SKIP)
    this.#out.uint(length)
  }

  /** A struct of which only some is deleted. */
  *#takeParts(
    struct: Span,
    clock: number,
    end: number,
    deletes: readonly number[],
  ): Generator<void, void, void> {
    const slicer = new Slicer({ bytes: struct.bytes, pos: struct.from, client: this.#client, clock })
    let start = clock
    for (let range = this.#range; start < end; ) {
      const from = deletes[range] ?? Number.POSITIVE_INFINITY
      const deleted = from <= start
      const to = Math.min(end, deleted ? (deletes[range + 1] as number) : from)
      const bytes = slicer.take(to)
      this.#take({ bytes, from: 0, to: bytes.length }, bytes[0] as number, start, to, deleted)
      if (this.#work.done(bytes.length)) yield
      if (deleted) range += 2
      start = to
    }
  }

  #take({ bytes, from, to }: Span, info: number, clock: number, end: number, deleted: boolean): void {
    const length = end - clock
    const last = this.#kind
    const kind = deleted && info !== GC ? DELETED : info & KIND
    if (info === GC) {
      if (last === GC) {
        this.#length += length
        return
      }
      this.write()
      this.#kind = GC
      this.#length = length
      return
    }
    const cursor = new Cursor(bytes, from + 1, TRUSTED_LIMITS.maxDepth, true)
    const originClient = info >= HAS_ORIGIN ? cursor.uint() : NONE
    const originClock = info >= HAS_ORIGIN ? cursor.uint() : NONE
    const hasRight = (info & HAS_RIGHT_ORIGIN) !== 0
    const rightClient = hasRight ? cursor.uint() : NONE
    const rightClock = hasRight ? cursor.uint() : NONE
    const nested = info < HAS_RIGHT_ORIGIN && this.#skipParent(cursor, info)
    const head = { bytes, from: from + 1, to: cursor.pos }
    const continues =
      last === kind &&
      originClient === this.#client &&
      originClock === clock - 1 &&
      rightClient === this.#rightClient &&
      rightClock === this.#rightClock
    if (kind === STRING || kind === ANY_VALUES) cursor.uint()
    const content = { bytes, from: cursor.pos, to }
    if (continues && (kind === DELETED || kind === STRING || kind === ANY_VALUES)) {
      this.#length += length
    } else {
      this.write()
      this.#kind = kind
      this.#info = (info & ~KIND) | kind
      this.#length = length
      this.#rightClient = rightClient
      this.#rightClock = rightClock
      this.#head = head
      this.#contentBytes = 0
      if (nested && kind === DELETED) this.nested++
    }
    if (kind === DELETED) return
    this.#content.push(content)
    this.#contentBytes += content.to - content.from
  }

  /** Steps over the name of a parent; whether that is an item. */
  #skipParent(cursor: Cursor, info: number): boolean {
    const root = cursor.byte() === 1
    if (root) cursor.string()
    else {
      cursor.uint()
      cursor.uint()
    }
    if ((info & HAS_PARENT_SUB) !== 0) cursor.string()
    return !root
  }
}
