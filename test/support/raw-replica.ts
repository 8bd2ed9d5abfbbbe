import * as Y from 'yjs'
import type { WebSocketClass, WebSocketLike } from '../../client/index.js'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import { type Message, SUBPROTOCOL } from '../../shared/messages.js'
import { below, shuffled } from './random-edits.js'

export interface RawReplicaOptions {
  /** `ws://…/name` */
  readonly url: string
  readonly doc: Y.Doc
  readonly random: () => number
  /** Whether it speaks `inkwire.1`. */
  readonly extended: boolean
  readonly WebSocket: WebSocketClass
  /** The server has called this safe: an update that was sent to it (PROTOCOL X4). */
  readonly onSaved?: (update: Uint8Array) => void
}

const OPEN = 1
/** Between two attempts to connect. */
const RETRY_MS = 20

/** How many updates it sits on before it sends them. */
const MOST_HELD = 4

/**
 * A client of nobody's making. It says what the protocol allows and no library says: updates in another order than
 * they were made, twice, several merged into one, and others' updates as if they were its own. It connects when it is told to.
 */
export class RawReplica {
  readonly doc: Y.Doc
  readonly #options: RawReplicaOptions
  #socket: WebSocketLike | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #wanted = false
  #synced = false
  /** Whether the server has asked what we have; before that, updates are part of the answer. */
  #asked = false
  #held: Uint8Array[] = []
  /** The first edit of its own, which has to go first; and whether it did. */
  #first: Uint8Array | null = null
  #introduced = false
  /** The updates of this connection's messages, in order, and how many of them are safe. */
  #sent: Uint8Array[] = []
  #saved = 0

  constructor(options: RawReplicaOptions) {
    this.#options = options
    this.doc = options.doc
    this.doc.on('update', this.#onUpdate)
  }

  get synced(): boolean {
    return this.#synced
  }

  connect(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#dial()
  }

  disconnect(): void {
    this.#wanted = false
    this.#end()
  }

  destroy(): void {
    this.disconnect()
    this.doc.off('update', this.#onUpdate)
    this.doc.destroy()
  }

  /** Sends what it sat on. */
  flush(): void {
    const { random } = this.#options
    let updates = shuffled(random, this.#held)
    this.#held = []
    const first = this.#first
    if (first) updates = [first, ...updates.filter((update) => update !== first)]
    this.#first = null
    // Merged with others’ it would introduce nobody.
    if (!first && updates.length > 1 && random() < 0.2) updates = [Y.mergeUpdates(updates)]
    if (updates.length > 0 && random() < 0.2) updates.push(...updates.slice(0, 1))
    for (const update of updates) this.#send({ type: 'update', update })
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (!this.#asked) return
    // Whose first update is somebody else's says that it is that one.
    if (origin === this && (!this.#introduced || this.#options.random() > 0.1)) return
    if (!this.#introduced) this.#first = update
    this.#introduced = true
    this.#held.push(update)
    if (this.#held.length > below(this.#options.random, MOST_HELD)) this.flush()
  }

  #dial(): void {
    const { url, extended, WebSocket } = this.#options
    const socket = new WebSocket(url, extended ? [SUBPROTOCOL] : [])
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => this.#send({ type: 'syncStep1', stateVector: Y.encodeStateVector(this.doc) })
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) =>
      this.#hear(decodeMessage(new Uint8Array(data)))
    socket.onerror = () => undefined
    socket.onclose = () => {
      this.#end()
      if (this.#wanted) this.#retry = setTimeout(() => this.#dial(), RETRY_MS)
    }
  }

  #end(): void {
    clearTimeout(this.#retry)
    const socket = this.#socket
    this.#socket = null
    this.#synced = this.#asked = this.#introduced = false
    this.#first = null
    this.#held = []
    this.#sent = []
    this.#saved = 0
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  #hear(message: Message): void {
    switch (message.type) {
      case 'syncStep1':
        this.#asked = true
        this.#send({ type: 'syncStep2', update: Y.encodeStateAsUpdate(this.doc, message.stateVector) })
        return
      case 'syncStep2':
      case 'update':
        Y.applyUpdate(this.doc, message.update, this)
        if (message.type === 'syncStep2') this.#synced = true
        return
      case 'ack':
        while (this.#saved < Math.min(message.durable, this.#sent.length)) {
          const update = this.#sent[this.#saved++] as Uint8Array
          this.#options.onSaved?.(update)
        }
        return
      default:
        return
    }
  }

  #send(message: Message): void {
    if (this.#socket?.readyState !== OPEN) return
    if (message.type === 'update' || message.type === 'syncStep2') this.#sent.push(message.update)
    // lib0 encodes into plain memory, its types just don't say so.
    this.#socket.send(encodeMessage(message) as Uint8Array<ArrayBuffer>)
  }
}
