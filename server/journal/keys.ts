/**
 * The store's keys. LevelDB orders them as bytes, and the layout rests on it:
 *
 *     00 'format'                          what wrote this store
 *     10 name                              catalog: which generation a document is at; in order of name bytes
 *     11 generation                        aside: a damaged original that repair kept
 *     20 generation 00 seq                 snapshot up to and with seq
 *     20 generation 01 seq                 run of updates that starts at seq
 *     40 generation                        purge: a generation whose bytes are to vanish from the files
 *
 * All of a generation lies in one range. Numbers are 6 bytes, big-endian. Except for the catalog, a key is written
 * once and never again with another value: LevelDB can surface stale values of keys that are overwritten.
 */
import { GENERATION_BYTES, generationToBytes, generationToHex } from './generation.js'

/** Keys from `start` up to, not including, `end`. */
export interface KeyRange {
  readonly start: Uint8Array
  readonly end: Uint8Array
}

const CATALOG = 0x10
const ASIDE = 0x11
const RECORDS = 0x20
const PURGE = 0x40

const SNAPSHOT = 0x00
const RUN = 0x01

const SEQ_BYTES = 6
const RECORD_KEY_BYTES = 1 + GENERATION_BYTES + 1 + SEQ_BYTES

/** The highest `seq` that fits a key: 281 million million. */
export const LAST_SEQ = 2 ** 48 - 1

export const FORMAT_KEY = Uint8Array.of(0x00, ...Buffer.from('format'))

const under = (tag: number): KeyRange => ({ start: Uint8Array.of(tag), end: Uint8Array.of(tag + 1) })

export const CATALOG_RANGE: KeyRange = under(CATALOG)
export const ASIDE_RANGE: KeyRange = under(ASIDE)
export const RECORDS_RANGE: KeyRange = under(RECORDS)
export const PURGE_RANGE: KeyRange = under(PURGE)
/** Where no key ever lies. */
export const EMPTY_RANGE: KeyRange = { start: Uint8Array.of(0xfe), end: Uint8Array.of(0xff) }
/** Every key, in the witness too: its keys may start with any byte. */
export const WHOLE_RANGE: KeyRange = { start: new Uint8Array(), end: new Uint8Array(32).fill(0xff) }

export const catalogKey = (name: Uint8Array): Uint8Array => tagged(CATALOG, name)
export const asideKey = (generation: string): Uint8Array => tagged(ASIDE, generationToBytes(generation))
export const purgeKey = (generation: string): Uint8Array => tagged(PURGE, generationToBytes(generation))
export const snapshotKey = (generation: string, seq: number): Uint8Array =>
  recordKey(generation, SNAPSHOT, seq)
export const runKey = (generation: string, first: number): Uint8Array => recordKey(generation, RUN, first)

/** What follows the first byte: the name in a catalog key. */
export const untagged = (key: Uint8Array): Uint8Array => key.subarray(1)

/** All of a generation's snapshots and runs. */
export const generationRange = (generation: string): KeyRange => {
  const start = tagged(RECORDS, generationToBytes(generation))
  return { start, end: successor(start) }
}

/** What a key says, by its form alone. */
export type ParsedKey =
  | { readonly kind: 'format' }
  | { readonly kind: 'catalog'; readonly name: Uint8Array }
  | { readonly kind: 'aside' | 'purge'; readonly generation: string }
  | { readonly kind: 'snapshot' | 'run'; readonly generation: string; readonly seq: number }
  | { readonly kind: 'unknown' }

/** Takes any key apart; one that no version of ours writes is `unknown`. */
export const parseKey = (key: Uint8Array): ParsedKey => {
  switch (key[0]) {
    case FORMAT_KEY[0]:
      return Buffer.compare(key, FORMAT_KEY) === 0 ? { kind: 'format' } : { kind: 'unknown' }
    case CATALOG:
      return key.length > 1 ? { kind: 'catalog', name: untagged(key) } : { kind: 'unknown' }
    case ASIDE:
      return parseGenerationKey('aside', key)
    case PURGE:
      return parseGenerationKey('purge', key)
    case RECORDS:
      return parseRecordKey(key)
    default:
      return { kind: 'unknown' }
  }
}

const parseGenerationKey = (kind: 'aside' | 'purge', key: Uint8Array): ParsedKey =>
  key.length === 1 + GENERATION_BYTES
    ? { kind, generation: generationToHex(untagged(key)) }
    : { kind: 'unknown' }

const parseRecordKey = (key: Uint8Array): ParsedKey => {
  const kind = key[1 + GENERATION_BYTES]
  if (key.length !== RECORD_KEY_BYTES || (kind !== SNAPSHOT && kind !== RUN)) return { kind: 'unknown' }
  const generation = generationToHex(key.subarray(1, 1 + GENERATION_BYTES))
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  const seq = bytes.readUIntBE(2 + GENERATION_BYTES, SEQ_BYTES)
  return { kind: kind === SNAPSHOT ? 'snapshot' : 'run', generation, seq }
}

const tagged = (tag: number, rest: Uint8Array): Uint8Array => {
  const key = new Uint8Array(1 + rest.length)
  key[0] = tag
  key.set(rest, 1)
  return key
}

const recordKey = (generation: string, kind: number, seq: number): Uint8Array => {
  const key = Buffer.alloc(RECORD_KEY_BYTES)
  key[0] = RECORDS
  key.write(generation, 1, 'hex')
  key[1 + GENERATION_BYTES] = kind
  key.writeUIntBE(seq, 2 + GENERATION_BYTES, SEQ_BYTES)
  return key
}

/** The first key after all that start with `prefix`. */
const successor = (prefix: Uint8Array): Uint8Array => {
  const next = prefix.slice()
  for (let i = next.length - 1; i >= 0; i--) {
    const byte = next[i] ?? 0
    if (byte < 0xff) {
      next[i] = byte + 1
      return next.subarray(0, i + 1)
    }
  }
  return next
}
