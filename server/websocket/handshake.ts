import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** 16 bytes in base64 (RFC 6455 §4.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/
const VERSION = '13'
/** A name of a subprotocol (RFC 6455 §4.1, RFC 9110 §5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * An HTTP server leaves out those above some number (Node's 2,000), without a word: the origin, say, or what a proxy
 * adds about whom they come from. No browser sends so many.
 */
const MOST_HEADERS = 1000

/** A request that isn't the opening handshake of a WebSocket client, and the HTTP status that says so. */
export interface BadHandshake {
  readonly status: 400 | 405 | 426 | 431
  readonly reason: string
}

/** What a client offers in its opening handshake. */
export interface Handshake {
  readonly key: string
  /** Subprotocols, in the client's order. */
  readonly protocols: ReadonlySet<string>
}

/** What of a request is looked at. */
export type Asked = Pick<IncomingMessage, 'method' | 'httpVersion' | 'headers' | 'rawHeaders'>

/** Reads an opening handshake (RFC 6455 §4.2.1). */
export const readHandshake = ({
  method,
  httpVersion,
  headers,
  rawHeaders,
}: Asked): Handshake | BadHandshake => {
  if (rawHeaders.length > 2 * MOST_HEADERS) return { status: 431, reason: 'too many headers' }
  if (httpVersion === '1.0' || httpVersion === '0.9') return bad('a WebSocket handshake takes HTTP/1.1')
  if (method !== 'GET') return { status: 405, reason: 'a WebSocket handshake is a GET request' }
  if (headers.upgrade?.toLowerCase() !== 'websocket') return bad('Upgrade is not "websocket"')
  const key = headers['sec-websocket-key']
  if (key === undefined || !KEY.test(key)) return bad('Sec-WebSocket-Key is missing or wrong')
  if (headers['sec-websocket-version'] !== VERSION) {
    return { status: 426, reason: `Sec-WebSocket-Version is not ${VERSION}` }
  }
  const protocols = protocolsIn(headers['sec-websocket-protocol'])
  return protocols ? { key, protocols } : bad('Sec-WebSocket-Protocol is not a list of names')
}

/** The answer that opens the connection (RFC 6455 §4.2.2). */
export const opening = (key: string, protocol: string | null): string => {
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64')
  const selected = protocol === null ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${selected}\r\n`
}

/** The answer to a handshake that isn't one: whoever sent it reads HTTP. */
export const refusal = ({ status, reason }: BadHandshake): string =>
  `HTTP/1.1 ${HEADS[status]}\r\nSec-WebSocket-Version: ${VERSION}\r\n` +
  `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`

/** Each status with the headers that it must have (RFC 9110 §15.5.6, 15.5.22). */
const HEADS = {
  400: '400 Bad Request\r\nConnection: close',
  405: '405 Method Not Allowed\r\nAllow: GET\r\nConnection: close',
  426: '426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close',
  431: '431 Request Header Fields Too Large\r\nConnection: close',
} as const

const bad = (reason: string): BadHandshake => ({ status: 400, reason })

/** The names in a list (RFC 6455 §4.1: none twice); null if it isn't one. */
const protocolsIn = (header: string | undefined): ReadonlySet<string> | null => {
  const names = header === undefined ? [] : header.split(',').map((name) => name.trim())
  const protocols = new Set(names)
  return protocols.size === names.length && names.every((name) => TOKEN.test(name)) ? protocols : null
}
