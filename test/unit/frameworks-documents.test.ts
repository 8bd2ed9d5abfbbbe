import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { Documents } from '../../client/frameworks/documents.js'
import { type ScriptedServer, startScriptedServer } from '../support/scripted-server.js'
import { until } from '../support/until.js'

const OPTIONS = { WebSocketPolyfill: WebSocket, maxBackoffTime: 50 }
const NAME = 'notes'

const scene = async ({
  lingerMs = 50,
  unclaimedMs = 10_000,
} = {}): Promise<{
  server: ScriptedServer
  documents: Documents
  open: () => ReturnType<Documents['open']>
}> => {
  const server = await startScriptedServer()
  const documents = new Documents({ lingerMs, unclaimedMs })
  onTestFinished(async () => {
    documents.get(server.url, NAME)?.state.doc.destroy()
    await server.close()
  })
  return { server, documents, open: () => documents.open(server.url, NAME, OPTIONS) }
}

const nothing = (): void => {}

describe('a document that components use', () => {
  it('is one provider and one socket, however many use it', async () => {
    const { server, open } = await scene()
    const first = open()
    expect(open()).toBe(first)
    first.use(nothing)
    open().use(nothing)
    await until('it is synced', () => first.state.synced)
    expect(server.connections()).toBe(1)
  })

  it('tells its state by new objects, only when something changed', async () => {
    const { open } = await scene()
    const opened = open()
    const seen = [opened.state]
    const stop = opened.use(() => seen.push(opened.state))
    await opened.settled
    const told = seen.map(({ status, synced, access }) => `${status} ${synced} ${access}`)
    expect(told).toEqual([...new Set(told)])
    expect(seen.at(-1)).toMatchObject({ status: 'connected', synced: true, access: 'write', closed: null })
    const { length } = seen
    opened.state.doc.getText('t').insert(0, 'x')
    await opened.state.provider.whenSaved()
    expect(seen.length).toBe(length)
    stop()
    stop()
  })

  it('stays when all its users go and one comes back at once', async () => {
    const { server, documents, open } = await scene({ lingerMs: 30 })
    const opened = open()
    opened.use(nothing)()
    opened.use(nothing)
    documents.open(server.url, 'another', OPTIONS).use(nothing)()
    await until('one that nobody came back to is gone', () => !documents.get(server.url, 'another'))
    expect(open()).toBe(opened)
    await until('it is synced', () => opened.state.synced)
    expect(documents.get(server.url, NAME)).toBe(opened)
  })

  it('ends some time after the last user has gone', async () => {
    const { server, documents, open } = await scene()
    const opened = open()
    const stop = opened.use(nothing)
    await opened.settled
    stop()
    await until('it is gone', () => documents.get(server.url, NAME) === undefined)
    expect(opened.state.provider.shouldConnect).toBe(false)
    const again = open()
    expect(again).not.toBe(opened)
  })

  it('ends if nobody comes', async () => {
    const { server, documents, open } = await scene({ unclaimedMs: 20 })
    open()
    await until('it is gone', () => documents.get(server.url, NAME) === undefined)
  })

  it('outlives its users until what they wrote is saved, but is not shown as present', async () => {
    const { server, documents, open } = await scene({ lingerMs: 1 })
    server.script.acks = false
    const opened = open()
    const stop = opened.use(nothing)
    await opened.settled
    const { provider, doc } = opened.state
    provider.awareness.setLocalStateField('user', { name: 'Ada' })
    doc.getText('t').insert(0, 'last words')
    stop()
    await until('it hides', () => provider.awareness.getLocalState() === null)
    expect(documents.get(server.url, NAME)).toBe(opened)
    server.script.acks = true
    server.closeAll(1012)
    await until('it is gone', () => documents.get(server.url, NAME) === undefined)
    expect(server.disk.getText('t').toString()).toBe('last words')
  })

  it('comes back with its edits when it is used again meanwhile', async () => {
    const { server, open } = await scene({ lingerMs: 1 })
    server.script.acks = false
    const opened = open()
    const stop = opened.use(nothing)
    await opened.settled
    const { provider, doc } = opened.state
    provider.awareness.setLocalState({ user: { name: 'Ada' }, cursor: 5 })
    doc.getText('t').insert(0, 'draft')
    stop()
    await until('it hides', () => provider.awareness.getLocalState() === null)
    expect(open()).toBe(opened)
    open().use(nothing)
    expect(provider.awareness.getLocalState()).toEqual({ user: { name: 'Ada' } })
    server.script.acks = true
    server.closeAll(1012)
    await provider.whenSaved()
    expect(open().state.doc.getText('t').toString()).toBe('draft')
  })

  it('that the server refuses says so, and ends all the same', async () => {
    const { server, documents, open } = await scene()
    const opened = open()
    const stop = opened.use(nothing)
    await until('it is synced', () => opened.state.synced)
    opened.state.doc.getText('t').insert(0, 'x')
    server.closeAll(4403, 'not you')
    await until('it is closed', () => opened.state.closed !== null)
    expect(opened.state.closed).toMatchObject({ code: 4403 })
    stop()
    await until('it is gone', () => documents.get(server.url, NAME) === undefined)
  })

  it('that is refused at once keeps nobody waiting', async () => {
    const { server, open } = await scene()
    server.script.cutAt = () => {
      server.closeAll(4404, 'no such document')
      return false
    }
    const opened = open()
    opened.use(nothing)
    await opened.settled
    expect(opened.state).toMatchObject({ synced: false, closed: { code: 4404 } })
  })

  it('gives way to the new one when the provider begins anew', async () => {
    const { server, documents } = await scene()
    const opened = documents.open(server.url, NAME, { ...OPTIONS, recover: 'reset' })
    const seen: unknown[] = []
    const stop = opened.use(() => seen.push(opened.state.doc))
    await opened.settled
    const { doc, provider } = opened.state
    provider.awareness.setLocalStateField('user', { name: 'Ada' })
    server.script.rejectWith = 4413
    doc.getText('t').insert(0, 'too much')
    await until('there is a new document', () => opened.state.doc !== doc)
    expect(opened.state).toMatchObject({ synced: true, status: 'connected', closed: null })
    expect(opened.state.provider.doc).toBe(opened.state.doc)
    expect(opened.state.provider.awareness.getLocalState()).toEqual({ user: { name: 'Ada' } })
    expect(seen).toContain(opened.state.doc)

    server.script.rejectWith = null
    opened.state.doc.getText('t').insert(0, 'less')
    await opened.state.provider.whenSaved()
    doc.destroy()
    expect(documents.get(server.url, NAME)).toBe(opened)
    stop()
    await until('it is gone', () => documents.get(server.url, NAME) === undefined)
  })

  it('that its app has destroyed is opened anew', async () => {
    const { open } = await scene()
    const opened = open()
    opened.state.doc.destroy()
    expect(open()).not.toBe(opened)
  })
})
