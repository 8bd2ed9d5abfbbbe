import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** What a message from a server is, as far as a load generator cares. */
export type Kind = 'step1' | 'step2' | 'update' | 'awareness' | 'ready' | 'other'

/** A server's wire: y-websocket's, or Hocuspocus', which puts the document's name before each message. */
export interface Dialect {
  /** Path of the address of a document. */
  path(document: string): string
  /** What a client says before all else. */
  greeting(document: string): Uint8Array[]
  /** Puts a y-websocket message into this wire. */
  encode(document: string, message: Uint8Array): Uint8Array
  /** Where a y-websocket message starts in a payload. */
  offset(document: string): number
}

export const yWebsocket: Dialect = {
  path: (document) => `/${encodeURIComponent(document)}`,
  greeting: () => [],
  encode: (_document, message) => message,
  offset: () => 0,
}

const AUTH = 2
const TOKEN = 0

export const hocuspocus: Dialect = {
  path: () => '/',
  greeting: (document) => [
    encoding.encode((encoder) => {
      encoding.writeVarString(encoder, document)
      encoding.writeVarUint(encoder, AUTH)
      encoding.writeVarUint(encoder, TOKEN)
      encoding.writeVarString(encoder, 'anybody')
    }),
  ],
  encode: (document, message) =>
    encoding.encode((encoder) => {
      encoding.writeVarString(encoder, document)
      encoding.writeUint8Array(encoder, message)
    }),
  offset: (document) => encoding.encode((encoder) => encoding.writeVarString(encoder, document)).length,
}

const SYNC_KINDS = ['step1', 'step2', 'update'] as const

/** What a message is; `at` is where it starts in its payload. */
export const kindOf = (payload: Uint8Array, at: number): Kind => {
  switch (payload[at]) {
    // 4 is Hocuspocus' answer to a sync step 1.
    case 0:
    case 4:
      return SYNC_KINDS[payload[at + 1] ?? 3] ?? 'other'
    case 1:
      return 'awareness'
    case 2:
      return 'ready'
    default:
      return 'other'
  }
}

/** The body of a sync or awareness message. */
export const bodyOf = (payload: Uint8Array, at: number): Uint8Array => {
  const decoder = decoding.createDecoder(payload)
  decoder.pos = at + (payload[at] === 1 ? 1 : 2)
  return decoding.readVarUint8Array(decoder)
}

/** How an update starts. One object reads many, so that a message costs no allocation. */
export class Head {
  /** Of how many clients it has structs. */
  clients = 0
  /** How many of the first, its id, and its first clock; 0 when it has none. */
  structs = 0
  client = 0
  clock = 0
  readonly #decoder = new decoding.Decoder<ArrayBufferLike>(new Uint8Array())

  /** Reads the head of the update in the message at `at`. */
  read(payload: Uint8Array, at: number): void {
    const decoder = this.#decoder
    decoder.arr = payload
    decoder.pos = at + 2
    decoding.readVarUint(decoder)
    this.clients = decoding.readVarUint(decoder)
    const some = this.clients > 0
    this.structs = some ? decoding.readVarUint(decoder) : 0
    this.client = some ? decoding.readVarUint(decoder) : 0
    this.clock = some ? decoding.readVarUint(decoder) : 0
  }
}

const message = (type: number, sub: number | null, body: Uint8Array): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, type)
    if (sub !== null) encoding.writeVarUint(encoder, sub)
    encoding.writeVarUint8Array(encoder, body)
  })

export const step1 = (stateVector: Uint8Array): Uint8Array => message(0, 0, stateVector)
export const step2 = (update: Uint8Array): Uint8Array => message(0, 1, update)
export const updateOf = (update: Uint8Array): Uint8Array => message(0, 2, update)
export const awarenessOf = (update: Uint8Array): Uint8Array => message(1, null, update)
