/**
 * WebSocket frames as a server writes them: unmasked, final, binary (RFC 6455 §5.2). The room frames an update
 * once for all its members, so framing lies here and not in the WebSocket library, which would do it per socket.
 */

/** FIN and opcode 2 (binary). */
const BINARY = 0x82

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
