import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import { type Message, SUBPROTOCOL } from '../../shared/messages.js'
import { openClient } from '../support/clients.js'
import { lastNumber, marksOf, numberedEdit } from '../support/numbered-edits.js'

/** Somebody who writes into a document and knows which of its edits the server has called safe. */
export interface Author {
  readonly id: string
  readonly document: string
  /** Edits made so far; edit `n` is the n-th. */
  readonly made: number
  /** The first so many edits are safe, the server said. */
  readonly acknowledged: number
  write(): void
  /** So many of its first edits were on the disk after a restart, whether it had heard of that or not. */
  found?(count: number): void
  stop(): void
}

export type AuthorKind = 'ours' | 'shared' | 'stock' | 'raw'

/** How many of an author's first edits a document has. */
export const editsIn = (doc: Y.Doc, { id }: Author): number => {
  const marks = new Set(marksOf(doc).toArray())
  let count = 0
  while (marks.has(`${id}:${count + 1}`)) count++
  return count
}

/** Which of an author's first `count` edits a document doesn't have. */
export const missingEdits = (doc: Y.Doc, { id }: Author, count: number): number[] => {
  const marks = new Set(marksOf(doc).toArray())
  const missing: number[] = []
  for (let n = 1; n <= count; n++) if (!marks.has(`${id}:${n}`)) missing.push(n)
  // The mark is there, the number isn't: half an edit; or a later one has deleted it that can't be seen itself.
  if (missing.length === 0 && lastNumber(doc, id) < count) missing.push(count)
  return missing
}

/** Starts an author of a kind; it connects and reconnects by itself until it is stopped. */
export const startAuthor = (kind: AuthorKind, ws: string, document: string, id: string): Author => {
  switch (kind) {
    case 'ours':
    case 'shared':
      return startOurs(kind, ws, document, id)
    case 'stock':
      return startStock(ws, document, id)
    case 'raw':
      return new RawAuthor(ws, document, id)
    default:
      return kind satisfies never
  }
}

/** Our provider: `whenSaved` is the word that counts. */
const startOurs = (kind: 'ours' | 'shared', ws: string, document: string, id: string): Author => {
  const { doc, ours, destroy } = openClient(kind, ws, document, { maxBackoffMs: 20 })
  let made = 0
  let acknowledged = 0
  return {
    id,
    document,
    get made() {
      return made
    },
    get acknowledged() {
      return acknowledged
    },
    write: () => {
      const n = ++made
      numberedEdit(doc, id, n)
      ours?.whenSaved().then(
        () => {
          acknowledged = Math.max(acknowledged, n)
        },
        () => undefined,
      )
    },
    stop: destroy,
  }
}

/** The stock provider, as newer ones count: an edit that comes back is safe (PROTOCOL S4). */
const startStock = (ws: string, document: string, id: string): Author => {
  const doc = new Y.Doc()
  /** The document's clock for this author after each edit. */
  const clocks: number[] = []
  const safe = new SafeClock()
  let acknowledged = 0
  const hear = (message: Message): void => {
    if (message.type !== 'update') return
    for (const { id: item, length } of Y.decodeUpdate(message.update).structs) {
      if (item.client === doc.clientID) safe.add(item.clock, item.clock + length)
    }
    while ((clocks[acknowledged] ?? Number.POSITIVE_INFINITY) <= safe.clock) acknowledged++
  }
  const Listening = class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols)
      this.on('message', (data: ArrayBuffer | Buffer) => hear(decodeMessage(new Uint8Array(data))))
    }
  }
  const { destroy } = openClient('stock', ws, document, { doc, maxBackoffMs: 20, WebSocket: Listening })
  return {
    id,
    document,
    get made() {
      return clocks.length
    },
    get acknowledged() {
      return acknowledged
    },
    write: () => {
      numberedEdit(doc, id, clocks.length + 1)
      clocks.push(Y.getState(doc.store, doc.clientID))
    },
    found: (count) => {
      acknowledged = Math.max(acknowledged, count)
      safe.add(0, clocks[count - 1] ?? 0)
    },
    stop: destroy,
  }
}

/** Up to where clocks are safe without a hole. */
class SafeClock {
  #clock = 0
  /** Safe ranges beyond a hole. */
  #beyond: (readonly [from: number, to: number])[] = []

  get clock(): number {
    return this.#clock
  }

  add(from: number, to: number): void {
    this.#beyond.push([from, to])
    const next = (): number => this.#beyond.findIndex(([start]) => start <= this.#clock)
    for (let i = next(); i >= 0; i = next()) {
      const [[, end = 0] = []] = this.#beyond.splice(i, 1)
      this.#clock = Math.max(this.#clock, end)
    }
  }
}

/** Nobody's library: counts its messages and believes the acks (PROTOCOL X4). */
class RawAuthor implements Author {
  readonly id: string
  readonly document: string
  readonly #url: string
  readonly #doc = new Y.Doc()
  #socket: WebSocket | null = null
  #retry: NodeJS.Timeout | null = null
  #stopped = false
  #made = 0
  #acknowledged = 0
  /** Edits made when each update message of this connection went out. */
  #messages: number[] = []

  constructor(ws: string, document: string, id: string) {
    this.id = id
    this.document = document
    this.#url = `${ws}/${document}`
    this.#doc.on('update', (update: Uint8Array) => {
      if (this.#messages.length > 0) this.#send({ type: 'update', update })
    })
    this.#dial()
  }

  get made(): number {
    return this.#made
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  write(): void {
    numberedEdit(this.#doc, this.id, ++this.#made)
  }

  stop(): void {
    this.#stopped = true
    if (this.#retry) clearTimeout(this.#retry)
    this.#socket?.terminate()
    this.#doc.destroy()
  }

  #dial(): void {
    this.#messages = []
    const socket = new WebSocket(this.#url, [SUBPROTOCOL])
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#hear(decodeMessage(new Uint8Array(data))))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#messages = []
      if (!this.#stopped) this.#retry = setTimeout(() => this.#dial(), 20)
    })
  }

  #hear(message: Message): void {
    switch (message.type) {
      case 'syncStep1':
        // Asked again for a gap, it says all again; the first time, edits begin to flow behind it.
        this.#send({ type: 'syncStep2', update: Y.encodeStateAsUpdate(this.#doc, message.stateVector) })
        return
      case 'ack':
        this.#acknowledged = Math.max(this.#acknowledged, this.#messages[message.durable - 1] ?? 0)
        return
      default:
        return
    }
  }

  #send(message: Message): void {
    const socket = this.#socket
    if (socket?.readyState !== WebSocket.OPEN) return
    this.#messages.push(this.#made)
    socket.send(encodeMessage(message))
  }
}
