import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { startServer } from '../support/inkwire.js'
import { until } from '../support/until.js'

/** The unmodified provider of y-websocket, destroyed after the test. */
const stock = (
  ws: string,
  name: string,
  options: Partial<ConstructorParameters<typeof WebsocketProvider>[3]> = {},
): { doc: Y.Doc; text: Y.Text; provider: WebsocketProvider } => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(ws, name, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
    ...options,
  })
  onTestFinished(() => {
    provider.destroy()
    doc.destroy()
  })
  return { doc, text: doc.getText('t'), provider }
}

const synced = (provider: WebsocketProvider): Promise<unknown> => until('synced', () => provider.synced)

describe('y-websocket 3.1 clients, unmodified', () => {
  it('share text both ways, and a newcomer gets it all', async () => {
    const { ws } = await startServer()
    const [a, b] = [stock(ws, 'doc'), stock(ws, 'doc')]
    await Promise.all([synced(a.provider), synced(b.provider)])
    a.text.insert(0, 'hello ')
    await until('b has it', () => b.text.toString() === 'hello ')
    b.text.insert(6, 'world')
    await until('a has it', () => a.text.toString() === 'hello world')
    const late = stock(ws, 'doc')
    await synced(late.provider)
    expect(late.text.toString()).toBe('hello world')
  })

  it('documents survive a restart of the server', async () => {
    const first = await startServer()
    const a = stock(first.ws, 'doc')
    a.text.insert(0, 'kept')
    await synced(a.provider)
    await until('stored', async () => (await first.server.documents.stats('doc')) !== null)
    a.provider.destroy()
    expect(await first.server.close()).toEqual({ unsaved: [] })
    const second = await startServer({ data: first.data })
    const b = stock(second.ws, 'doc')
    await synced(b.provider)
    expect(b.text.toString()).toBe('kept')
  })

  it('names may hold slashes, dots, spaces and any Unicode; params are not part of them', async () => {
    const { ws, server } = await startServer()
    const opened: string[] = []
    server.on('open', ({ document }) => void opened.push(document))
    for (const name of ['a/b/c', 'café 😀', '__proto__', 'x.y']) {
      const a = stock(ws, name, { params: { token: 'p/q?r', x: '1' } })
      await synced(a.provider)
      a.text.insert(0, name)
      const b = stock(ws, name)
      await until('b has it', () => b.text.toString() === name)
    }
    expect(opened.sort()).toEqual(['__proto__', 'a/b/c', 'café 😀', 'x.y'].sort())
  })

  it('a path prefix is taken off, and other paths are closed for good with 4404', async () => {
    const { ws } = await startServer({ pathPrefix: '/collab/v1' })
    const a = stock(`${ws}/collab/v1`, 'doc')
    await synced(a.provider)
    const wrong = stock(`${ws}/other`, 'doc')
    const closed = new Promise<number>((resolve) => {
      wrong.provider.on('closed', ({ code }: { code: number }) => resolve(code))
    })
    expect(await closed).toBe(4404)
    expect(wrong.provider.shouldConnect).toBe(false)
  })

  it('see each other come and go', async () => {
    const { ws } = await startServer()
    const [a, b] = [stock(ws, 'doc'), stock(ws, 'doc')]
    await Promise.all([synced(a.provider), synced(b.provider)])
    a.provider.awareness.setLocalStateField('user', { name: 'Ada' })
    const seen = () => b.provider.awareness.getStates().get(a.doc.clientID)
    await until('b sees Ada', () => seen()?.user?.name === 'Ada')
    const c = stock(ws, 'doc')
    await until(
      'c sees Ada at once',
      () => c.provider.awareness.getStates().get(a.doc.clientID)?.user?.name === 'Ada',
    )
    a.provider.ws?.close()
    a.provider.shouldConnect = false
    await until('b sees Ada gone', () => !seen(), 1000)
  })

  it('query awareness is answered (PROTOCOL W6)', async () => {
    const { ws } = await startServer()
    const a = stock(ws, 'doc')
    await synced(a.provider)
    a.provider.awareness.setLocalStateField('user', { name: 'Ada' })
    const socket = new WebSocket(`${ws}/doc`)
    const got: string[] = []
    socket.on('message', (data: Buffer) => void got.push(data.toString('latin1')))
    await until('open', () => socket.readyState === WebSocket.OPEN)
    await until('greeted', () => got.length > 0)
    await until('asked and answered', () => {
      socket.send(Uint8Array.of(3))
      return got.some((each) => each.startsWith('\x01') && each.includes('Ada'))
    })
    socket.close()
  })

  it('edits made offline merge on reconnect', async () => {
    const first = await startServer()
    const port = Number(new URL(first.url).port)
    const [a, b] = [stock(first.ws, 'doc'), stock(first.ws, 'doc')]
    a.text.insert(0, 'base')
    await until('b has it', () => b.text.toString() === 'base')
    await first.server.close()
    a.text.insert(0, 'A')
    b.text.insert(4, 'B')
    await startServer({ data: first.data, port })
    await until('merged', () => a.text.toString() === 'AbaseB' && b.text.toString() === 'AbaseB')
  })

  it('an offered subprotocol we do not know is accepted, as y-websocket servers do', async () => {
    const { ws } = await startServer()
    const a = stock(ws, 'doc', { protocols: ['something', 'else'] })
    await synced(a.provider)
    expect(a.provider.ws?.protocol).toBe('something')
  })

  it('S2: reconnecting with nothing new costs no broadcast and no byte on disk', async () => {
    const { ws, server } = await startServer()
    const [a, b] = [stock(ws, 'doc'), stock(ws, 'doc')]
    a.text.insert(0, 'some text')
    a.text.delete(2, 3)
    await until('b has it', () => b.text.length === 6)
    let updates = 0
    b.doc.on('update', () => updates++)
    for (let i = 0; i < 3; i++) {
      a.provider.disconnect()
      a.provider.connect()
      await until('again', () => a.provider.synced)
    }
    b.text.insert(0, 'x') // anything sent before has arrived once this has come and gone
    await until('a has it', () => a.text.length === 7)
    expect(updates).toBe(1)
    expect(await server.close()).toEqual({ unsaved: [] })
  })

  it('S4: an update comes back to its author once it is durable, and not before others have it', async () => {
    const { ws } = await startServer()
    const { doc, provider } = stock(ws, 'doc')
    await synced(provider)
    const echoes: Uint8Array[] = []
    provider.ws?.addEventListener('message', ({ data }) => {
      const bytes = new Uint8Array(data as ArrayBuffer)
      if (bytes[0] === 0 && bytes[1] === 2) echoes.push(bytes.slice(3))
    })
    let own: Uint8Array | null = null
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== provider) own = update
    })
    doc.getText('t').insert(0, 'x')
    await until('echoed', () => echoes.length > 0)
    expect(Buffer.from(echoes[0] ?? []).equals(Buffer.from(own ?? []))).toBe(true)
  })
})
