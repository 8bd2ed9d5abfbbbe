import { afterEach, expect, it, vi } from 'vitest'
import WebSocket from 'ws'
import { Doc } from 'yjs'
import { type InkwireOptions, InkwireProvider } from '../../client/index.js'
import { type ReferenceServer, startReferenceServer } from '../support/reference-server.js'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const serve = async (options = {}): Promise<ReferenceServer> => {
  const server = await startReferenceServer(options)
  undo.push(() => server.close())
  return server
}
const client = (url: string, name: string, options: InkwireOptions = {}) => {
  const doc = new Doc()
  const provider = new InkwireProvider(url, name, doc, {
    WebSocketPolyfill: WebSocket,
    maxBackoffTime: 100,
    ...options,
  })
  undo.push(
    () => provider.destroy(),
    () => doc.destroy(),
  )
  return { doc, provider, text: doc.getText('t') }
}

it('two providers edit together', async () => {
  const server = await serve()
  const a = client(server.url, 'notes/tödäy')
  const b = client(server.url, 'notes/tödäy')
  await a.provider.whenSynced
  await b.provider.whenSynced
  a.text.insert(0, 'Hello')
  await vi.waitFor(() => expect(b.text.toString()).toBe('Hello'))
  expect(a.provider.saveState.status).toBe('unknown')
  server.drop()
  a.text.insert(5, ' offline')
  await vi.waitFor(() => expect(b.text.toString()).toBe('Hello offline'))
  await expect(a.provider.whenSaved()).rejects.toMatchObject({ code: 'INKWIRE_NOT_SAVED' })
})
