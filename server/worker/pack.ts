import type { CompactJob } from './compact.js'

/** A {@link CompactJob} in two buffers of its own, which can be transferred to a thread without a copy. */
export interface PackedJob {
  /** The snapshot comes first if there is one. */
  readonly hasSnapshot: boolean
  /** Length of each part in `bytes`. */
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What is copied in one turn of the event loop, bytes: to copy and allocate a megabyte takes about a millisecond. */
const TURN_BYTES = 4 * 1024 * 1024

/**
 * Copies the parts of a job one behind the other.
 *
 * An update is mostly a small view of a large buffer (a socket's chunk, a stored record). Posting the views to a
 * thread would clone each of those buffers whole; transferring them would take them away from their owners.
 *
 * A large document is copied in several turns of the event loop: its bytes mustn't change until then.
 */
export const packJob = async ({ snapshot, updates }: CompactJob): Promise<PackedJob> => {
  const parts = snapshot ? [snapshot, ...updates] : updates
  const lengths = Uint32Array.from(parts, (part) => part.length)
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  let at = 0
  let left = TURN_BYTES
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      const piece = part.subarray(from, from + left)
      bytes.set(piece, at)
      at += piece.length
      from += piece.length
      left -= piece.length
      if (left > 0) continue
      await new Promise((resolve) => setImmediate(resolve))
      left = TURN_BYTES
    }
  }
  return { hasSnapshot: snapshot !== null, lengths, bytes }
}

/** The job back, as views of the packed bytes. */
export const unpackJob = ({ hasSnapshot, lengths, bytes }: PackedJob): CompactJob => {
  const parts: Uint8Array[] = []
  let at = 0
  for (const length of lengths) {
    parts.push(bytes.subarray(at, at + length))
    at += length
  }
  const snapshot = hasSnapshot ? parts.shift() : undefined
  return { snapshot: snapshot ?? null, updates: parts }
}
