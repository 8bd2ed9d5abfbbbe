import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { type Dialect, type Kind, kindOf, step1 } from './dialect.js'
import { eachFrame, headSize, type OnFrame, payloadSize } from './frames.js'

/** A client of a load: as little as can be, so that what is measured is the server. */
export interface ClientOptions {
  readonly dialect: Dialect
  readonly document: string
  /** Subprotocol to offer. */
  readonly protocol?: string
  /** What it asks for; by default everything. */
  readonly stateVector?: Uint8Array
  /** Each read of the socket, before what it brought is taken apart; the handshake isn't in it. */
  readonly onRead?: (chunk: Buffer) => void
  /** Each message: `bytes` from `at`, behind what the dialect puts first, to `end`. */
  readonly onMessage?: (kind: Kind, bytes: Buffer, at: number, end: number) => void
  /** Answer to the server's sync step 1, if it is to have one. */
  readonly answer?: Uint8Array
  /** Only counts the bytes of large messages. */
  readonly counts?: boolean
  /** Messages before the sync step 1. */
  readonly first?: readonly Uint8Array[]
}

const NOTHING = Uint8Array.of(0)
const EMPTY = Buffer.alloc(0)

/** A WebSocket connection by hand (RFC 6455); masks with zeros, which leaves payloads as they are. */
export class Client {
  readonly socket: Socket
  /** Bytes that arrived, handshake and frame headers included. */
  bytesIn = 0
  /** The sync step 2 has arrived. */
  synced = false
  readonly #options: ClientOptions
  /** Where a message starts in a payload. */
  readonly #offset: number
  #rest: Buffer = EMPTY
  #open: (() => void) | null = null
  #onSynced: (() => void) | null = null

  private constructor(socket: Socket, options: ClientOptions) {
    this.socket = socket
    this.#options = options
    this.#offset = options.dialect.offset(options.document)
  }

  /** Connects; resolves when it is synced. */
  static async open(url: string, options: ClientOptions): Promise<Client> {
    const { host, hostname, port } = new URL(url)
    const { dialect, document, protocol, stateVector = NOTHING, first = [] } = options
    const socket = connect(Number(port), hostname)
    socket.setNoDelay(true)
    const client = new Client(socket, options)
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the server hung up')))
      socket.on('data', (chunk: Buffer) => client.#data(chunk))
      client.#open = resolve
      socket.write(
        [
          `GET ${dialect.path(document)} HTTP/1.1`,
          `Host: ${host}`,
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
          ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
          '\r\n',
        ].join('\r\n'),
      )
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('close', () => reject(new Error('the server hung up')))
      client.#onSynced = resolve
      const messages = [...first, step1(stateVector)].map((message) => dialect.encode(document, message))
      socket.write(
        Buffer.concat([...dialect.greeting(document), ...messages].map((message) => clientFrame(message))),
      )
      if (client.synced) resolve()
    })
    return client
  }

  /** Sends one message; returns false when the socket is backed up. */
  send(message: Uint8Array): boolean {
    const { dialect, document } = this.#options
    return this.socket.write(clientFrame(dialect.encode(document, message)))
  }

  /** Sends many messages in one write. */
  sendAll(messages: readonly Uint8Array[]): boolean {
    return this.socket.write(this.packed(messages))
  }

  /** Many messages as they go over the socket, for one who writes them later. */
  packed(messages: readonly Uint8Array[]): Buffer {
    const { dialect, document } = this.#options
    return Buffer.concat(messages.map((each) => clientFrame(dialect.encode(document, each))))
  }

  close(): void {
    this.socket.removeAllListeners('close')
    this.socket.on('error', () => undefined)
    this.socket.destroy()
  }

  #data(chunk: Buffer): void {
    this.bytesIn += chunk.length
    const brought = this.#open ? this.#handshake(chunk, this.#open) : chunk
    if (!brought) return
    this.#options.onRead?.(brought)
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, brought]) : brought
    const end = eachFrame(bytes, this.#onFrame)
    this.#rest = end < bytes.length ? this.#unfinished(bytes.subarray(end)) : EMPTY
  }

  /** Returns what came behind the handshake; null until all of it is here. */
  #handshake(chunk: Buffer, open: () => void): Buffer | null {
    const bytes = Buffer.concat([this.#rest, chunk])
    const end = bytes.indexOf('\r\n\r\n')
    this.#rest = end < 0 ? bytes : EMPTY
    if (end < 0) return null
    if (!bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) throw new Error(bytes.toString())
    this.#open = null
    open()
    return bytes.subarray(end + 4)
  }

  /** One for all frames. */
  readonly #onFrame: OnFrame = (opcode, bytes, at, end) => {
    if (opcode === 2) this.#message(bytes, at, end)
    else if (opcode === 9) this.socket.write(clientFrame(bytes.subarray(at, end), 0x8a))
  }

  /** A large frame arrives in many pieces: putting each to the last would be quadratic. Returns what is to be kept of it. */
  #unfinished(start: Buffer): Buffer {
    const head = start.length < 2 ? 2 : headSize(start, 0)
    const size = start.length < head ? 0 : head + payloadSize(start, 0)
    if (size < 1024 * 1024) return start
    // One that only counts needs the beginning, which says what it is.
    const kept = this.#options.counts ? Math.min(size, 64) : size
    const whole = Buffer.allocUnsafe(kept)
    let filled = start.length
    start.copy(whole)
    this.socket.removeAllListeners('data')
    this.socket.on('data', (chunk: Buffer) => {
      const taken = Math.min(chunk.length, size - filled)
      if (filled < kept) chunk.copy(whole, filled, 0, taken)
      filled += taken
      this.bytesIn += taken
      this.#options.onRead?.(chunk.subarray(0, taken))
      if (filled < size) return
      this.socket.removeAllListeners('data')
      this.socket.on('data', (next: Buffer) => this.#data(next))
      this.#rest = EMPTY
      this.#message(whole, head, kept)
      if (taken < chunk.length) this.#data(chunk.subarray(taken))
    })
    return EMPTY
  }

  #message(bytes: Buffer, start: number, end: number): void {
    const at = start + this.#offset
    const kind = kindOf(bytes, at)
    const { onMessage, answer } = this.#options
    if (kind === 'step1' && answer) this.send(answer)
    onMessage?.(kind, bytes, at, end)
    if (kind !== 'step2' || this.synced) return
    this.synced = true
    this.#onSynced?.()
  }
}

/** A masked frame with the mask 0 (RFC 6455 §5.3). */
export const clientFrame = (payload: Uint8Array, first = 0x82): Buffer => {
  const extended = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8
  const frame = Buffer.alloc(2 + extended + 4 + payload.length)
  frame[0] = first
  frame[1] = 0x80 | (extended === 0 ? payload.length : extended === 2 ? 126 : 127)
  if (extended === 2) frame.writeUInt16BE(payload.length, 2)
  if (extended === 8) frame.writeBigUInt64BE(BigInt(payload.length), 2)
  frame.set(payload, 2 + extended + 4)
  return frame
}
