import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { built, startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const state = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

describe('createServer as a library', () => {
  it('sits inside an HTTP server of the app, which keeps its own pages', async () => {
    const inkwire = built.createServer({ data: await tempDir(), pathPrefix: '/collab', demo: false })
    const http = createHttpServer((request, response) => {
      if (request.url?.startsWith('/readyz')) inkwire.requestHandler(request, response)
      else response.end('the app')
    })
    http.on('upgrade', (request, socket, head) => inkwire.handleUpgrade(request, socket, head))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    onTestFinished(async () => {
      await inkwire.close()
      http.close()
    })
    const { port } = http.address() as AddressInfo
    const events: string[] = []
    inkwire.on('connect', ({ document }) => void events.push(`connect ${document}`))
    inkwire.on('open', ({ document }) => void events.push(`open ${document}`))
    const raw = await connectRaw(`ws://127.0.0.1:${port}/collab/doc`)
    await raw.first('syncStep1')
    raw.send({ type: 'update', update: state('hi') })
    await raw.first('update')
    expect(events).toEqual(['connect doc', 'open doc'])
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('the app')
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
    expect(await inkwire.close()).toEqual({ unsaved: [] })
    expect((await raw.closed).code).toBe(1012)
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('the app')
  })

  it('closed before it listens, it never does', async () => {
    for (const wait of [() => undefined, () => new Promise(setImmediate)]) {
      const data = await tempDir()
      const server = built.createServer({ data, port: 0 })
      const refused = expect(server.listen()).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' })
      await wait()
      expect(await server.close()).toEqual({ unsaved: [] })
      await refused
    }
  })

  it('several in one process share nothing', async () => {
    const [one, two] = [await startServer(), await startServer()]
    await one.server.documents.merge('doc', state('one'))
    const raw = await connectRaw(`${two.ws}/doc`)
    raw.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    const { update } = await raw.first('syncStep2')
    expect(Buffer.from(update).includes('one')).toBe(false)
    await one.server.close()
    await two.server.documents.merge('doc', state('two'))
    await raw.first('update')
  })

  it('a data folder that is in use, a port that is taken and a bad option are clear errors', async () => {
    const running = await startServer()
    const port = Number(new URL(running.url).port)
    const second = built.createServer({ data: running.data, port: 0 })
    await expect(second.listen()).rejects.toMatchObject({ code: 'INKWIRE_STORE_LOCKED' })
    const third = built.createServer({ data: await tempDir(), port })
    await expect(third.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(() => built.createServer({ port: 99_999 })).toThrowError(
      expect.objectContaining({ code: 'INKWIRE_BAD_OPTION' }),
    )
    await Promise.all([second.close(), third.close()])
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200)
  })

  it('listeners are undone by what `on` returns; close is idempotent', async () => {
    const { server, ws } = await startServer()
    let heard = 0
    const off = server.on('connect', () => heard++)
    await connectRaw(`${ws}/doc`)
    off()
    await connectRaw(`${ws}/doc`)
    expect(heard).toBe(1)
    const [first, second] = await Promise.all([server.close(), server.close()])
    expect(first).toBe(second)
  })

  it('a document that nobody has open leaves memory', async () => {
    const { ws, server, url } = await startServer()
    const gone = new Promise<string>((resolve) => server.on('unload', ({ document }) => resolve(document)))
    const raw = await connectRaw(`${ws}/doc`)
    await raw.first('syncStep1')
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^inkwire_rooms 1$/m)
    raw.socket.close()
    expect(await gone).toBe('doc')
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^inkwire_rooms 0$/m)
  })
})

/** A WebSocket client that opens and then never answers anything. */
const mute = async (url: string): Promise<Socket> => {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await new Promise((resolve) => socket.once('data', resolve))
  return socket
}

describe('heartbeat', () => {
  it('cuts a connection that answers nothing, and keeps one that does', async () => {
    const { ws, server } = await startServer({ heartbeatMs: 150 })
    const ended: string[] = []
    server.on('disconnect', ({ document }) => void ended.push(document))
    await mute(`${ws}/mute`)
    const raw = await connectRaw(`${ws}/alive`)
    await until('the mute one is cut', () => ended.includes('mute'))
    expect(raw.socket.readyState).toBe(raw.socket.OPEN)
    expect(ended).toEqual(['mute'])
  })

  it('W6: a client that hears nothing otherwise gets a sign of life', async () => {
    const { ws } = await startServer({ heartbeatMs: 150 })
    const raw = await connectRaw(`${ws}/quiet`)
    expect((await raw.first('awareness')).update).toEqual(Uint8Array.of(0))
  })
})
