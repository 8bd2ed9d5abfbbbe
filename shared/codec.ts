/**
 * Bytes ↔ messages. Pure, used by both sides, and the only place that knows a tag number.
 * Rules and hex examples: PROTOCOL.md, W1–W7 and X1–X14.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { InkwireError } from './errors.js'
import { ACCESS_LEVELS, DURABILITIES, type Message, type TrunkMessage } from './messages.js'

const SYNC = 0
const AWARENESS = 1
const AUTH = 2
const QUERY_AWARENESS = 3
/** Outside of what y-websocket (0–3) and Hocuspocus (0–8) use. */
const INKWIRE = 120

const STEP1 = 0
const STEP2 = 1
const UPDATE = 2

const PERMISSION_DENIED = 0

const HELLO = 0
const ACK = 1
const REJECTION = 2
const JOIN = 3
const AUTHENTICATE = 4
const TOKEN = 5
const INITIAL_CONTENT = 6
const SIGNAL = 7
const SHARED = 8
const OPEN = 9
const CHANNEL = 10
const END = 11

/** What an update message (PROTOCOL W5) starts with, for one who writes it in place: length and update follow. */
export const UPDATE_PREFIX: Uint8Array = /* @__PURE__ */ Uint8Array.of(SYNC, UPDATE)

const utf8 = new TextEncoder()

/** Generation ids travel as 16 bytes and are 32 hex digits everywhere else. */
const GENERATION_BYTES = 16

/** Tags, then bytes with their length. Encoders are small and apart, so that a client bundles only what it sends. */
const tagged = (tags: readonly number[], bytes?: Uint8Array): Uint8Array =>
  encoding.encode((encoder) => {
    for (const tag of tags) encoding.writeVarUint(encoder, tag)
    if (bytes) encoding.writeVarUint8Array(encoder, bytes)
  })

/** PROTOCOL W3. */
export const encodeSyncStep1 = (stateVector: Uint8Array): Uint8Array => tagged([SYNC, STEP1], stateVector)

/** PROTOCOL W4. */
export const encodeSyncStep2 = (update: Uint8Array): Uint8Array => tagged([SYNC, STEP2], update)

/** PROTOCOL W5. */
export const encodeUpdate = (update: Uint8Array): Uint8Array => tagged([SYNC, UPDATE], update)

/** PROTOCOL W6. */
export const encodeAwareness = (update: Uint8Array): Uint8Array => tagged([AWARENESS], update)

/** PROTOCOL W6. */
export const encodeQueryAwareness = (): Uint8Array => tagged([QUERY_AWARENESS])

/** PROTOCOL X3. */
export const encodeJoin = (generation: string, seq: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeUint8Array(encoder, tagged([INKWIRE, JOIN], hexToBytes(generation)))
    encoding.writeVarUint(encoder, seq)
  })

/** PROTOCOL X8. */
export const encodeToken = (token: string): Uint8Array => tagged([INKWIRE, TOKEN], utf8.encode(token))

/** PROTOCOL X9. */
export const encodeInitialContent = (update: Uint8Array): Uint8Array =>
  tagged([INKWIRE, INITIAL_CONTENT], update)

/** PROTOCOL X10, as clients send it. */
export const encodeSignal = (data: Uint8Array): Uint8Array => tagged([INKWIRE, SIGNAL], data)

/**
 * Encodes one message as the payload of one binary WebSocket frame.
 *
 * @example
 *   encodeMessage({ type: 'queryAwareness' }) // 03
 */
