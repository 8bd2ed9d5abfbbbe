import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const updateMessage = (update: Uint8Array): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeUint8Array(encoder, hex('00 02'))
    encoding.writeVarUint8Array(encoder, update)
  })

/** 500,000 deletions of one element each, 2 MB: slows every later operation of a Y.Doc. */
const deleteBomb = (): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, 7)
    encoding.writeVarUint(encoder, 500_000)
    for (let i = 0; i < 500_000; i++) {
      encoding.writeVarUint(encoder, i * 2)
      encoding.writeVarUint(encoder, 1)
    }
  })

/** One value of 100,000 arrays, each in the next: readers recurse. */
const nestingBomb = (): Uint8Array =>
  encoding.encode((encoder) => {
    for (const each of [1, 1, 7, 0, 8, 1]) encoding.writeVarUint(encoder, each)
    encoding.writeVarString(encoder, 'a')
    encoding.writeVarUint(encoder, 1)
    for (let i = 0; i < 100_000; i++) encoding.writeUint8Array(encoder, Uint8Array.of(117, 1))
    encoding.writeUint8Array(encoder, Uint8Array.of(126, 0))
  })

const valid = (): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'hello')
  return Y.encodeStateAsUpdate(doc)
}

const bad: [what: string, bytes: () => Uint8Array | string, code: number][] = [
  ['an empty frame', () => Uint8Array.of(), 4400],
  ['a text frame', () => 'hello', 4400],
  ['an unknown message', () => hex('09'), 4400],
  ['an unknown sync message', () => hex('00 07 00'), 4400],
  ['a truncated message', () => hex('00 02 7f 00'), 4400],
  ['bytes after a message', () => hex('03 00'), 4400],
  ['a message that only servers send', () => hex('78 01 01 01'), 4400],
  ['a permission-denied', () => hex('02 00 02 6e6f'), 4400],
  ['a malformed state vector', () => hex('00 00 02 ff 01'), 4400],
  ['a malformed awareness update', () => hex('01 03 01 01 01'), 4400],
  ['an update cut short', () => updateMessage(valid().subarray(0, -2)), 4400],
  ['an update with bytes left over', () => updateMessage(Buffer.concat([valid(), hex('00')])), 4400],
  ['a 7-byte update that claims 33 million structs', () => updateMessage(hex('01 ffffff0f 01 00')), 4400],
  ['500,000 delete ranges', () => updateMessage(deleteBomb()), 4400],
  ['a deeply nested value', () => updateMessage(nestingBomb()), 4400],
  [
    'an update in v2 encoding',
    () => {
      const doc = new Y.Doc()
      doc.getText('t').insert(0, 'hello')
      return updateMessage(Y.encodeStateAsUpdateV2(doc))
    },
    4400,
  ],
  ['a message above the limit', () => new Uint8Array(16 * 1024 * 1024 + 1), 1009],
]

describe('bad input ends that one connection with a code, and nobody else notices (PROTOCOL W7, S1)', () => {
  for (const [what, bytes, code] of bad) {
    it(`${what}: ${code}`, async () => {
      const { ws, url } = await startServer()
      const bystander = await connectRaw(`${ws}/doc`)
      await bystander.first('syncStep1')
      const raw = await connectRaw(`${ws}/doc`)
      await raw.first('syncStep1')
      raw.sendBytes(bytes())
      expect((await raw.closed).code).toBe(code)
      // The bystander goes on, and a newcomer finds nothing of it.
      bystander.sendBytes(updateMessage(valid()))
      await until('the bystander is served', () => bystander.all('update').length === 1)
      const newcomer = await connectRaw(`${ws}/doc`)
      newcomer.sendBytes(hex('00 00 01 00'))
      const { update } = await newcomer.first('syncStep2')
      const doc = new Y.Doc()
      Y.applyUpdate(doc, update)
      expect(doc.getText('t').toString()).toBe('hello')
      const metrics = await (await fetch(`${url}/metrics`)).text()
      expect(metrics).toMatch(new RegExp(`inkwire_rejections_total\\{code="${code}"\\} 1`))
    })
  }

  it('a limit on messages can be set', async () => {
    const { ws } = await startServer({ maxMessageBytes: 2048 })
    const raw = await connectRaw(`${ws}/doc`)
    raw.sendBytes(new Uint8Array(2049))
    expect((await raw.closed).code).toBe(1009)
  })

  it('W2: an impossible name is accepted and closed with 4404, so that browsers stop trying', async () => {
    const { ws } = await startServer()
    for (const path of ['/', '/%ff', `/${'n'.repeat(1025)}`]) {
      const raw = await connectRaw(`${ws}${path}`)
      expect((await raw.closed).code).toBe(4404)
    }
  })

  it('another upgrade is answered as if it had not asked', async () => {
    const { url } = await startServer()
    const request = get(`${url}/healthz`, { headers: { Connection: 'Upgrade', Upgrade: 'h2c' } })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    expect(response.statusCode).toBe(200)
  })

  it('a handshake that is none does not disturb the server', async () => {
    const { url } = await startServer()
    const { port } = new URL(url)
    for (const [text, status] of [
      ['GET /doc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 400],
      ['GET /doc HTTP/1.1\r\nHost: x\r\nUpgrade: nonsense\r\nConnection: Upgrade\r\n\r\n', 404],
      ['\0\0\0\0', 400],
    ] as const) {
      const socket = connect(Number(port), '127.0.0.1')
      const answer = await new Promise<string>((resolve) => {
        let got = ''
        socket.on('data', (data) => {
          got += data
        })
        socket.on('close', () => resolve(got))
        socket.on('error', () => undefined)
        socket.write(text)
      })
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    }
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok')
  })
})
