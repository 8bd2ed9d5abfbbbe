/**
 * The bodies of the store's values, as bytes and back. Pure. Numbers are lib0's varints; *bytes* and *string* are a
 * varint length and that much.
 *
 *     catalog   generation (16 bytes) · created
 *     run       name (bytes; empty except in a generation's first record) · count · number of authors · authors
 *               (string each) · first time · count × (author's index · milliseconds since the one before, signed ·
 *               update (bytes))
 *     snapshot  name (bytes) · created · taken · index (bytes) · update (bytes)
 *     purge     -
 *     aside     name (bytes) · taken · reason (string)
 *
 * The name is in every snapshot and first run so that a document can be found again when its catalog entry is lost.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { bodyEncoder, Kind, seal, sealEncoded, unseal } from './envelope.js'
import { GENERATION_BYTES, generationToBytes, generationToHex } from './generation.js'
import { type ParsedKey, parseKey } from './keys.js'

/** One update as it is written; its `seq` follows from its place. */
export interface RunEntry {
  readonly update: Uint8Array
  readonly time: number
  readonly author: string
}

/** A contiguous run of updates of one document, from one commit. */
export interface Run {
  /** Only in the first record of a generation. */
  readonly name: Uint8Array | null
  readonly entries: readonly RunEntry[]
}

/** A compacted state. */
export interface SnapshotRecord {
  readonly name: Uint8Array
  /** When the generation was made, milliseconds since 1970. */
  readonly created: number
  /** When the snapshot was written. */
  readonly taken: number
  readonly index: Uint8Array | null
  readonly update: Uint8Array
}

/** Which generation a document is at. */
export interface CatalogEntry {
  readonly generation: string
  readonly created: number
}

/** A damaged original that was kept. */
export interface AsideEntry {
  readonly name: Uint8Array
  readonly taken: number
  readonly reason: string
}

/** Any value of the store, decoded. */
export type StoredRecord =
  | { readonly kind: 'format' }
  | ({ readonly kind: 'catalog' } & CatalogEntry)
  | ({ readonly kind: 'run' } & Run)
  | ({ readonly kind: 'snapshot' } & SnapshotRecord)
  | { readonly kind: 'purge' }
  | ({ readonly kind: 'aside' } & AsideEntry)

/** What reading one value came to. Never an exception: a damaged record is an answer. */
export type Reading =
  | { readonly status: 'ok'; readonly key: ParsedKey; readonly record: StoredRecord }
  | { readonly status: 'newer'; readonly key: ParsedKey; readonly version: number }
  | { readonly status: 'damaged'; readonly key: ParsedKey; readonly problem: string }

/** Bytes that numbers and lengths in a record take, and the authors in most of them. */
const NUMBERS_BYTES = 64
/** Bytes before each update in a run. */
const ENTRY_BYTES = 8

export const encodeFormat = (key: Uint8Array): Uint8Array => seal(key, Kind.format, new Uint8Array())

export const encodePurge = (key: Uint8Array): Uint8Array => seal(key, Kind.purge, new Uint8Array())

export const encodeCatalog = (key: Uint8Array, entry: CatalogEntry): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, generationToBytes(entry.generation))
  encoding.writeVarUint(encoder, entry.created)
  return seal(key, Kind.catalog, encoding.toUint8Array(encoder))
}

export const encodeAside = (key: Uint8Array, entry: AsideEntry): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint8Array(encoder, entry.name)
  encoding.writeVarUint(encoder, entry.taken)
  encoding.writeVarString(encoder, entry.reason)
  return seal(key, Kind.aside, encoding.toUint8Array(encoder))
}

export const encodeSnapshot = (key: Uint8Array, record: SnapshotRecord): Uint8Array => {
  const { name, index, update } = record
  const encoder = bodyEncoder(name.length + (index?.length ?? 0) + update.length + NUMBERS_BYTES)
  encoding.writeVarUint8Array(encoder, name)
  encoding.writeVarUint(encoder, record.created)
  encoding.writeVarUint(encoder, record.taken)
  encoding.writeVarUint8Array(encoder, index ?? new Uint8Array())
  encoding.writeVarUint8Array(encoder, update)
  return sealEncoded(key, Kind.snapshot, encoder)
}

