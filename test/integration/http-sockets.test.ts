/** How long a socket may speak HTTP: before its handshake, and between two requests. */
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startServer } from '../support/inkwire.js'
import { until } from '../support/until.js'

/** An address under which this machine is a stranger to itself. */
const stranger = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

describe('a silent or slow handshake is cut at an absolute deadline', () => {
  const endOf = (url: string, write: (send: (text: string) => void) => void): Promise<number> => {
    const started = performance.now()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.resume()
    write((text) => socket.write(text))
    return new Promise((resolve) => socket.once('close', () => resolve(performance.now() - started)))
  }

  it('one that says nothing, and one that says a letter now and then', async () => {
    const { url } = await startServer({ limits: { handshakeTimeoutMs: 600 } })
    const silent = endOf(url, () => undefined)
    const slow = endOf(url, (send) => {
      send('GET /doc HTTP/1.1\r\nHost: x\r\nX-Slow: ')
      const timer = setInterval(() => send('a'), 50)
      onTestFinished(() => clearInterval(timer))
    })
    for (const took of await Promise.all([silent, slow])) {
      expect(took).toBeGreaterThan(500)
      expect(took).toBeLessThan(5000)
    }
  })
})

describe('a socket that waits for another request', () => {
  const ask = async (url: string, host: string) => {
    const socket = connect(Number(new URL(url).port), host).setEncoding('latin1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    const state = { answers: 0, closed: false }
    socket.on('data', (text: string) => {
      state.answers += text.split('HTTP/1.1 200').length - 1
    })
    socket.on('close', () => {
      state.closed = true
    })
    const again = async () => {
      const before = state.answers
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      await until('it is answered', () => state.answers > before)
    }
    await again()
    return { state, again }
  }

  it.runIf(stranger)(
    'is kept for longer if it is a proxy’s, and no longer than before if it is not',
    async () => {
      const { url } = await startServer({ host: '0.0.0.0' })
      const proxy = await ask(url, '127.0.0.1')
      const other = await ask(url, stranger ?? '')
      await until('the stranger’s is closed', () => other.state.closed)
      expect(proxy.state.closed).toBe(false)
      await proxy.again()
    },
  )
})
