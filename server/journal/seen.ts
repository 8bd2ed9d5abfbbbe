import { createHash } from 'node:crypto'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { missing } from './assemble.js'
import { Kind, seal, unseal } from './envelope.js'
import { GENERATION_BYTES, generationToBytes, generationToHex } from './generation.js'

/** What was last seen of a document. */
export interface Seen {
  readonly generation: string
  /** The highest `seq` that was durable. */
  readonly seq: number
  /** It was about to be deleted or to change its generation: either outcome is right. */
  readonly leaving: boolean
  /** It was fsynced. If not, a power cut may have taken it. */
  readonly synced: boolean
}

/** What the journal has of a document. */
export interface Found {
  readonly generation: string
  readonly seq: number
}

/** What follows from comparing the two. */
export type Verdict =
  | { readonly status: 'ok' }
  /** Something is missing that could have been lost in a power cut: that is what durability `os` means. */
  | { readonly status: 'lost'; readonly problem: string }
  | { readonly status: 'damaged'; readonly problem: string }

const OK: Verdict = { status: 'ok' }

/**
 * Compares what the journal has (`null`: nothing) with what was seen. Pure.
 *
 * @example
 *   judge({ generation, seq: 9, leaving: false, synced: true }, { generation, seq: 7 })
 *   // { status: 'damaged', problem: 'updates 8 to 9 are missing' }
 */
export const judge = (seen: Seen | null, found: Found | null): Verdict => {
  if (!seen) return OK
  const bad = (problem: string): Verdict => ({ status: seen.synced ? 'damaged' : 'lost', problem })
  if (!found) return seen.leaving ? OK : bad(`it is not in the catalog, but had ${seen.seq} updates`)
  if (found.generation !== seen.generation) {
    return seen.leaving ? OK : bad(`it is generation ${found.generation}, but was ${seen.generation}`)
  }
  return found.seq < seen.seq ? bad(missing(found.seq + 1, seen.seq)) : OK
}

/** A document as the witness knows it. */
export interface Witnessed {
  readonly witnessKey: Uint8Array
  readonly generation: string
}

/** A name as the witness keeps it: no name lies in its files. */
export const witnessKey = (name: Uint8Array): Uint8Array =>
  createHash('sha256').update(name).digest().subarray(0, GENERATION_BYTES)

/** How far the generation had come that was found: what was seen since may be more. */
export const latest = (found: Found, ...seen: readonly (Found | null | undefined)[]): Found => {
  const seqs = seen.map((each) => (each?.generation === found.generation ? each.seq : 0))
  return { generation: found.generation, seq: Math.max(found.seq, ...seqs) }
}

const LEAVING = 1
const SYNCED = 2

/** The witness's record of a document. */
export const encodeSeen = (key: Uint8Array, seen: Seen): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, generationToBytes(seen.generation))
  encoding.writeVarUint(encoder, seen.seq)
  encoding.writeVarUint(encoder, (seen.leaving ? LEAVING : 0) | (seen.synced ? SYNCED : 0))
  return seal(key, Kind.seen, encoding.toUint8Array(encoder))
}

/** What a record says; `null` if it is damaged, and so says nothing. */
export const decodeSeen = (key: Uint8Array, value: Uint8Array): Seen | null => {
  const unsealed = unseal(key, value)
  if (unsealed.status !== 'ok' || unsealed.kind !== Kind.seen) return null
  const decoder = decoding.createDecoder(unsealed.body)
  const generation = generationToHex(decoding.readUint8Array(decoder, GENERATION_BYTES))
  const seq = decoding.readVarUint(decoder)
  const flags = decoding.readVarUint(decoder)
  return { generation, seq, leaving: (flags & LEAVING) !== 0, synced: (flags & SYNCED) !== 0 }
}
