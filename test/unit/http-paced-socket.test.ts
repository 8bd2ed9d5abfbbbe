import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PacedSocket, paceSockets } from '../../server/http/paced-socket.js'
import { InTurns } from '../../server/limits/in-turns.js'
import { Turnstile } from '../../server/limits/turnstile.js'
import { until } from '../support/until.js'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** An HTTP server whose sockets are paced, and a socket to it that has begun to read, with all that it got. */
const setup = async (
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  ms = 4,
): Promise<{ client: Socket; got: () => string; arrived: () => number; upgraded: () => Duplex | null }> => {
  const state = { arrived: 0, got: '', upgraded: null as Duplex | null }
  const http = createServer()
  paceSockets(http, {
    parsing: new InTurns({ soon: setImmediate, clock: () => performance.now(), ms }),
    answering: new Turnstile({ soon: setImmediate, later: setImmediate, clogged: () => false }),
  })
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    state.arrived++
    const socket: Duplex = request.socket
    if (socket instanceof PacedSocket) socket.request(response, () => answer(response, request))
  })
  http.on('upgrade', (_: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!(socket instanceof PacedSocket)) return
    const raw = socket.detach()
    if (!raw) return
    raw.unshift(head)
    state.upgraded = raw
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const client = connect((http.address() as AddressInfo).port)
  client.setEncoding('latin1').on('data', (text: string) => {
    state.got += text
  })
  onTestFinished(() => {
    client.destroy()
    state.upgraded?.destroy()
    http.close()
    http.closeAllConnections()
  })
  return {
    client,
    got: () => state.got,
    arrived: () => state.arrived,
    upgraded: () => state.upgraded,
  }
}

const turns = async (many: number): Promise<void> => {
  for (let i = 0; i < many; i++) await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('a paced socket', () => {
  it.each([4, 0])(
    'answers many requests that come at once one by one, in order, with %d ms a turn',
    async (ms) => {
      const answers: ServerResponse[] = []
      const { client, got, arrived } = await setup((response) => void answers.push(response), ms)
      client.write(GET.repeat(150))
      await until('the first is to be answered', () => answers.length === 1)
      await turns(20)
      // The rest is not even parsed.
      expect(answers).toHaveLength(1)
      expect(arrived()).toBeLessThan(100)
      for (let i = 0; i < 150; i++) {
        await until(`request ${i} is to be answered`, () => answers.length === i + 1)
        answers[i]?.end(`answer ${i}.`)
      }
      await until('all are answered', () => got().includes('answer 149.'))
      const bodies = [...got().matchAll(/answer (\d+)\./g)].map(([, number]) => Number(number))
      expect(bodies).toEqual(Array.from({ length: 150 }, (_, i) => i))
    },
  )

  it('answers nothing more to one who does not read', async () => {
    let answered = 0
    const { client, arrived } = await setup((response) => {
      answered++
      response.end(Buffer.alloc(1024 * 1024))
    })
    client.pause()
    client.write(GET.repeat(2000))
    await until('some are answered', () => answered > 1)
    await turns(50)
    // As much as fits into the system's buffers.
    const before = answered
    await turns(50)
    expect(answered).toBe(before)
    expect(answered).toBeLessThan(20)
    expect(arrived()).toBeLessThan(200)
  })

  it('takes a request in many pieces, a body, and one who ends before the answer', async () => {
    const bodies: string[] = []
    const { client, got } = await setup((response, request) => {
      let body = ''
      request.setEncoding('latin1').on('data', (text: string) => {
        body += text
      })
      request.on('end', () => {
        bodies.push(body)
        response.end('done.')
      })
    })
    const body = 'x'.repeat(50_000)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nCookie: ${'c'.repeat(8000)}\r\nContent-Length: 50000\r\n\r\n`)
    await turns(3)
    client.write(body)
    client.end(GET)
    await until('both are answered', () => got().split('done.').length === 3)
    expect(bodies).toEqual([body, ''])
    await until('it is closed', () => client.destroyed)
  })

  it('gives the socket back with all that came behind the handshake, in order', async () => {
    const { client, upgraded } = await setup((response) => response.end())
    const frames = Array.from({ length: 20_000 }, (_, i) => `${i};`).join('')
    client.write(
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${frames.slice(0, 9000)}`,
    )
    await until('it is upgraded', () => upgraded() !== null)
    const raw = upgraded()
    await turns(5)
    let text = ''
    raw?.setEncoding('latin1').on('data', (piece: string) => {
      text += piece
    })
    client.write(frames.slice(9000))
    await until('all has come', () => text.length >= frames.length)
    expect(text).toBe(frames)
  })

  it.each([1, 2])(
    'is cut when a handshake comes before %i requests are answered, and nothing else happens',
    async (requests) => {
      const { client, upgraded } = await setup((response) => void setTimeout(() => response.end('late'), 5))
      const closed = once(client, 'close')
      client.write(
        `${GET.repeat(requests)}GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      )
      await closed
      await turns(20)
      expect(upgraded()).toBeNull()
    },
  )

  it('drops what waits when the client goes', async () => {
    const answers: ServerResponse[] = []
    const { client } = await setup((response) => void answers.push(response))
    client.write(GET.repeat(100))
    await until('the first is to be answered', () => answers.length === 1)
    const gone = once(answers[0] as ServerResponse, 'close')
    client.resetAndDestroy()
    await gone
    await turns(10)
    expect(answers).toHaveLength(1)
  })
})
