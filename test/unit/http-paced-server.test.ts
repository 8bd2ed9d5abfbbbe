import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { createPacedServer } from '../../server/http/paced-server.js'
import { InTurns } from '../../server/limits/in-turns.js'
import { Turnstile } from '../../server/limits/turnstile.js'
import { until } from '../support/until.js'

it.each([
  ['a proxy’s socket is kept longer than nginx keeps it', true, [65_000, 65_000]],
  ['anybody else’s is kept as shortly as Node does', false, [5000, 6000]],
])('%s, and one that is being answered is cut after 30 s', async (_, byProxy, [least, most]) => {
  const answers: (() => void)[] = []
  const http = createPacedServer({
    turns: {
      parsing: new InTurns({ soon: setImmediate, clock: () => performance.now(), ms: 4 }),
      answering: new Turnstile({ soon: setImmediate, later: setImmediate, clogged: () => false }),
    },
    headersTimeoutMs: 10_000,
    request: (_request, response) => void answers.push(() => response.end('ok')),
    byProxy: () => byProxy,
    upgrade: () => undefined,
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const accepted = once(http, 'connection')
  const client = connect((http.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => {
    client.destroy()
    http.close()
  })
  client.resume()
  const [socket] = (await accepted) as [Socket]
  for (let time = 0; time < 2; time++) {
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await until('it is asked', () => answers.length > time)
    expect(socket.timeout).toBe(30_000)
    answers[time]?.()
    await until('it waits', () => socket.timeout !== 30_000)
    expect(socket.timeout).toBeGreaterThanOrEqual(least ?? 0)
    expect(socket.timeout).toBeLessThanOrEqual(most ?? 0)
  }
})
