/**
 * Bytes ↔ messages. Pure, used by both sides, and the only place that knows a tag number.
 * Rules and hex examples: PROTOCOL.md, W1–W7 and X1–X5.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { InkwireError } from './errors.js'
import { ACCESS_LEVELS, DURABILITIES, type Message } from './messages.js'

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

/** What an update message (PROTOCOL W5) starts with, for one who writes it in place: length and update follow. */
export const UPDATE_PREFIX: Uint8Array = Uint8Array.of(SYNC, UPDATE)

/** Generation ids travel as 16 bytes and are 32 hex digits everywhere else. */
const GENERATION_BYTES = 16

/**
 * Encodes one message as the payload of one binary WebSocket frame.
 *
 * @example
 *   encodeMessage({ type: 'queryAwareness' }) // 03
 */
export const encodeMessage = (message: Message): Uint8Array => {
  const encoder = encoding.createEncoder()
  const tag = (outer: number, inner: number): void => {
    encoding.writeVarUint(encoder, outer)
    encoding.writeVarUint(encoder, inner)
  }
  switch (message.type) {
    case 'syncStep1':
      tag(SYNC, STEP1)
      encoding.writeVarUint8Array(encoder, message.stateVector)
      break
    case 'syncStep2':
      tag(SYNC, STEP2)
      encoding.writeVarUint8Array(encoder, message.update)
      break
    case 'update':
      tag(SYNC, UPDATE)
      encoding.writeVarUint8Array(encoder, message.update)
      break
    case 'awareness':
      encoding.writeVarUint(encoder, AWARENESS)
      encoding.writeVarUint8Array(encoder, message.update)
      break
    case 'permissionDenied':
      tag(AUTH, PERMISSION_DENIED)
      encoding.writeVarString(encoder, message.reason)
      break
    case 'queryAwareness':
      encoding.writeVarUint(encoder, QUERY_AWARENESS)
      break
    case 'hello':
      tag(INKWIRE, HELLO)
      encoding.writeUint8Array(encoder, hexToBytes(message.generation))
      encoding.writeVarUint(encoder, message.seq)
      encoding.writeVarUint(encoder, ACCESS_LEVELS.indexOf(message.access))
      encoding.writeVarUint(encoder, DURABILITIES.indexOf(message.durability))
      encoding.writeVarUint(encoder, message.maxMessageBytes)
      break
    case 'ack':
      tag(INKWIRE, ACK)
      encoding.writeVarUint(encoder, message.received)
      encoding.writeVarUint(encoder, message.durable)
      break
    case 'rejection':
      tag(INKWIRE, REJECTION)
      encoding.writeVarUint(encoder, message.message)
      encoding.writeVarUint(encoder, message.code)
      encoding.writeVarString(encoder, message.reason)
      break
    case 'join':
      tag(INKWIRE, JOIN)
      encoding.writeVarUint8Array(encoder, hexToBytes(message.generation))
      encoding.writeVarUint(encoder, message.seq)
      break
    case 'authenticate':
      tag(INKWIRE, AUTHENTICATE)
      break
    case 'token':
      tag(INKWIRE, TOKEN)
      encoding.writeVarString(encoder, message.token)
      break
    default:
      return unreachable(message)
  }
  return encoding.toUint8Array(encoder)
}

/**
 * Decodes one frame's payload. Byte arrays in the result are views of `bytes`, not copies.
 *
 * @throws InkwireError INKWIRE_BAD_MESSAGE for anything malformed, truncated, with bytes left over, or of
 *   an unknown type (PROTOCOL W7).
 * @example
 *   decodeMessage(Uint8Array.of(0, 0, 1, 0)) // { type: 'syncStep1', stateVector: Uint8Array [0] }
 */
export const decodeMessage = (bytes: Uint8Array): Message => {
  const decoder = decoding.createDecoder(bytes)
  let message: Message
  try {
    message = readMessage(decoder)
  } catch (cause) {
    if (cause instanceof InkwireError) throw cause
    throw new InkwireError('INKWIRE_BAD_MESSAGE', 'the message is cut short or malformed', { cause })
  }
  // Extensions may grow fields at their end (PROTOCOL X6); y-websocket's messages may not.
  if (decoder.pos !== bytes.length && bytes[0] !== INKWIRE) throw bad('bytes left over after the message')
  return message
}

const readMessage = (decoder: decoding.Decoder): Message => {
  const outer = decoding.readVarUint(decoder)
  switch (outer) {
    case SYNC:
      return readSync(decoder)
    case AWARENESS:
      return { type: 'awareness', update: decoding.readVarUint8Array(decoder) }
    case AUTH:
      if (decoding.readVarUint(decoder) !== PERMISSION_DENIED) throw bad('unknown auth message')
      return { type: 'permissionDenied', reason: decoding.readVarString(decoder) }
    case QUERY_AWARENESS:
      return { type: 'queryAwareness' }
    case INKWIRE:
      return readExtension(decoder)
    default:
      throw bad(`unknown message type ${outer}`)
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
      throw bad(`unknown sync message ${inner}`)
  }
}

const readExtension = (decoder: decoding.Decoder): Message => {
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
      return { type: 'ack', received: decoding.readVarUint(decoder), durable: decoding.readVarUint(decoder) }
    case REJECTION:
      return {
        type: 'rejection',
        message: decoding.readVarUint(decoder),
        code: decoding.readVarUint(decoder),
        reason: decoding.readVarString(decoder),
      }
    case JOIN: {
      const generation = decoding.readVarUint8Array(decoder)
      if (generation.length !== 0 && generation.length !== GENERATION_BYTES) throw bad('no generation id')
      return { type: 'join', generation: bytesToHex(generation), seq: decoding.readVarUint(decoder) }
    }
    case AUTHENTICATE:
      return { type: 'authenticate' }
    case TOKEN:
      return { type: 'token', token: decoding.readVarString(decoder) }
    default:
      throw bad(`unknown extension message ${inner}`)
  }
}

const oneOf = <T>(values: readonly T[], index: number): T => {
  const value = values[index]
  if (value === undefined) throw bad(`unknown value ${index}`)
  return value
}

const bad = (what: string): InkwireError => new InkwireError('INKWIRE_BAD_MESSAGE', what)

const unreachable = (message: never): never => {
  throw new TypeError(`not a message: ${JSON.stringify(message)}`)
}

const bytesToHex = (bytes: Uint8Array): string => {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}

const hexToBytes = (hex: string): Uint8Array => {
  const bytes = new Uint8Array(hex.length >> 1)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16)
  return bytes
}
