import * as encoding from 'lib0/encoding'
import { encodeMessage } from '../../shared/codec.js'
import { frame, pieces } from '../websocket/frame.js'

/** From this size on a message goes out in pieces, which are of this size, bytes. */
const PIECE_BYTES = 256 * 1024

/** What a view of other bytes takes. */
const VIEW_BYTES = 100

/** A message that is too large to be written in one go. */
export interface LargeMessage {
  /** Its bytes, in pieces that follow each other; not copied. */
  readonly parts: readonly Uint8Array[]
}

/** What brings somebody up to date, in order: ready-made frames, and messages that go out in pieces. */
export type Answer = readonly (Uint8Array | LargeMessage)[]

/**
 * An update in a message of this kind (PROTOCOL W4, W5).
 *
 * @param parts the update, in parts that follow each other. Large ones aren't copied: they mustn't change.
 */
export const updateMessage = (
  type: 'syncStep2' | 'update',
  parts: readonly Uint8Array[],
): Uint8Array | LargeMessage => {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  if (length < PIECE_BYTES) {
    const [first, ...more] = parts
    const update = first && more.length === 0 ? first : Buffer.concat(parts)
    return frame(encodeMessage({ type, update }))
  }
  // What comes before the update's bytes is the same as before any other, but for its length.
  const empty = encodeMessage({ type, update: Uint8Array.of() })
  const head = encoding.encode((encoder) => {
    encoding.writeUint8Array(encoder, empty.subarray(0, -1))
    encoding.writeVarUint(encoder, length)
  })
  return { parts: [head, ...parts] }
}

/**
 * Bytes of an answer.
 *
 * @param shared parts of this aren't counted, since it is held anyway.
 */
export const answerBytes = (answer: Answer, shared?: Uint8Array): number => {
  const parts = answer.flatMap((each) => (each instanceof Uint8Array ? [each] : each.parts))
  return parts.reduce((bytes, part) => bytes + (part.buffer === shared?.buffer ? VIEW_BYTES : part.length), 0)
}

/** Where frames to somebody go. */
export interface Outlet {
  /** More is waiting to be sent than the server wants to hold for one reader, or a message goes out in pieces. */
  readonly congested: boolean
  /** Writes ready-made frames in order, in one go. */
  write(frames: readonly Uint8Array[]): void
  /** Writes a message piece by piece; whatever is written after it comes after it. */
  stream(pieces: Iterable<readonly Uint8Array[]>): void
}

/** Sends an answer. */
export const deliver = (outlet: Outlet, answer: Answer): void => {
  let frames: Uint8Array[] = []
  for (const each of answer) {
    if (each instanceof Uint8Array) {
      frames.push(each)
      continue
    }
    if (frames.length > 0) outlet.write(frames)
    frames = []
    outlet.stream(pieces(each.parts, PIECE_BYTES))
  }
  if (frames.length > 0) outlet.write(frames)
}