export const encodeMessage = (message: Message): Uint8Array => {
  switch (message.type) {
    case 'syncStep1':
      return encodeSyncStep1(message.stateVector)
    case 'syncStep2':
      return encodeSyncStep2(message.update)
    case 'update':
      return encodeUpdate(message.update)
    case 'awareness':
      return encodeAwareness(message.update)
    case 'permissionDenied':
      return tagged([AUTH, PERMISSION_DENIED], utf8.encode(message.reason))
    case 'queryAwareness':
      return encodeQueryAwareness()
    case 'hello':
      return encoding.encode((encoder) => {
        encoding.writeUint8Array(encoder, Uint8Array.of(INKWIRE, HELLO))
        encoding.writeUint8Array(encoder, hexToBytes(message.generation))
        encoding.writeVarUint(encoder, message.seq)
        encoding.writeVarUint(encoder, ACCESS_LEVELS.indexOf(message.access))
        encoding.writeVarUint(encoder, DURABILITIES.indexOf(message.durability))
        encoding.writeVarUint(encoder, message.maxMessageBytes)
      })
    case 'join':
      return encodeJoin(message.generation, message.seq)
    case 'ack':
      return tagged([
        INKWIRE,
        ACK,
        message.received,
        message.durable,
        ...(message.mark ? [message.mark] : []),
      ])
    case 'rejection':
      return tagged([INKWIRE, REJECTION, message.message, message.code], utf8.encode(message.reason))
    case 'authenticate':
      return tagged([INKWIRE, AUTHENTICATE])
    case 'token':
      return encodeToken(message.token)
    case 'initialContent':
      return encodeInitialContent(message.update)
    case 'signal':
      return encoding.encode((encoder) => {
        encoding.writeUint8Array(encoder, encodeSignal(message.data))
        encoding.writeVarString(encoder, message.user)
      })
    default:
      throw new TypeError(`not a message: ${JSON.stringify(message satisfies never)}`)
  }
}

/**
 * Decodes one frame's payload. Byte arrays in the result are views of `bytes`, not copies.
 *
 * @throws InkwireError INKWIRE_BAD_MESSAGE for anything malformed, truncated, with bytes left over, or of
 *   an unknown type (PROTOCOL W7).
 * @example
 *   decodeMessage(Uint8Array.of(0, 0, 1, 0)) // { type: 'syncStep1', stateVector: Uint8Array [0] }
 */
export const decodeMessage = (bytes: Uint8Array): Message => decode(bytes, readFromClient)

/** The same, for a client: it doesn't know what only clients send, and needn't bundle it. */
export const decodeFromServer = (bytes: Uint8Array): Message => decode(bytes, unknownType)

/**
 * Encodes what is said on a shared connection beside the documents' messages (PROTOCOL X11–X14).
 *
 * @example
 *   encodeTrunkMessage({ type: 'channel', channel: 2 }) // 78 0a 02
 */
export const encodeTrunkMessage = (message: TrunkMessage): Uint8Array => {
  switch (message.type) {
    case 'shared':
      return tagged([INKWIRE, SHARED, message.channels])
    case 'open':
      return tagged([INKWIRE, OPEN, message.channel, message.extended ? 1 : 0], utf8.encode(message.target))
    case 'channel':
      return tagged([INKWIRE, CHANNEL, message.channel])
    case 'end':
      return tagged([INKWIRE, END, message.channel, message.code], utf8.encode(message.reason))
    default:
      throw new TypeError(`not a message: ${JSON.stringify(message satisfies never)}`)
  }
}

/**
 * Decodes a frame's payload on a shared connection.
 *
 * @returns null for a document's message, which isn't looked at any further.
 * @throws InkwireError INKWIRE_BAD_MESSAGE for one of X11–X14 that is malformed or truncated.
 * @example
 *   decodeTrunkMessage(Uint8Array.of(0x78, 0x0a, 2)) // { type: 'channel', channel: 2 }
 *   decodeTrunkMessage(Uint8Array.of(3)) // null
 */
export const decodeTrunkMessage = (bytes: Uint8Array): TrunkMessage | null => {
  const type = bytes[1] ?? 0
  if (bytes[0] !== INKWIRE || type < SHARED || type > END) return null
  const decoder = decoding.createDecoder(bytes)
  decoder.pos = 2
  try {
    const number = decoding.readVarUint(decoder)
    switch (type) {
      case SHARED:
        return { type: 'shared', channels: number }
      case OPEN: {
        const extended = decoding.readVarUint(decoder) !== 0
        return { type: 'open', channel: number, extended, target: decoding.readVarString(decoder) }
      }
      case CHANNEL:
        return { type: 'channel', channel: number }
      default: {
        const code = decoding.readVarUint(decoder)
        return { type: 'end', channel: number, code, reason: decoding.readVarString(decoder) }
      }
    }
  } catch (cause) {
    throw bad('malformed', cause)
  }
}

