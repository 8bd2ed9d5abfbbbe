/** What the fault tests write: bytes that follow from the document and the place, so that any reader can check them. */
import { createHash } from 'node:crypto'

export const documentName = (index: number): string => `document ${index}`

/** Update `seq` of a document: 20 to 219 bytes. */
export const updateOf = (name: string, seq: number): Uint8Array =>
  bytesOf(`${name}#${seq}`, 20 + ((seq * 37) % 200))

/** The snapshot up to `seq` of a document. */
export const snapshotOf = (name: string, seq: number): Uint8Array =>
  bytesOf(`${name}#snapshot#${seq}`, 300 + (seq % 500))

const bytesOf = (text: string, length: number): Uint8Array => {
  const digest = createHash('sha256').update(text).digest()
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += digest.length) bytes.set(digest.subarray(0, length - i), i)
  return bytes
}

/** Numbers below a limit that follow from the seed. */
export const drawer = (seed: number): ((below: number) => number) => {
  let drawn = 0
  return (below) => createHash('sha256').update(`${seed}:${drawn++}`).digest().readUInt32BE() % below
}
