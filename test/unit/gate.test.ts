import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { Gate } from '../../server/gate/gate.js'
import { lineOptions } from '../support/line-options.js'
import { until } from '../support/until.js'

describe('the gate', () => {
  it('does a handshake when its turn comes, whatever happened to its socket meanwhile', async () => {
    const waiting: (() => void)[] = []
    const documents: (string | undefined)[] = []
    const gate = new Gate({
      pathPrefix: '/',
      maxMessageBytes: 1024,
      allowedOrigins: [],
      open: true,
      refuse: () => null,
      admitted: ({ wanted }) => void documents.push(wanted?.document),
      refused: () => undefined,
      handshakes: { later: (task) => void waiting.push(task) },
      reading: { begin: () => true, done: () => undefined, later: (task) => task() },
      writing: lineOptions(),
    })
    const http = createServer()
    http.on('upgrade', (request, socket, head) => gate.handleUpgrade(request, socket, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    onTestFinished(() => void http.close())
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`

    const impatient = new WebSocket(`${url}/a`)
    impatient.on('error', () => undefined)
    await until('the first one is here', () => waiting.length === 1)
    impatient.terminate()
    const patient = new WebSocket(`${url}/b`)
    onTestFinished(() => patient.terminate())
    await until('the second one is here', () => waiting.length === 2)
    expect([patient.readyState, documents]).toEqual([WebSocket.CONNECTING, []])
    const opened = once(patient, 'open')
    for (const task of waiting) task()
    await opened
    expect(documents.at(-1)).toBe('b')
  })
})
