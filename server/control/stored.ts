/**
 * A stored document as the control channel carries it, so that whoever asks does the work of putting it together:
 *
 *     generation (string) · seq · 0 or 1 · if 1: snapshot's seq · snapshot (bytes) · number of updates after it ·
 *     as many times: time · author (string) · update (bytes)
 *
 * Numbers are lib0's varints; *string* and *bytes* are behind their length.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { StoredDocument, StoredEntry } from '../journal/journal.js'

/** A document as bytes; its name isn't in them. */
export const encodeStored = ({ generation, seq, snapshot, tail }: StoredDocument): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarString(encoder, generation)
    encoding.writeVarUint(encoder, seq)
    encoding.writeVarUint(encoder, snapshot ? 1 : 0)
    if (snapshot) {
      encoding.writeVarUint(encoder, snapshot.seq)
      encoding.writeVarUint8Array(encoder, snapshot.update)
    }
    encoding.writeVarUint(encoder, tail.length)
    for (const { time, author, update } of tail) {
      encoding.writeVarUint(encoder, time)
      encoding.writeVarString(encoder, author)
      encoding.writeVarUint8Array(encoder, update)
    }
  })

/** The reverse of {@link encodeStored}; byte arrays are views of `bytes`. @throws Error for anything else. */
export const decodeStored = (name: string, bytes: Uint8Array): StoredDocument => {
  const decoder = decoding.createDecoder(bytes)
  const generation = decoding.readVarString(decoder)
  const seq = decoding.readVarUint(decoder)
  const snapshot =
    decoding.readVarUint(decoder) === 1
      ? { seq: decoding.readVarUint(decoder), update: decoding.readVarUint8Array(decoder) }
      : null
  const count = decoding.readVarUint(decoder)
  const tail: StoredEntry[] = []
  for (let i = 1; i <= count; i++) {
    const time = decoding.readVarUint(decoder)
    const author = decoding.readVarString(decoder)
    tail.push({ seq: (snapshot?.seq ?? 0) + i, time, author, update: decoding.readVarUint8Array(decoder) })
  }
  if (decoding.hasContent(decoder)) throw new RangeError('bytes left over')
  return { name, generation, snapshot, tail, seq }
}
