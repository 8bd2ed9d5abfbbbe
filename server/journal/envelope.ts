/**
 * What every value in the store is wrapped in:
 *
 *     CRC-32C of the key and all that follows (4 bytes, big-endian) · format version (1) · kind (1) · body
 *
 * The key is under the checksum, so a value that turns up under another key is noticed. Checksum and version stay
 * where they are in every version to come: that is how an old program tells a newer record from a damaged one.
 */
import { crc32c } from '@node-rs/crc32'
import * as encoding from 'lib0/encoding'

/** The version that this program writes, and the highest that it reads. */
export const FORMAT_VERSION = 1

/** What a body is. Numbers are never reused. */
export const Kind = { format: 1, catalog: 2, run: 3, snapshot: 4, purge: 5, aside: 6, seen: 7 } as const
/** @see Kind */
export type Kind = (typeof Kind)[keyof typeof Kind]

const HEADER_BYTES = 6
const VERSION_AT = 4
const KIND_AT = 5

/** What was found in a value. */
export type Unsealed =
  | { readonly status: 'ok'; readonly kind: number; readonly body: Uint8Array }
  /** Intact, but of a version this program can't read. Never rewritten, never counted as damage. */
  | { readonly status: 'newer'; readonly version: number }
  | { readonly status: 'damaged'; readonly problem: string }

/** Wraps a body for `key`. */
export const seal = (key: Uint8Array, kind: Kind, body: Uint8Array): Uint8Array => {
  const value = Buffer.allocUnsafe(HEADER_BYTES + body.length)
  value[VERSION_AT] = FORMAT_VERSION
  value[KIND_AT] = kind
  value.set(body, HEADER_BYTES)
  value.writeUInt32BE(checksum(key, value))
  return value
}

/**
 * An encoder for a body of about so many bytes, in front of which there is room for what {@link sealEncoded} puts
 * there: large bodies are copied once, not at each step from an update to a value.
 *
 * @param size bytes; what is beyond it costs copies, nothing else.
 */
export const bodyEncoder = (size: number): encoding.Encoder => {
  const encoder = encoding.createEncoder()
  encoder.cbuf = new Uint8Array(HEADER_BYTES + size)
  encoder.cpos = HEADER_BYTES
  return encoder
}

/** Wraps what was written to a {@link bodyEncoder} for `key`. Nothing may be written to it afterwards. */
export const sealEncoded = (key: Uint8Array, kind: Kind, encoder: encoding.Encoder): Uint8Array => {
  const fits = encoder.bufs.length === 0
  const value = fits ? encoder.cbuf.subarray(0, encoder.cpos) : encoding.toUint8Array(encoder)
  value[VERSION_AT] = FORMAT_VERSION
  value[KIND_AT] = kind
  new DataView(value.buffer, value.byteOffset).setUint32(0, checksum(key, value))
  return value
}

/** Checks and unwraps a value. The body is a view of it. */
export const unseal = (key: Uint8Array, value: Uint8Array): Unsealed => {
  if (value.length < HEADER_BYTES) return { status: 'damaged', problem: 'cut short' }
  const stored = new DataView(value.buffer, value.byteOffset).getUint32(0)
  if (stored !== checksum(key, value)) return { status: 'damaged', problem: 'checksum does not match' }
  const version = value[VERSION_AT] ?? 0
  if (version !== FORMAT_VERSION) return { status: 'newer', version }
  return { status: 'ok', kind: value[KIND_AT] ?? 0, body: value.subarray(HEADER_BYTES) }
}

const checksum = (key: Uint8Array, value: Uint8Array): number =>
  crc32c(value.subarray(VERSION_AT), crc32c(key))
