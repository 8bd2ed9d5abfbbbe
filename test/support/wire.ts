import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { until } from './until.js'

export const TEXT = 1
export const BINARY = 2
export const CONTINUATION = 0
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** How a frame is written; by default as a client has to: final and masked. */
export interface FrameOptions {
  readonly opcode?: number
  readonly fin?: boolean
  /** The three reserved bits. */
  readonly rsv?: number
  readonly masked?: boolean
  /** Bytes of the length field: 0, 2 or 8; by default as few as will do. */
  readonly lengthBytes?: 0 | 2 | 8
  /** Instead of the payload's own. */
  readonly claimed?: number
}

/** One frame as it goes over the wire (RFC 6455 §5.2). */
export const frameOf = (payload: Uint8Array | string, options: FrameOptions = {}): Buffer => {
  const { opcode = BINARY, fin = true, rsv = 0, masked = true } = options
  const body = Buffer.from(payload as Uint8Array)
  const length = options.claimed ?? body.length
  const lengthBytes = options.lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8)
  const head = Buffer.alloc(2 + lengthBytes)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = (masked ? 0x80 : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) head.writeUInt16BE(length, 2)
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2)
  if (!masked) return Buffer.concat([head, body])
  const mask = randomBytes(4)
  return Buffer.concat([head, mask, body.map((byte, i) => byte ^ (mask[i % 4] ?? 0))])
}

/** A frame of the server's. */
export interface ServerFrame {
  readonly opcode: number
  readonly payload: Buffer
}

/** A WebSocket connection in bytes. */
export interface Wire {
  readonly socket: Socket
  readonly head: string
  readonly frames: ServerFrame[]
  write(...frames: Uint8Array[]): void
  /** The first frame with this opcode. */
  first(opcode: number): Promise<ServerFrame>
  /** The close code that came, once the socket has ended; 1006 without one. */
  readonly closed: Promise<number>
}

/** Does the handshake by hand and checks the answer; throws with the answer's head if there is no 101. */
export const openWire = async (url: string, headers: readonly string[] = []): Promise<Wire> => {
  const { port, host, pathname } = new URL(url)
  const key = randomBytes(16).toString('base64')
  const socket = connect(Number(port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let received = Buffer.alloc(0)
  // It doubles when it is full: a large answer comes in hundreds of pieces.
  let memory = Buffer.alloc(64 * 1024)
  socket.on('data', (data) => {
    const size = received.length + data.length
    if (size > memory.length) {
      memory = Buffer.alloc(2 * size)
      received.copy(memory)
    }
    data.copy(memory, received.length)
    received = memory.subarray(0, size)
  })
  socket.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(
    [
      `GET ${pathname} HTTP/1.1`,
      `Host: ${host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13',
      ...headers,
      '',
      '',
    ].join('\r\n'),
  )
  const end = await until('the handshake is answered', () => Math.max(0, received.indexOf('\r\n\r\n')))
  const head = received.subarray(0, end).toString()
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(`Sec-WebSocket-Accept: ${accept}`))
    throw new Error(head)
  const frames: ServerFrame[] = []
  let at = end + 4
  const parse = (): void => {
    for (;;) {
      const short = (received[at + 1] ?? 0) & 0x7f
      const header = short < 126 ? 2 : short === 126 ? 4 : 10
      if (received.length < at + header) return
      const length =
        short < 126
          ? short
          : short === 126
            ? received.readUInt16BE(at + 2)
            : Number(received.readBigUInt64BE(at + 2))
      if (received.length < at + header + length) return
      frames.push({
        opcode: (received[at] ?? 0) & 15,
        payload: received.subarray(at + header, at + header + length),
      })
      at += header + length
    }
  }
  parse()
  socket.on('data', parse)
  return {
    socket,
    head,
    frames,
    write: (...all) => void socket.write(Buffer.concat(all)),
    first: (opcode) =>
      until(`a frame ${opcode} arrives`, () => frames.find((each) => each.opcode === opcode)),
    closed: ended.then(() => {
      const close = frames.find(({ opcode }) => opcode === CLOSE)
      return close && close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 1006
    }),
  }
}
