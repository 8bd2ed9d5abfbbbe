import { WebSocket } from 'ws'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import { type Message, SUBPROTOCOL } from '../../shared/messages.js'
import { forge, forgePresence } from '../support/forge.js'
import { until } from '../support/until.js'

/** What an editor types: who, and when. Found again in the bytes of an update. */
const stamp = (id: number, ms: number): string => `<${id} ${ms.toFixed(2)}>`
const STAMP = /<(\d+) ([\d.]+)>/

/** Ids of honest editors; below 128, so that they are one byte. */
export const isHonest = (id: number): boolean => id >= 1 && id <= 100

/**
 * Somebody who types: each keystroke says when it was made, so whoever gets it knows how long it took. Holds no
 * document and remembers nothing, so that a flood from others costs it little.
 */
export class HonestEditor {
  readonly id: number
  readonly document: string
  readonly #socket: WebSocket
  readonly #onDelivery: (ms: number) => void
  readonly typed: string[] = []
  #clock = 0
  durable = 0
  closed: number | null = null

  /** Connects; `onDelivery` is told how long each keystroke of the others took, ms. */
  static async open(
    ws: string,
    document: string,
    id: number,
    onDelivery: (ms: number) => void,
  ): Promise<HonestEditor> {
    const editor = new HonestEditor(ws, document, id, onDelivery)
    await until(`${id} is connected`, () => editor.#socket.readyState === WebSocket.OPEN)
    editor.#send({ type: 'awareness', update: forgePresence({ id, clock: 1, json: '{}' }) })
    return editor
  }

  private constructor(ws: string, document: string, id: number, onDelivery: (ms: number) => void) {
    this.id = id
    this.document = document
    this.#onDelivery = onDelivery
    this.#socket = new WebSocket(`${ws}/${document}`, [SUBPROTOCOL], { perMessageDeflate: false })
    this.#socket.on('error', () => undefined)
    this.#socket.on('message', (data: Buffer) => this.#hear(data))
    this.#socket.on('close', (code) => {
      this.closed = code
    })
  }

  type(): void {
    const text = stamp(this.id, performance.now())
    this.#send({
      type: 'update',
      update: forge({ client: this.id, clock: this.#clock, structs: [{ text }] }),
    })
    this.#clock += text.length
    this.typed.push(text)
  }

  leave(): void {
    this.#socket.terminate()
  }

  #send(message: Message): void {
    this.#socket.send(encodeMessage(message))
  }

  #hear(data: Buffer): void {
    const message = decodeMessage(data)
    if (message.type === 'ack') this.durable = message.durable
    if (message.type !== 'update' || !isHonest(message.update[2] ?? 0)) return
    const match = STAMP.exec(Buffer.from(message.update).toString('latin1'))
    if (match) this.#onDelivery(performance.now() - Number(match[2]))
  }
}