export const encodeRun = (key: Uint8Array, run: Run): Uint8Array => {
  const authors = new Map<string, number>()
  for (const { author } of run.entries) if (!authors.has(author)) authors.set(author, authors.size)
  let size = (run.name?.length ?? 0) + NUMBERS_BYTES
  for (const { update } of run.entries) size += update.length + ENTRY_BYTES
  const encoder = bodyEncoder(size)
  encoding.writeVarUint8Array(encoder, run.name ?? new Uint8Array())
  encoding.writeVarUint(encoder, run.entries.length)
  encoding.writeVarUint(encoder, authors.size)
  for (const author of authors.keys()) encoding.writeVarString(encoder, author)
  let time = run.entries[0]?.time ?? 0
  encoding.writeVarUint(encoder, time)
  for (const entry of run.entries) {
    encoding.writeVarUint(encoder, authors.get(entry.author) ?? 0)
    encoding.writeVarInt(encoder, entry.time - time)
    encoding.writeVarUint8Array(encoder, entry.update)
    time = entry.time
  }
  return sealEncoded(key, Kind.run, encoder)
}

/** Checks and decodes any value. Byte arrays in the result are views of `value`. */
export const readRecord = (rawKey: Uint8Array, value: Uint8Array): Reading => {
  const key = parseKey(rawKey)
  const unsealed = unseal(rawKey, value)
  if (unsealed.status !== 'ok') return { ...unsealed, key }
  try {
    const decoder = decoding.createDecoder(unsealed.body)
    const record = readBody(unsealed.kind, decoder)
    if (decoder.pos !== unsealed.body.length) return damaged(key, 'bytes left over')
    if (record.kind !== key.kind) return damaged(key, `a ${record.kind} under the key of a ${key.kind}`)
    return { status: 'ok', key, record }
  } catch (error) {
    return damaged(key, error instanceof Error ? error.message : String(error))
  }
}

const damaged = (key: ParsedKey, problem: string): Reading => ({ status: 'damaged', key, problem })

const readBody = (kind: number, decoder: decoding.Decoder): StoredRecord => {
  switch (kind) {
    case Kind.format:
      return { kind: 'format' }
    case Kind.purge:
      return { kind: 'purge' }
    case Kind.catalog:
      return {
        kind: 'catalog',
        generation: generationToHex(decoding.readUint8Array(decoder, GENERATION_BYTES)),
        created: decoding.readVarUint(decoder),
      }
    case Kind.aside:
      return {
        kind: 'aside',
        name: decoding.readVarUint8Array(decoder),
        taken: decoding.readVarUint(decoder),
        reason: decoding.readVarString(decoder),
      }
    case Kind.snapshot:
      return {
        kind: 'snapshot',
        name: decoding.readVarUint8Array(decoder),
        created: decoding.readVarUint(decoder),
        taken: decoding.readVarUint(decoder),
        index: orNull(decoding.readVarUint8Array(decoder)),
        update: decoding.readVarUint8Array(decoder),
      }
    case Kind.run:
      return readRun(decoder)
    default:
      throw new RangeError(`unknown kind ${kind}`)
  }
}

const readRun = (decoder: decoding.Decoder): StoredRecord => {
  const name = orNull(decoding.readVarUint8Array(decoder))
  const count = decoding.readVarUint(decoder)
  const authors: string[] = []
  for (let left = decoding.readVarUint(decoder); left > 0; left--)
    authors.push(decoding.readVarString(decoder))
  let time = decoding.readVarUint(decoder)
  const entries: RunEntry[] = []
  for (let i = 0; i < count; i++) {
    const author = authors[decoding.readVarUint(decoder)]
    if (author === undefined) throw new RangeError('author out of range')
    time += decoding.readVarInt(decoder)
    entries.push({ update: decoding.readVarUint8Array(decoder), time, author })
  }
  if (count === 0) throw new RangeError('an empty run')
  return { kind: 'run', name, entries }
}

const orNull = (bytes: Uint8Array): Uint8Array | null => (bytes.length > 0 ? bytes : null)
