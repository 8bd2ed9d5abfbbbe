/**
 * WebSocket frames as a server writes them: unmasked, final, binary (RFC 6455 §5.2). The room frames an update
 * once for all its members, so framing lies here and not in the WebSocket library, which would do it per socket.
 */

const FIN = 0x80
/** Opcode 2 (RFC 6455 §5.2). */
const BINARY = FIN | 2

/** Bytes that the header of a frame with `length` bytes of payload takes: 2, 4 or 10. */
export const headerSize = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

/**
 * Writes a frame header at `at` and returns the offset behind it.
 *
 * @param target must have room for {@link headerSize} bytes.
 */
export const writeHeader = (target: Uint8Array, at: number, length: number): number => {
  target[at] = BINARY
  if (length < 126) {
    target[at + 1] = length
    return at + 2
  }
  const view = new DataView(target.buffer, target.byteOffset + at, headerSize(length))
  if (length < 65_536) {
    view.setUint8(1, 126)
    view.setUint16(2, length)
    return at + 4
  }
  view.setUint8(1, 127)
  view.setUint32(2, Math.floor(length / 2 ** 32))
  view.setUint32(6, length >>> 0)
  return at + 10
}

/**
 * One message as one frame, in pieces of about `size` bytes, so that others get their turn while it is on its way. Each
 * item is to be written in one go. Nothing is copied, and nothing else may be written in between: that is why it isn't
 * sent in fragments (RFC 6455 §5.4), which would allow that, but which not every client expects.
 *
 * @param parts the message, in parts that follow each other.
 */
export function* pieces(
  parts: readonly Uint8Array[],
  size: number,
): Generator<readonly Uint8Array[], void, void> {
  const length = parts.reduce((bytes, part) => bytes + part.length, 0)
  const header = new Uint8Array(headerSize(length))
  writeHeader(header, 0, length)
  let piece: Uint8Array[] = [header]
  let left = size
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const view = part.subarray(at, at + left)
      piece.push(view)
      at += view.length
      left -= view.length
      if (left > 0) continue
      yield piece
      piece = []
      left = size
    }
  }
  if (piece.length > 0) yield piece
}

/**
 * One message as one frame.
 *
 * @example
 *   frame(Uint8Array.of(3)) // 82 01 03
 */
export const frame = (payload: Uint8Array): Uint8Array => {
  const framed = new Uint8Array(headerSize(payload.length) + payload.length)
  framed.set(payload, writeHeader(framed, 0, payload.length))
  return framed
}

/**
 * A control frame (RFC 6455 §5.5).
 *
 * @param payload at most 125 bytes.
 */
export const controlFrame = (opcode: number, payload: Uint8Array): Uint8Array => {
  const framed = new Uint8Array(2 + payload.length)
  framed[0] = FIN | opcode
  framed[1] = payload.length
  framed.set(payload, 2)
  return framed
}
