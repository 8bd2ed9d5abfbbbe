import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeMessage } from '../../shared/codec.js'
import { type Message, SUBPROTOCOL } from '../../shared/messages.js'
import { unmask } from '../websocket/unmask.js'
import { cursor, letter } from './keystrokes.js'

/** RFC 6455 §5.2: a final binary frame; its length and mask. */
const BINARY = 0x82
const MASKED = 0x80
const LONG = 126
/** Any will do: nobody is between us. */
const MASK = Uint8Array.of(0x12, 0x34, 0x56, 0x78)
const KEY = 'AAAAAAAAAAAAAAAAAAAAAA=='
/** Longer than that it doesn't wait for an answer, ms. */
const PATIENCE_MS = 1000

/** Somebody who is there to be served: asks for a document, types, moves a cursor, and doesn't listen. */
export class Extra {
  readonly #socket: Socket
  readonly #client: number
  #letters = 0
  #moves = 0

  private constructor(socket: Socket, client: number) {
    this.#socket = socket
    this.#client = client
  }

  /**
   * Connects to a server on this machine; resolves when it is in, or won't get in.
   *
   * @param target of the request: a document.
   * @param client its id in the document.
   * @param extended whether it speaks `inkwire.1`.
   */
  static async enter(port: number, target: string, client: number, extended: boolean): Promise<Extra> {
    const socket = connect(port, '127.0.0.1')
    // Whatever happens to it ends it, and it won't be missed.
    socket.on('error', () => undefined)
    const protocol = extended ? `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n` : ''
    socket.write(
      `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${protocol}\r\n`,
    )
    const late = setTimeout(() => socket.destroy(), PATIENCE_MS)
    await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => socket.destroy())
    clearTimeout(late)
    socket.resume()
    const extra = new Extra(socket, client)
    extra.#say({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    return extra
  }

  /** @param letters typed so fast that they come in one piece. */
  type(letters = 1): void {
    this.#say(
      ...Array.from({ length: letters }, () => ({
        type: 'update' as const,
        update: letter(this.#client, this.#letters++),
      })),
    )
  }

  move(): void {
    this.#say({ type: 'awareness', update: cursor(this.#client, ++this.#moves) })
  }

  leave(): void {
    this.#socket.destroy()
  }

  #say(...messages: Message[]): void {
    this.#socket.write(Buffer.concat(messages.flatMap(framed)))
  }
}

const framed = (message: Message): Uint8Array[] => {
  const payload = encodeMessage(message)
  if (payload.length >= LONG) throw new RangeError('an extra has little to say')
  unmask(payload, MASK)
  return [Uint8Array.of(BINARY, MASKED | payload.length), MASK, payload]
}
