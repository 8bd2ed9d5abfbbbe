import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import {
  type Asked,
  type BadHandshake,
  opening,
  readHandshake,
  refusal,
} from '../../server/websocket/handshake.js'

/** RFC 6455 §1.3's. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

const valid: IncomingHttpHeaders = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': KEY,
  'sec-websocket-version': '13',
}

const plain: Asked = { method: 'GET', httpVersion: '1.1', headers: valid, rawHeaders: [] }

const read = (headers: IncomingHttpHeaders = {}, method = 'GET') =>
  readHandshake({ ...plain, method, headers: { ...valid, ...headers } })

const refused = (headers: IncomingHttpHeaders, method?: string): BadHandshake => {
  const answer = read(headers, method)
  if ('status' in answer) return answer
  throw new Error('it was taken')
}

describe('RFC 6455 §4.2.1: a handshake', () => {
  it('is a GET request: 405', () => {
    for (const method of ['POST', 'HEAD', 'get', 'OPTIONS']) expect(refused({}, method).status).toBe(405)
  })

  it('is of HTTP/1.1: 400', () => {
    for (const httpVersion of ['1.0', '0.9'])
      expect(readHandshake({ ...plain, httpVersion })).toHaveProperty('status', 400)
  })

  it('has no more headers than an HTTP server reads: 431', () => {
    const rawHeaders = Array.from({ length: 2000 }, () => 'x')
    expect(readHandshake({ ...plain, rawHeaders })).toHaveProperty('key')
    expect(readHandshake({ ...plain, rawHeaders: [...rawHeaders, 'x', 'x'] })).toHaveProperty('status', 431)
  })

  it('is for a WebSocket, in any case of letters: 400', () => {
    for (const upgrade of ['websocket', 'WebSocket', 'WEBSOCKET'])
      expect(read({ upgrade })).toHaveProperty('key')
    for (const upgrade of [undefined, '', 'h2c', 'websockets']) expect(refused({ upgrade }).status).toBe(400)
  })

  it('has a key of 16 bytes in base64: 400', () => {
    expect(read()).toEqual({ key: KEY, protocols: new Set() })
    for (const key of [undefined, '', `${KEY}=`, ` ${KEY}`, KEY.slice(1), `x${KEY}`, KEY.replace('d', '-')])
      expect(refused({ 'sec-websocket-key': key }).status).toBe(400)
    expect(refused({ 'sec-websocket-key': `${KEY}, ${KEY}` }).status).toBe(400)
  })

  it('is of version 13, and of no other: 426', () => {
    for (const version of [undefined, '', '8', '0', '14', '130', '13, 8', '13.0'])
      expect(refused({ 'sec-websocket-version': version }).status).toBe(426)
  })

  it('names subprotocols, in the order of preference', () => {
    const offer = read({ 'sec-websocket-protocol': "inkwire.1 ,\tb,c!#$%&'*+-.^_`|~" })
    expect('protocols' in offer && [...offer.protocols]).toEqual(['inkwire.1', 'b', "c!#$%&'*+-.^_`|~"])
  })

  it('names each once, and nothing that is no name: 400', () => {
    for (const list of ['', ',', 'a,', ',a', 'a,,b', 'a, a', 'a b', 'a;b', 'a\r\nX: y', 'é', '"a"', 'a/b'])
      expect(refused({ 'sec-websocket-protocol': list }).status).toBe(400)
  })

  it('long nonsense takes no time', () => {
    const before = performance.now()
    refused({ 'sec-websocket-protocol': `a${' '.repeat(65_536)}b` })
    refused({ 'sec-websocket-key': 'a'.repeat(65_536) })
    refused({ 'sec-websocket-protocol': ','.repeat(65_536) })
    expect(performance.now() - before).toBeLessThan(1000)
  })
})

describe('RFC 6455 §4.2.2: the answer', () => {
  it('accepts the key, and selects nothing', () => {
    expect(opening(KEY, null).split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      '',
      '',
    ])
  })

  it('names the subprotocol that is spoken', () => {
    expect(opening(KEY, 'inkwire.1').split('\r\n').slice(3)).toEqual([
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      'Sec-WebSocket-Protocol: inkwire.1',
      '',
      '',
    ])
  })
})

describe('a refusal', () => {
  const headersOf = (bad: BadHandshake): { status: string; headers: string[]; body: string } => {
    const [head = '', body = ''] = refusal(bad).split('\r\n\r\n')
    const [status = '', ...headers] = head.split('\r\n')
    return { status, headers, body }
  }

  it('says in HTTP what is wrong, and the version that is spoken (RFC 6455 §4.4)', () => {
    const { status, headers, body } = headersOf({ status: 400, reason: 'né' })
    expect([status, body]).toEqual(['HTTP/1.1 400 Bad Request', 'né'])
    expect(headers).toEqual([
      'Connection: close',
      'Sec-WebSocket-Version: 13',
      'Content-Type: text/plain',
      'Content-Length: 3',
    ])
  })

  it('405 says what is allowed (RFC 9110 §15.5.6)', () => {
    const { status, headers } = headersOf({ status: 405, reason: '' })
    expect(status).toBe('HTTP/1.1 405 Method Not Allowed')
    expect(headers).toEqual(
      expect.arrayContaining(['Allow: GET', 'Connection: close', 'Sec-WebSocket-Version: 13']),
    )
  })

  it('426 says to what (RFC 9110 §15.5.22)', () => {
    const { status, headers } = headersOf({ status: 426, reason: '' })
    expect(status).toBe('HTTP/1.1 426 Upgrade Required')
    expect(headers).toEqual(
      expect.arrayContaining([
        'Upgrade: websocket',
        'Connection: Upgrade, close',
        'Sec-WebSocket-Version: 13',
      ]),
    )
  })
})
