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
import * as encoding from 'lib0/encoding'
import { Reader, unsnap } from './snappy.js'

/** Where a block's content lies in the file, bytes. */
export interface BlockHandle {
  readonly offset: number
  readonly size: number
}

/** A damaged block; a filter only saves time, the others hold records or lead to filters. */
export interface DamagedBlock extends BlockHandle {
  readonly filter: boolean
}

/** What was found in a table. */
export type TableCheck =
  | { readonly status: 'ok'; readonly blocks: number }
  /** These blocks are damaged, or the footer is (then the index isn't, and lies there); the others can be read. */
  | {
      readonly status: 'blocks'
      readonly blocks: number
      readonly damaged: readonly DamagedBlock[]
      readonly footer: BlockHandle | null
    }
  /** Its index is damaged: nothing in it can be found. */
  | { readonly status: 'unreadable'; readonly problem: string }
  /** It doesn't end as a table does: cut short, or still being written. */
  | { readonly status: 'unfinished' }

/** Bytes to overwrite. */
export interface Patch {
  readonly at: number
  readonly bytes: Uint8Array
}

const TRAILER_BYTES = 5
const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const PLAIN = 0
const SNAPPY = 1
/** A kind that doesn't exist: LevelDB does without a filter that it can't read. */
const NO_KIND = 0xff
/** The content of a block without entries, as far as LevelDB looks: the number of its restart points, 0. */
const NO_ENTRIES = new Uint8Array(4)

