import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { endAfterUpgrade, UpgradableRequest } from '../../server/http/upgrades.js'
import { until } from '../support/until.js'

/** What a server with a listener for upgrades says to these requests on one connection, which it ends. */
const ask = async (requests: string): Promise<string> => {
  const http = createServer({ IncomingMessage: UpgradableRequest }, (request, response) => {
    endAfterUpgrade(request, response)
    response.end(`plain ${request.url}.`)
  })
  http.on('upgrade', (request, socket) => socket.end(`upgraded ${request.url}.`))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const client = connect((http.address() as AddressInfo).port)
  onTestFinished(() => {
    client.destroy()
    http.close()
  })
  let got = ''
  client.setEncoding('latin1').on('data', (text: string) => {
    got += text
  })
  client.write(requests)
  await until('it is over', () => client.destroyed)
  return got
}

const get = (path: string, upgrade: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n`

describe('an upgrade', () => {
  it.each(['websocket', 'WebSocket', 'h2c, websocket'])('to %s is one', async (upgrade) => {
    expect(await ask(get('/a', upgrade))).toBe('upgraded /a.')
  })

  it.each(['h2c', 'TLS/1.0', 'websocket/13'])('to %s is a plain request', async (upgrade) => {
    const answer = await ask(get('/a', upgrade))
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toContain('plain /a.')
  })

  it.each([
    ['another request', get('/b', 'h2c')],
    ['a handshake', get('/b', 'websocket')],
  ])('that is none is the last on its connection, %s behind it is not looked at', async (_, behind) => {
    const answer = await ask(get('/a', 'h2c') + behind)
    expect(answer).toContain('plain /a.')
    expect(answer).toMatch(/^Connection: close\r$/m)
    expect(answer).not.toContain('/b')
  })

  it('that is none may have a body, which is no request', async () => {
    const body = get('/b', 'h2c')
    const post = get('/a', 'h2c')
      .replace('GET', 'POST')
      .replace('\r\n\r\n', `\r\nContent-Length: ${body.length}\r\n\r\n`)
    const answer = await ask(post + body)
    expect(answer).toContain('plain /a.')
    expect(answer).not.toContain('/b')
  })

  it('nobody asked for leaves the connection open', async () => {
    const plain = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    const answer = await ask(`${plain('/a')}${plain('/b')}${get('/c', 'h2c')}`)
    for (const path of ['/a', '/b', '/c']) expect(answer).toContain(`plain ${path}.`)
  })
})