/** Reads an extension that not everybody knows. */
type Others = (type: number, decoder: decoding.Decoder) => Message

const decode = (bytes: Uint8Array, others: Others): Message => {
  const decoder = decoding.createDecoder(bytes)
  let message: Message
  try {
    message = readMessage(decoder, others)
  } catch (cause) {
    throw cause instanceof InkwireError ? cause : bad('malformed', cause)
  }
  // Extensions may grow fields at their end (PROTOCOL X6); y-websocket's messages may not.
  if (decoder.pos !== bytes.length && bytes[0] !== INKWIRE) throw bad('left over')
  return message
}

const unknownType = (): never => {
  throw bad('unknown')
}

const readMessage = (decoder: decoding.Decoder, others: Others): Message => {
  const outer = decoding.readVarUint(decoder)
  switch (outer) {
    case SYNC:
      return readSync(decoder)
    case AWARENESS:
      return { type: 'awareness', update: decoding.readVarUint8Array(decoder) }
    case AUTH:
      if (decoding.readVarUint(decoder) !== PERMISSION_DENIED) return unknownType()
      return { type: 'permissionDenied', reason: decoding.readVarString(decoder) }
    case QUERY_AWARENESS:
      return { type: 'queryAwareness' }
    case INKWIRE:
      return readExtension(decoder, others)
    default:
      return unknownType()
  }
}

const readSync = (decoder: decoding.Decoder): Message => {
  const inner = decoding.readVarUint(decoder)
  switch (inner) {
    case STEP1:
      return { type: 'syncStep1', stateVector: decoding.readVarUint8Array(decoder) }
    case STEP2:
      return { type: 'syncStep2', update: decoding.readVarUint8Array(decoder) }
    case UPDATE:
      return { type: 'update', update: decoding.readVarUint8Array(decoder) }
    default:
      return unknownType()
  }
}

const readExtension = (decoder: decoding.Decoder, others: Others): Message => {
  const inner = decoding.readVarUint(decoder)
  switch (inner) {
    case HELLO:
      return {
        type: 'hello',
        generation: bytesToHex(decoding.readUint8Array(decoder, GENERATION_BYTES)),
        seq: decoding.readVarUint(decoder),
        access: oneOf(ACCESS_LEVELS, decoding.readVarUint(decoder)),
        durability: oneOf(DURABILITIES, decoding.readVarUint(decoder)),
        maxMessageBytes: decoding.readVarUint(decoder),
      }
    case ACK:
      return {
        type: 'ack',
        received: decoding.readVarUint(decoder),
        durable: decoding.readVarUint(decoder),
        mark: decoding.hasContent(decoder) ? decoding.readVarUint(decoder) : 0,
      }
    case REJECTION:
      return {
        type: 'rejection',
        message: decoding.readVarUint(decoder),
        code: decoding.readVarUint(decoder),
        reason: decoding.readVarString(decoder),
      }
    case AUTHENTICATE:
      return { type: 'authenticate' }
    case SIGNAL:
      return {
        type: 'signal',
        data: decoding.readVarUint8Array(decoder),
        user: decoding.hasContent(decoder) ? decoding.readVarString(decoder) : '',
      }
    default:
      return others(inner, decoder)
  }
}

/** What only clients send. */
const readFromClient: Others = (type, decoder) => {
  switch (type) {
    case JOIN: {
      const generation = decoding.readVarUint8Array(decoder)
      if (generation.length !== 0 && generation.length !== GENERATION_BYTES) throw bad('malformed')
      return { type: 'join', generation: bytesToHex(generation), seq: decoding.readVarUint(decoder) }
    }
    case TOKEN:
      return { type: 'token', token: decoding.readVarString(decoder) }
    case INITIAL_CONTENT:
      return { type: 'initialContent', update: decoding.readVarUint8Array(decoder) }
    default:
      return unknownType()
  }
}

const oneOf = <T>(values: readonly T[], index: number): T => {
  const value = values[index]
  if (value === undefined) return unknownType()
  return value
}

const bad = (what: string, cause?: unknown): InkwireError =>
  new InkwireError('INKWIRE_BAD_MESSAGE', `bad message: ${what}`, { cause })

const bytesToHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const hexToBytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number(`0x${digits}`))
