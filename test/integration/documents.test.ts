import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

const NOTHING = Uint8Array.of(0)

const stateOf = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const textOf = (update: Uint8Array): string => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

/** Names of the files below a folder that hold a text. */
const filesWith = async (folder: string, text: string): Promise<string[]> => {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    // One that LevelDB has just removed holds nothing any more.
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.of())
    if (bytes.includes(text)) found.push(entry.name)
  }
  return found
}

describe('server.documents', () => {
  it('merge: what the app brings is durable, and seen by whoever has the document open', async () => {
    const { server, ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`)
    await raw.first('syncStep1')
    const state = stateOf('from the app')
    expect(await server.documents.merge('doc', state)).toBe(true)
    expect(textOf((await raw.first('update')).update)).toBe('from the app')
    expect(await server.documents.merge('doc', state)).toBe(false)
    expect(textOf(await server.documents.read('doc'))).toBe('from the app')
  })

  it('merge refuses what is no update', async () => {
    const { server } = await startServer()
    await expect(server.documents.merge('doc', Uint8Array.of(9, 9))).rejects.toMatchObject({
      code: 'INKWIRE_BAD_UPDATE',
    })
    await expect(server.documents.read('doc')).rejects.toMatchObject({ code: 'INKWIRE_NO_DOCUMENT' })
  })

  it('list and stats', async () => {
    const { server } = await startServer()
    for (const name of ['b', 'a/ä', '__proto__']) await server.documents.merge(name, stateOf(name))
    const names: string[] = []
    for await (const { name } of server.documents.list()) names.push(name)
    expect(names).toEqual(['__proto__', 'a/ä', 'b'])
    expect(await server.documents.stats('b')).toMatchObject({ name: 'b', seq: 1, tailUpdates: 1 })
    expect(await server.documents.stats('nobody')).toBeNull()
  })

  it('delete closes the clients with 4404, leaves no byte, and the name starts anew under another generation', async () => {
    const { server, ws, data } = await startServer()
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    raw.send({ type: 'update', update: stateOf('deleted-marker') })
    await until('durable', () => raw.all('ack').some(({ durable }) => durable === 1))
    const before = (await raw.first('hello')).generation
    expect(await server.documents.delete('doc')).toBe(true)
    expect((await raw.closed).code).toBe(4404)
    expect(await server.documents.delete('doc')).toBe(false)
    const again = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    expect((await again.first('hello')).generation).not.toBe(before)
    again.send({ type: 'syncStep1', stateVector: NOTHING })
    expect(textOf((await again.first('syncStep2')).update)).toBe('')
    // LevelDB rewrites its files behind the scenes.
    await until('every byte is gone', async () => (await filesWith(data, 'deleted-marker')).length === 0)
    await server.close()
    expect(await filesWith(data, 'deleted-marker')).toEqual([])
  })

  it('replace closes the clients with 4409, and old history does not come back', async () => {
    const { server, ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    raw.send({ type: 'update', update: stateOf('old') })
    await until('durable', () => raw.all('ack').some(({ durable }) => durable === 1))
    const { generation } = await raw.first('hello')
    const summary = await server.documents.replace('doc', stateOf('new'))
    expect(summary.generation).not.toBe(generation)
    expect((await raw.closed).code).toBe(4409)
    const back = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    back.send({ type: 'join', generation, seq: 0 })
    expect((await back.closed).code).toBe(4409)
    expect(textOf(await server.documents.read('doc'))).toBe('new')
  })

  it('whoever asks for a document that is being replaced waits for it', async () => {
    const { server, ws } = await startServer()
    await server.documents.merge('doc', stateOf('old'))
    const replaced = Promise.all([
      server.documents.replace('doc', stateOf('one')),
      server.documents.replace('doc', stateOf('two')),
    ])
    const raw = await connectRaw(`${ws}/doc`)
    raw.send({ type: 'syncStep1', stateVector: NOTHING })
    await replaced
    expect(['one', 'two']).toContain(textOf((await raw.first('syncStep2')).update))
    expect(textOf(await server.documents.read('doc'))).toBe('two')
  })
})