/** Checks every block of a table file. Pure. */
export const checkTable = (file: Uint8Array): TableCheck => {
  if (!hasFooter(file)) return { status: 'unfinished' }
  try {
    return checkBlocks(file)
  } catch (error) {
    return { status: 'unreadable', problem: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * What makes a damaged table one that LevelDB reads without trouble: damaged blocks become empty ones, and a table in
 * which nothing can be found an empty one. To LevelDB it is as if those records had never been written; that they are
 * missing is noticed by those who count them. Pure.
 */
export const mend = (file: Uint8Array, check: TableCheck): readonly Patch[] => {
  switch (check.status) {
    case 'ok':
    case 'unfinished':
      return []
    case 'blocks': {
      const patches = check.damaged.map((block) =>
        block.filter ? withoutKind(file, block) : emptied(file, block),
      )
      if (!check.footer) return patches
      return [...patches, { at: file.length - FOOTER_BYTES, bytes: footerFor(check.footer) }]
    }
    case 'unreadable':
      return [emptyTable(file)]
  }
}

/** What is wrong, in a few words. */
export const describeDamage = (check: Exclude<TableCheck, { status: 'ok' }>): string => {
  switch (check.status) {
    case 'blocks':
      return check.footer
        ? 'its footer is damaged'
        : `${check.damaged.length} of ${check.blocks} blocks are damaged`
    case 'unreadable':
      return check.problem
    case 'unfinished':
      return 'it is cut short'
  }
}

/** A table that is still being written doesn't end so, and LevelDB refuses one that never will by itself. */
const hasFooter = (file: Uint8Array): boolean =>
  file.length > FOOTER_BYTES + NO_ENTRIES.length + TRAILER_BYTES &&
  Buffer.compare(file.subarray(file.length - MAGIC.length), MAGIC) === 0

const checkBlocks = (file: Uint8Array): TableCheck => {
  const { index, metaindex, footerIsRight } = locate(file)
  const blocks: DamagedBlock[] = []
  for (const handle of handlesIn(content(file, index))) blocks.push({ ...handle, filter: false })
  if (metaindex) blocks.push({ ...metaindex, filter: false })
  if (metaindex && isIntact(file, metaindex)) {
    for (const handle of handlesIn(content(file, metaindex))) blocks.push({ ...handle, filter: true })
  }
  const damaged = blocks.filter((handle) => !isIntact(file, handle))
  for (const { offset, size } of damaged) {
    if (size < NO_ENTRIES.length || offset + size > index.offset) throw new RangeError('its index is wrong')
  }
  if (damaged.length === 0 && footerIsRight) return { status: 'ok', blocks: blocks.length }
  return { status: 'blocks', blocks: blocks.length, damaged, footer: footerIsRight ? null : index }
}

/**
 * Index and metaindex. The footer that names them has no checksum, but they lie right in front of it, metaindex
 * first: either can be told from the other. Without a metaindex there is no filter, and that does no harm.
 */
const locate = (
  file: Uint8Array,
): { index: BlockHandle; metaindex: BlockHandle | null; footerIsRight: boolean } => {
  const start = file.length - FOOTER_BYTES
  const footer = new Reader(file.subarray(start, file.length - MAGIC.length))
  const first = readHandle(footer)
  const second = readHandle(footer)
  const endsAt = ({ offset, size }: BlockHandle, end: number): boolean =>
    offset + size + TRAILER_BYTES === end
  if (endsAt(second, start) && isIntact(file, second)) {
    const metaindex = endsAt(first, second.offset) ? first : null
    const none = first.offset === second.offset && first.size === second.size
    return { index: second, metaindex, footerIsRight: metaindex !== null || none }
  }
  const offset = first.offset + first.size + TRAILER_BYTES
  const index = { offset, size: start - TRAILER_BYTES - offset }
  if (index.size < NO_ENTRIES.length || !isIntact(file, first) || !isIntact(file, index)) {
    throw new RangeError('its index is damaged')
  }
  return { index, metaindex: first, footerIsRight: false }
}

const emptied = (file: Uint8Array, { offset, size }: BlockHandle): Patch => {
  const at = offset + size - NO_ENTRIES.length
  return { at, bytes: Buffer.concat([NO_ENTRIES, trailer([file.subarray(offset, at), NO_ENTRIES], PLAIN)]) }
}

const withoutKind = (file: Uint8Array, { offset, size }: BlockHandle): Patch => ({
  at: offset + size,
  bytes: trailer([file.subarray(offset, offset + size)], NO_KIND),
})

/** One empty block in front of a footer that names it. */
const emptyTable = (file: Uint8Array): Patch => {
  const at = file.length - FOOTER_BYTES - NO_ENTRIES.length - TRAILER_BYTES
  const footer = footerFor({ offset: at, size: NO_ENTRIES.length })
  return { at, bytes: Buffer.concat([NO_ENTRIES, trailer([NO_ENTRIES], PLAIN), footer]) }
}

/** A footer that names the index as metaindex too: LevelDB looks there for a filter, and finds none. */
const footerFor = (index: BlockHandle): Buffer => {
  const encoder = encoding.createEncoder()
  for (const part of [index.offset, index.size, index.offset, index.size])
    encoding.writeVarUint(encoder, part)
  const footer = Buffer.alloc(FOOTER_BYTES)
  footer.set(encoding.toUint8Array(encoder))
  footer.set(MAGIC, FOOTER_BYTES - MAGIC.length)
  return footer
}

/** What follows a block's content. */
const trailer = (contents: readonly Uint8Array[], kind: number): Uint8Array => {
  const bytes = Buffer.alloc(TRAILER_BYTES)
  bytes[0] = kind
  let crc = 0
  for (const part of [...contents, bytes.subarray(0, 1)]) crc = crc32c(part, crc)
  bytes.writeUInt32LE(mask(crc), 1)
  return bytes
}

const readHandle = (reader: Reader): BlockHandle => ({ offset: reader.varint(), size: reader.varint() })

const isIntact = (file: Uint8Array, { offset, size }: BlockHandle): boolean => {
  const end = offset + size + 1
  if (end + 4 > file.length) return false
  const stored = new Reader(file, end).littleEndian(4)
  return stored === mask(crc32c(file.subarray(offset, end)))
}

/** A CRC-32C as LevelDB stores it, rotated and shifted: a checksum of bytes that hold checksums is weak. */
export const mask = (crc: number): number => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0

const content = (file: Uint8Array, { offset, size }: BlockHandle): Uint8Array => {
  const bytes = file.subarray(offset, offset + size)
  return file[offset + size] === SNAPPY ? unsnap(bytes) : bytes
}

/** The handles in an index block: its values. Keys share prefixes, and are passed over. */
function* handlesIn(block: Uint8Array): Generator<BlockHandle> {
  const restarts = new Reader(block, block.length - 4).littleEndian(4)
  if (restarts === 0) return
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
