/**
 * LevelDB's logs, as far as it takes to read them: each write since the last table was written, in order. A log is a
 * row of blocks of 32 KiB, a record is in one piece or in several, none of which crosses a block's end.
 *
 *     piece: masked CRC-32C of kind and content (4) · length (2) · kind (1) · content; kinds: whole 1, first 2, middle 3,
 *       last 4
 *     record of a log: sequence number (8) · count (4) · count × (kind: removed 0, put 1 · key · value, if it was put)
 *     record of a MANIFEST: fields, each with its tag before it
 */
import { crc32c } from '@node-rs/crc32'
import { Reader } from './snappy.js'
import { mask } from './sstable.js'
import type { Write } from './store.js'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const Kind = { whole: 1, first: 2, middle: 3 } as const
const SEQUENCE_AND_COUNT_BYTES = 12
const REMOVED = 0

/**
 * The records of a log whose checksums hold, in order. What is damaged is left out, like a last one that is cut short.
 */
export function* recordsOf(log: Uint8Array): Generator<Uint8Array, void, void> {
  let pieces: Uint8Array[] = []
  for (const piece of piecesOf(log)) {
    if (piece === null || piece.kind === Kind.whole || piece.kind === Kind.first) pieces = []
    // One that was damaged breaks what it is a piece of.
    else if (pieces.length === 0) continue
    if (piece === null) continue
    pieces.push(piece.content)
    if (piece.kind === Kind.first || piece.kind === Kind.middle) continue
    yield pieces.length === 1 ? piece.content : Buffer.concat(pieces)
    pieces = []
  }
}

interface Piece {
  readonly kind: number
  readonly content: Uint8Array
}

/**
 * `null` where something is damaged: like LevelDB, it goes on with the next block then, since a length may be wrong.
 */
function* piecesOf(log: Uint8Array): Generator<Piece | null, void, void> {
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, log.length)
    for (let at = block; at + HEADER_BYTES <= end; ) {
      const reader = new Reader(log, at)
      const checksum = reader.littleEndian(4)
      const length = reader.littleEndian(2)
      const kind = reader.byte()
      at = reader.at + length
      if (at > end || mask(crc32c(log.subarray(reader.at - 1, at))) !== checksum) {
        yield null
        break
      }
      yield { kind, content: reader.take(length) }
    }
  }
}

/** What a record of a log writes; nothing if it isn't one. */
export const writesOf = (record: Uint8Array): Write[] => {
  const writes: Write[] = []
  try {
    const reader = new Reader(record, SEQUENCE_AND_COUNT_BYTES)
    while (!reader.atEnd) {
      const removed = reader.byte() === REMOVED
      const key = reader.take(reader.varint())
      writes.push({ key, value: removed ? null : reader.take(reader.varint()) })
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return []
  }
  return writes
}

/**
 * From which log on LevelDB reads what is in no table yet, by a MANIFEST; logs before it may lie there, but count no
 * more.
 */
export const firstLogOf = (manifest: Uint8Array): number => {
  let first = 0
  for (const record of recordsOf(manifest)) {
    try {
      first = logNumberIn(record) ?? first
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  return first
}

const Tag = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  removedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const

const logNumberIn = (record: Uint8Array): number | null => {
  const reader = new Reader(record)
  const bytes = (): Uint8Array => reader.take(reader.varint())
  let found: number | null = null
  while (!reader.atEnd) {
    switch (reader.varint()) {
      case Tag.logNumber:
        found = reader.varint()
        break
      case Tag.nextFile:
      case Tag.lastSequence:
      case Tag.previousLog:
        reader.varint()
        break
      case Tag.comparator:
        bytes()
        break
      case Tag.compactPointer:
        reader.varint()
        bytes()
        break
      case Tag.removedFile:
        reader.varint()
        reader.varint()
        break
      case Tag.newFile:
        // Its level, number and size, its least and its greatest key.
        for (let i = 0; i < 3; i++) reader.varint()
        bytes()
        bytes()
        break
      default:
        return found
    }
  }
  return found
}
