import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Closed, SaveState } from '../../client/index.js'
import { startServer } from '../support/inkwire.js'
import { createProvider, nextEvent } from '../support/provider.js'
import { until } from '../support/until.js'

describe('our client and our server', () => {
  it('share text and presence, and an edit that is said to be saved outlives the server', async () => {
    const first = await startServer()
    const [a, b] = [createProvider(first.ws, 'notes/tödäy'), createProvider(first.ws, 'notes/tödäy')]
    const states: SaveState['status'][] = []
    await Promise.all([a.provider.whenSaved(), b.provider.whenSynced])
    a.provider.on('save', ({ status }) => {
      states.push(status)
    })
    a.provider.awareness.setLocalStateField('name', 'A')
    await until('b sees a', () => b.provider.awareness.getStates().get(a.doc.clientID)?.name === 'A')
    a.text.insert(0, 'kept')
    await a.provider.whenSaved({ timeout: 10_000 })
    expect(states.at(0)).toBe('device')
    expect(states.at(-1)).toBe('saved')
    await until('b has it', () => b.text.toString() === 'kept')
    expect(a.provider).toMatchObject({ access: 'write', saveState: { durability: 'fsync', durable: 1 } })
    await until('b knows the generation', () => b.provider.generation !== null)
    expect(b.provider.generation).toBe(a.provider.generation)
    await first.server.close()

    await until('a knows', () => !a.provider.wsconnected)
    expect(a.provider.saveState.status).toBe('saved')
    a.text.insert(4, ' and more')
    expect(a.provider.saveState).toMatchObject({ status: 'device', pending: 1 })
    const port = Number(new URL(first.url).port)
    await startServer({ data: first.data, port })
    await a.provider.whenSaved({ timeout: 10_000 })
    await until('b has it', () => b.text.toString() === 'kept and more')
    expect(a.provider.saveState).toMatchObject({ status: 'saved', durable: 2 })
  })

  it('W2: every name arrives as it is', async () => {
    const { ws, server } = await startServer()
    const names = [
      'a/b',
      'why?',
      'a#b',
      '100%',
      'a%2Fb',
      'a b',
      'back\\slash',
      'café 😀',
      '__proto__',
      'a/../b',
      './x/..',
    ]
    const opened: string[] = []
    server.on('open', ({ document }) => {
      opened.push(document)
    })
    for (const name of names) await createProvider(ws, name, { params: { x: 'y' } }).provider.whenSynced
    expect(opened.sort()).toEqual([...names].sort())
  })

  it('looking at an empty document binds no generation, however often', async () => {
    const { ws } = await startServer()
    const { provider, text } = createProvider(ws, 'doc')
    for (let i = 0; i < 3; i++) {
      await provider.whenSaved({ timeout: 10_000 })
      expect(provider.generation).toBe(null)
      provider.disconnect()
      provider.connect()
    }
    text.insert(0, 'a')
    await provider.whenSaved({ timeout: 10_000 })
    expect(provider.generation).toMatch(/^[0-9a-f]{32}$/)
  })

  it('a document larger than one message may be is refused here and told, and small edits go on', async () => {
    const { ws } = await startServer({ maxMessageBytes: 10_000 })
    const { provider, doc } = createProvider(ws, 'doc')
    await provider.whenSaved({ timeout: 10_000 })
    const rejected = nextEvent<{ code: number }>((resolve) => provider.once('rejected', resolve))
    doc.getMap('m').set('large', 'x'.repeat(20_000))
    expect(await rejected).toMatchObject({ code: 1009, edits: 1 })
    expect(provider.synced).toBe(true)
    expect(provider.saveState.status).toBe('rejected')
  })

  it('X2, X3: a document that was deleted or replaced meanwhile stops the client with 4409, and nothing is merged', async () => {
    const { ws, server } = await startServer()
    for (const change of ['delete', 'replace'] as const) {
      const { provider, text } = createProvider(ws, change)
      text.insert(0, 'old')
      await provider.whenSaved({ timeout: 10_000 })
      provider.disconnect()
      text.insert(0, 'never merged ')
      if (change === 'delete') await until('deleted', () => server.documents.delete(change))
      else await server.documents.replace(change, Y.encodeStateAsUpdate(new Y.Doc()))
      const closed = nextEvent<Closed>((resolve) => provider.once('closed', resolve))
      provider.connect()
      expect(await closed).toMatchObject({ code: 4409 })
      await expect(provider.whenSaved()).rejects.toMatchObject({ code: 'INKWIRE_NOT_SAVED' })
      expect(provider.saveState).toMatchObject({ status: 'device', pending: 1 })
      const newcomer = createProvider(ws, change)
      await newcomer.provider.whenSynced
      expect(newcomer.text.toString()).toBe('')
    }
  })

  it('C2: a client whose document is deleted under it stops', async () => {
    const { ws, server } = await startServer()
    const { provider, text } = createProvider(ws, 'doc')
    text.insert(0, 'a')
    await provider.whenSaved({ timeout: 10_000 })
    const closed = nextEvent<Closed>((resolve) => provider.once('closed', resolve))
    await server.documents.delete('doc')
    expect(await closed).toMatchObject({ code: 4404 })
    expect(provider.shouldConnect).toBe(false)
  })

  it('A4: a reader knows that it is one, and what it writes is rejected, never saved', async () => {
    const { ws } = await startServer({
      authorize: ({ token }) => ({ user: 'u', access: token === 'writer' ? 'write' : 'read' }),
    })
    const writer = createProvider(ws, 'doc', { params: { token: 'writer' } })
    writer.text.insert(0, 'text')
    await writer.provider.whenSaved({ timeout: 10_000 })
    const { provider, text } = createProvider(ws, 'doc', { params: { token: 'reader' } })
    await provider.whenSynced
    expect(provider.access).toBe('read')
    await provider.whenSaved({ timeout: 10_000 })
    expect(text.toString()).toBe('text')
    const rejected = nextEvent<{ code: number }>((resolve) => provider.once('rejected', resolve))
    text.insert(0, 'x')
    expect(await rejected).toMatchObject({ code: 4403, edits: 1, retried: false })
    expect(provider.saveState).toMatchObject({ status: 'rejected', rejected: 1 })
    writer.text.insert(4, '!')
    await until('it still hears others', () => text.toString() === 'xtext!')
    expect(writer.text.toString()).toBe('text!')
  })
})
