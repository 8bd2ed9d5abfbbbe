/**
 * y-leveldb's keys: lists of strings and numbers, each behind a byte that says which it is.
 *
 *     'v1', NAME, 'update', NUMBER     an update; the number is 4 bytes, big-endian, and ascends
 *     'v1', NAME, 'meta', KEY          whatever an app put beside the document
 *     'v1_sv', NAME                    number of an update, and the state vector up to it
 *
 * A string is behind its length, a varint, so all keys of a document lie together.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** Keys from `gte` up to, not including, `lt`. */
export interface YRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

const STRING = 0
const NUMBER = 1

/** Documents' keys, and state vectors' keys. A version with another prefix is another format. */
export const DOCUMENT_KEYS: YRange = prefixed('v1')
export const STATE_VECTOR_KEYS: YRange = prefixed('v1_sv')

/** A document's updates, in order. */
export const updateKeys = (name: string): YRange => {
  const start = encodeYKey('v1', name, 'update')
  return { gte: start, lt: Uint8Array.of(...start, NUMBER + 1) }
}

/** @example encodeYKey('v1', 'a', 'update') // 00 02 7631 00 01 61 00 06 757064617465 */
export function encodeYKey(...strings: readonly string[]): Uint8Array {
  return encoding.encode((encoder) => {
    for (const text of strings) {
      encoding.writeUint8(encoder, STRING)
      encoding.writeVarString(encoder, text)
    }
  })
}

/** A key's parts; `null` when y-leveldb didn't write it. */
export const decodeYKey = (key: Uint8Array): readonly (string | number)[] | null => {
  const decoder = decoding.createDecoder(key)
  const parts: (string | number)[] = []
  try {
    while (decoding.hasContent(decoder)) {
      const type = decoding.readUint8(decoder)
      if (type === STRING) parts.push(decoding.readVarString(decoder))
      else if (type === NUMBER) parts.push(decoding.readUint32BigEndian(decoder))
      else return null
    }
    return parts
  } catch {
    return null
  }
}

function prefixed(text: string): YRange {
  const gte = encodeYKey(text)
  const lt = gte.slice()
  lt[lt.length - 1] = (lt[lt.length - 1] ?? 0) + 1
  return { gte, lt }
}
