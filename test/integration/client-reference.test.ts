import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { SaveState } from '../../client/index.js'
import { createProvider } from '../support/provider.js'
import {
  type ReferenceOptions,
  type ReferenceServer,
  startReferenceServer,
} from '../support/reference-server.js'
import { until } from '../support/until.js'

const serve = async (options: ReferenceOptions = {}): Promise<ReferenceServer> => {
  const server = await startReferenceServer(options)
  onTestFinished(() => server.close())
  return server
}

const stock = (url: string, name: string): { doc: Y.Doc; text: Y.Text; provider: WebsocketProvider } => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(url, name, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  })
  onTestFinished(() => {
    provider.destroy()
    doc.destroy()
  })
  return { doc, text: doc.getText('t'), provider }
}

describe('with a server that knows nothing of Inkwire', () => {
  it('it shares a document with a stock client, both ways, presence included', async () => {
    const server = await serve()
    const ours = createProvider(server.url, 'notes/tödäy')
    const theirs = stock(server.url, 'notes/tödäy')
    await ours.provider.whenSynced
    await until('synced', () => theirs.provider.synced)
    ours.text.insert(0, 'Hello')
    theirs.text.insert(0, 'Oh: ')
    await until('merged', () => ours.text.length === 9 && theirs.text.length === 9)
    expect(ours.text.toString()).toBe(theirs.text.toString())
    ours.provider.awareness.setLocalStateField('name', 'us')
    theirs.provider.awareness.setLocalStateField('name', 'them')
    await until(
      'they see us',
      () => theirs.provider.awareness.getStates().get(ours.doc.clientID)?.name === 'us',
    )
    await until(
      'we see them',
      () => ours.provider.awareness.getStates().get(theirs.doc.clientID)?.name === 'them',
    )
    ours.provider.destroy()
    await until('we are gone', () => !theirs.provider.awareness.getStates().has(ours.doc.clientID))
  })

  it('edits made offline merge, and everybody is present again', async () => {
    const server = await serve()
    const [a, b] = [createProvider(server.url, 'doc'), createProvider(server.url, 'doc')]
    await Promise.all([a.provider.whenSynced, b.provider.whenSynced])
    server.drop()
    await until('both know', () => !a.provider.wsconnected && !b.provider.wsconnected)
    a.text.insert(0, 'a')
    b.text.insert(0, 'b')
    await until('merged', () => a.text.length === 2 && b.text.length === 2)
    expect(a.text.toString()).toBe(b.text.toString())
    await until('seen', () => a.provider.awareness.getStates().has(b.doc.clientID))
    await until('seen', () => b.provider.awareness.getStates().has(a.doc.clientID))
  })

  it('nothing is said to be saved, and whenSaved says why', async () => {
    const server = await serve()
    const { provider, text } = createProvider(server.url, 'doc')
    const states: SaveState[] = []
    provider.on('save', (state) => {
      states.push(state)
    })
    text.insert(0, 'a')
    await provider.whenSynced
    text.insert(0, 'b')
    await until('it has it', () => server.doc('doc').getText('t').toString() === 'ba')
    expect(provider.saveState).toMatchObject({ status: 'unknown', supported: false, pending: 2, durable: 0 })
    await expect(provider.whenSaved()).rejects.toMatchObject({ code: 'INKWIRE_NOT_SAVED' })
    server.drop()
    await until('offline', () => provider.saveState.status === 'device')
    expect(states.every(({ status }) => status !== 'saved')).toBe(true)
  })

  it('rooms are the ones that stock clients use, parameters ride along', async () => {
    const server = await serve()
    for (const name of ['a/b', 'room:1@x', 'grüße', 'x[1]|y', 'with space']) {
      const { provider, text } = createProvider(server.url, name, { params: { token: 'a b' } })
      await provider.whenSynced
      text.insert(0, name)
      const theirs = stock(server.url, name)
      await until(`${name} is the same room`, () => theirs.text.toString() === name)
    }
    expect(server.requests).toContain('a/b?token=a%20b')
  })
})

describe('with a server that refuses whoever offers a subprotocol', () => {
  it('it connects without the offer, again and again', async () => {
    const server = await serve({ subprotocols: 'refuse' })
    const { provider, text } = createProvider(server.url, 'doc')
    await provider.whenSynced
    server.drop()
    await until('offline', () => !provider.synced)
    text.insert(0, 'a')
    await provider.whenSynced
    await until('it has it', () => server.doc('doc').getText('t').toString() === 'a')
    expect(provider.saveState.supported).toBe(false)
  })
})

it('with no server at first, it keeps trying until there is one', async () => {
  const first = await startReferenceServer()
  const port = Number(new URL(first.url).port)
  await first.close()
  const { provider, text } = createProvider(first.url, 'doc')
  let errors = 0
  provider.on('connection-error', () => {
    errors++
  })
  text.insert(0, 'patient')
  await until('it has tried', () => errors >= 3)
  const server = await serve({ port })
  await provider.whenSynced
  await until('it has it', () => server.doc('doc').getText('t').toString() === 'patient')
})
