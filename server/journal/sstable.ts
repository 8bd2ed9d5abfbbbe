/**
 * LevelDB's tables, as far as it takes to check them. A table is a row of blocks, each with its kind and checksum
 * behind it, then an index block that tells where they are, then a footer that tells where the index is.
 *
 *     block: content · kind (1 byte: 0 plain, 1 Snappy) · masked CRC-32C of content and kind (4)
 *     footer: metaindex (offset, size) · index (offset, size) · padding to 40 · magic number (8)
 *
 * LevelDB itself doesn't look at these checksums when it reads, and on some damage it aborts the whole process.
 */
import { crc32c } from '@node-rs/crc32'
import { Reader, unsnap } from './snappy.js'

/** Where a block's content lies in the file, bytes. */
export interface BlockHandle {
  readonly offset: number
  readonly size: number
}

/** What was found in a table. */
export type TableCheck =
  | { readonly status: 'ok'; readonly blocks: number }
  /** These blocks are damaged, the others can be read. */
  | { readonly status: 'blocks'; readonly blocks: number; readonly damaged: readonly BlockHandle[] }
  /** Nothing in it can be found: its footer or its index is damaged. */
  | { readonly status: 'unreadable'; readonly problem: string }

const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const SNAPPY = 1

/** Checks every block of a table file. Pure. */
export const checkTable = (file: Uint8Array): TableCheck => {
  try {
    return checkBlocks(file)
  } catch (error) {
    return { status: 'unreadable', problem: error instanceof Error ? error.message : String(error) }
  }
}

/** Whether a file ends as a table does. One that is still being written doesn't, and LevelDB refuses it by itself. */
const hasFooter = (file: Uint8Array): boolean =>
  file.length >= FOOTER_BYTES && Buffer.compare(file.subarray(file.length - MAGIC.length), MAGIC) === 0

/**
 * The bytes to overwrite so that LevelDB refuses what is damaged with an error, rather than read it: a block gets a
 * kind that doesn't exist, a table another magic number. Nothing that could still be read is lost by it.
 */
export const fencesOf = (
  file: Uint8Array,
  check: TableCheck,
): readonly { readonly at: number; readonly byte: number }[] => {
  switch (check.status) {
    case 'ok':
      return []
    case 'blocks':
      return check.damaged.map(({ offset, size }) => ({ at: offset + size, byte: 0xff }))
    case 'unreadable':
      return hasFooter(file) ? [{ at: file.length - 1, byte: 0 }] : []
  }
}

const checkBlocks = (file: Uint8Array): TableCheck => {
  const start = file.length - FOOTER_BYTES
  if (start < 0) throw new RangeError('cut short')
  if (!hasFooter(file)) throw new RangeError('it has no footer')
  const footer = new Reader(file.subarray(start, file.length - MAGIC.length))
  const metaindex = readHandle(footer)
  const index = readHandle(footer)
  if (!isIntact(file, index)) throw new RangeError('its index is damaged')
  const handles = [...handlesIn(content(file, index)), metaindex]
  // The metaindex names the filter. Damage to it costs the filter, and with that a little speed.
  if (isIntact(file, metaindex)) handles.push(...handlesIn(content(file, metaindex)))
  const damaged = handles.filter((handle) => !isIntact(file, handle))
  if (damaged.some(({ offset, size }) => offset + size >= start))
    throw new RangeError('its index points outside')
  return damaged.length === 0
    ? { status: 'ok', blocks: handles.length }
    : { status: 'blocks', blocks: handles.length, damaged }
}

const readHandle = (reader: Reader): BlockHandle => ({ offset: reader.varint(), size: reader.varint() })

const isIntact = (file: Uint8Array, { offset, size }: BlockHandle): boolean => {
  const end = offset + size + 1
  if (end + 4 > file.length) return false
  const stored = new Reader(file, end).littleEndian(4)
  return stored === mask(crc32c(file.subarray(offset, end)))
}

/** A checksum of bytes that hold checksums is weak: LevelDB stores them rotated and shifted. */
const mask = (crc: number): number => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0

const content = (file: Uint8Array, { offset, size }: BlockHandle): Uint8Array => {
  const bytes = file.subarray(offset, offset + size)
  return file[offset + size] === SNAPPY ? unsnap(bytes) : bytes
}

/** The handles in an index block: its values. Keys share prefixes, and are passed over. */
function* handlesIn(block: Uint8Array): Generator<BlockHandle> {
  const restarts = new Reader(block, block.length - 4).littleEndian(4)
  const end = block.length - 4 - 4 * restarts
  const reader = new Reader(block.subarray(0, end))
  while (!reader.atEnd) {
    reader.varint()
    const keyBytes = reader.varint()
    const valueBytes = reader.varint()
    reader.take(keyBytes)
    yield readHandle(new Reader(reader.take(valueBytes)))
  }
}
