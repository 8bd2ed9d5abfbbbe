import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { author, saved, textOf } from '../support/authors.js'
import { openClient } from '../support/clients.js'
import { forge, forgePresence } from '../support/forge.js'
import { metric, startServer } from '../support/inkwire.js'
import { connectRaw, type Raw } from '../support/raw.js'
import { until } from '../support/until.js'

const seen = async (raw: Raw, id: number): Promise<void> => {
  await until(`${id} is present`, () =>
    raw
      .all('awareness')
      .some(({ update }) =>
        Buffer.from(update).includes(Buffer.from(forgePresence({ id, clock: 1, json: '{}' })).subarray(1)),
      ),
  )
}

describe('nobody writes under an id that another connection owns (PROTOCOL S7)', () => {
  const attacks: [what: string, update: (id: number, clock: number) => Uint8Array][] = [
    [
      'a 16-byte GC struct over the next clocks',
      (client, clock) => forge({ client, clock, structs: [{ gc: 1_000_000 }] }),
    ],
    ['text at the next clock', (client, clock) => forge({ client, clock, structs: [{ text: 'forged' }] })],
    [
      'a deletion of what is yet to come',
      (client, clock) => forge({ deletes: [[client, clock, 1_000_000]] }),
    ],
    ['a struct after a gap', (client, clock) => forge({ client, clock: clock + 3, structs: [{ gc: 5 }] })],
  ]
  for (const present of [true, false]) {
    for (const [what, update] of attacks) {
      it(`${what}, under an id known by ${present ? 'presence' : 'its first edit'}`, async () => {
        const { ws } = await startServer({ limits: { foreignEditsMs: 200 } })
        const ada = await author(ws, 1001, { present })
        ada.text.insert(0, 'hello')
        await saved(ada.raw, 1)
        const mallory = await connectRaw(`${ws}/doc`)
        await mallory.first('syncStep1')
        mallory.send({ type: 'update', update: update(1001, 5) })
        expect((await mallory.closed).code).toBe(1013)
        ada.text.insert(5, ' world')
        ada.text.insert(11, '!')
        await saved(ada.raw, 3)
        expect(await textOf(ws)).toBe('hello world!')
      })
    }
  }

  it('one that is known by presence only, before its first edit', async () => {
    const { ws } = await startServer({ limits: { foreignEditsMs: 200 } })
    const ada = await author(ws, 1001)
    const mallory = await connectRaw(`${ws}/doc`)
    await seen(mallory, 1001)
    mallory.send({ type: 'awareness', update: forgePresence({ id: 1001, clock: 9, json: '{"mallory":1}' }) })
    mallory.send({ type: 'update', update: forge({ client: 1001, structs: [{ gc: 2 ** 26 }] }) })
    expect((await mallory.closed).code).toBe(1013)
    ada.text.insert(0, 'hello')
    await saved(ada.raw, 1)
    expect(await textOf(ws)).toBe('hello')
  })

  it('another user may not even when the tabs of the owner may', async () => {
    const { ws } = await startServer({
      limits: { foreignEditsMs: 200 },
      authorize: ({ token }) => ({ user: token ?? '', access: 'write' }),
    })
    const ada = await author(ws, 1001, { query: '?token=ada' })
    const tab = await author(ws, 1002, { query: '?token=ada' })
    const mallory = await author(ws, 1003, { query: '?token=mallory' })
    await seen(tab.raw, 1001)
    await seen(mallory.raw, 1001)
    const update = forge({ client: 1001, structs: [{ text: 'from the other tab' }] })
    mallory.raw.send({ type: 'update', update: forge({ client: 1001, structs: [{ gc: 100 }] }) })
    tab.raw.send({ type: 'update', update })
    await saved(tab.raw, 1)
    // What it wanted to take is taken: it held nothing then that is missing, and goes on.
    expect(await textOf(ws)).toBe('from the other tab')
    Y.applyUpdate(ada.doc, update, 'server')
    ada.text.insert(0, 'and ')
    await saved(ada.raw, 1)
    expect(await textOf(ws)).toBe('and from the other tab')
  })
})

describe('what honest clients do works', () => {
  it('an edit that reaches the server through a peer first waits for its author, and loses nothing', async () => {
    const { ws } = await startServer()
    const [ada, bob] = [await author(ws, 1001), await author(ws, 1002)]
    await seen(bob.raw, 1001)
    const page = new Y.Doc()
    page.clientID = 1001
    page.getText('text').insert(0, 'ada')
    const edit = Y.encodeStateAsUpdate(page)
    // As in a mesh: bob passes it on, and builds upon it.
    bob.raw.send({ type: 'update', update: edit })
    Y.applyUpdate(bob.doc, edit, 'server')
    bob.text.insert(3, ' and bob')
    ada.raw.send({ type: 'update', update: edit })
    await saved(bob.raw, 2)
    await saved(ada.raw, 1)
    expect(bob.raw.socket.readyState).toBe(1)
    expect(await textOf(ws)).toBe('ada and bob')
  })

  it('an edit whose author is gone is taken from whoever has it', async () => {
    const { ws } = await startServer()
    const [ada, bob] = [await author(ws, 1001), await author(ws, 1002)]
    await seen(bob.raw, 1001)
    bob.raw.send({ type: 'update', update: forge({ client: 1001, structs: [{ text: 'last words' }] }) })
    bob.raw.send({ type: 'update', update: forge({ client: 1002, structs: [{ text: 'bob ' }] }) })
    ada.raw.socket.terminate()
    await saved(bob.raw, 2)
    const text = await textOf(ws)
    expect(text).toContain('last words')
    expect(text).toContain('bob ')
  })

  it('an author whose old connection is half open gets through as soon as that is found dead', async () => {
    const { ws } = await startServer({ limits: { foreignEditsMs: 10_000 } })
    const old = await author(ws, 1001)
    old.text.insert(0, 'before')
    await saved(old.raw, 1)
    // No pong, no close: as when a laptop was shut.
    old.raw.socket.pause()
    const again = await author(ws, 1001)
    Y.applyUpdate(again.doc, Y.encodeStateAsUpdate(old.doc), 'server')
    again.text.insert(6, ' and after')
    await saved(again.raw, 1)
    expect(await textOf(ws)).toBe('before and after')
  })

  it('several sessions of one id, one after the other', async () => {
    const { ws } = await startServer()
    const state = new Y.Doc()
    state.clientID = 1001
    for (const word of ['one ', 'two ', 'three ']) {
      const session = await author(ws, 1001)
      Y.applyUpdate(session.doc, Y.encodeStateAsUpdate(state), 'server')
      session.text.insert(session.text.length, word)
      await saved(session.raw, 1)
      Y.applyUpdate(state, Y.encodeStateAsUpdate(session.doc))
      session.raw.socket.close()
      await session.raw.closed
    }
    expect(await textOf(ws)).toBe('one two three ')
  })

  it('a megabyte that was pasted and deleted offline, as a few bytes', async () => {
    const { ws } = await startServer()
    const client = openClient('stock', ws, 'doc', { connect: false })
    client.text.insert(0, 'x'.repeat(1_000_000))
    client.text.delete(0, 1_000_000)
    client.text.insert(0, 'kept')
    expect(Y.encodeStateAsUpdate(client.doc).length).toBeLessThan(100)
    client.connect()
    await until('it arrived', async () => (await textOf(ws)) === 'kept')
  })

  it('another tab, another login: edits made offline under another id', async () => {
    const { ws } = await startServer()
    const before = new Y.Doc()
    before.getText('text').insert(0, 'made offline, '.repeat(50))
    before.getText('text').delete(14, 400)
    const kept = before.getText('text').toString()
    const tab = openClient('stock', ws, 'doc', { connect: false })
    Y.applyUpdate(tab.doc, Y.encodeStateAsUpdate(before))
    tab.connect()
    await until('it arrived', async () => (await textOf(ws)) === kept)
  })

  it('a stored document that loads after the connection is up (as with y-indexeddb)', async () => {
    const { ws } = await startServer()
    const stored = new Y.Doc()
    for (const id of [11, 12, 13]) {
      stored.clientID = id
      stored.getText('text').insert(0, `${id} `)
    }
    const tab = openClient('stock', ws, 'doc')
    await tab.whenSynced()
    Y.applyUpdate(tab.doc, Y.encodeStateAsUpdate(stored), 'a database')
    await until('it arrived', async () => (await textOf(ws)) === '13 12 11 ')
  })

  it('undo and redo, with what is undone collected', async () => {
    const { ws } = await startServer()
    const [writer, reader] = [openClient('stock', ws, 'doc'), openClient('ours', ws, 'doc')]
    await writer.whenSynced()
    const undo = new Y.UndoManager(writer.text, { captureTimeout: 0 })
    for (const word of ['a', 'b', 'c']) writer.text.insert(writer.text.length, word)
    undo.undo()
    undo.undo()
    undo.redo()
    await until('the reader has it', () => reader.text.toString() === 'ab')
    expect(await textOf(ws)).toBe('ab')
  })

  it('documents that the app merges: anybody’s ids, while they are connected', async () => {
    const { ws, server } = await startServer()
    const ada = await author(ws, 1001)
    await server.documents.merge('doc', forge({ client: 1001, structs: [{ text: 'imported' }] }))
    Y.applyUpdate(ada.doc, forge({ client: 1001, structs: [{ text: 'imported' }] }), 'server')
    ada.text.insert(0, 'and ')
    await saved(ada.raw, 1)
    expect(await textOf(ws)).toBe('and imported')
  })
})

describe('clocks that nobody can have reached by editing are refused (PROTOCOL S8)', () => {
  const implausible: [what: string, update: Uint8Array][] = [
    ['a run of 2^40 structs', forge({ client: 5, structs: [{ gc: 2 ** 40 }] })],
    ['a jump over 2^40 clocks', forge({ client: 5, clock: 2 ** 40, structs: [{ gc: 1 }] })],
    ['a jump within an update', forge({ client: 5, structs: [{ gc: 1 }, { skip: 2 ** 40 }, { gc: 1 }] })],
    ['a deletion of 2^40 structs', forge({ deletes: [[5, 0, 2 ** 40]] })],
    [
      'a clock at the end of numbers',
      forge({ client: 5, clock: Number.MAX_SAFE_INTEGER - 2, structs: [{ gc: 1 }] }),
    ],
  ]
  for (const [what, update] of implausible) {
    it(`${what}: 4400`, async () => {
      const { ws } = await startServer()
      const mallory = await connectRaw(`${ws}/doc`)
      mallory.send({ type: 'update', update })
      expect((await mallory.closed).code).toBe(4400)
    })
  }
})

describe('gaps are kept bounded (PROTOCOL S5)', () => {
  it('is asked once for what is missing, however many updates have a gap', async () => {
    const { ws } = await startServer()
    const [raw, reader] = [await connectRaw(`${ws}/doc`), await connectRaw(`${ws}/doc`, [SUBPROTOCOL])]
    await Promise.all([raw.first('syncStep1'), reader.first('syncStep1')])
    for (let i = 0; i < 50; i++)
      raw.send({ type: 'update', update: forge({ client: 9, clock: 10 + 3 * i, structs: [{ gc: 2 }] }) })
    raw.send({ type: 'update', update: forge({ client: 10, structs: [{ gc: 1 }] }) })
    await until('what came last was passed on', () => reader.all('update').length === 1)
    expect(raw.all('syncStep1')).toHaveLength(2)
  })

  it('more than 256 are refused for now, and all of it is taken when the client brings what is missing', async () => {
    const { ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`)
    for (let i = 0; i < 300; i++)
      raw.send({ type: 'update', update: forge({ client: 9, clock: 10 + 3 * i, structs: [{ gc: 2 }] }) })
    expect((await raw.closed).code).toBe(1013)
    const again = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    again.send({ type: 'syncStep2', update: forge({ client: 9, structs: [{ gc: 910 }] }) })
    await saved(again, 1)
    // Nothing is missing any more: there is room again.
    again.send({ type: 'update', update: forge({ client: 10, clock: 5, structs: [{ gc: 1 }] }) })
    await until('it was taken, and asked about', () => again.all('syncStep1').length === 2)
    again.send({ type: 'syncStep2', update: forge({ client: 10, structs: [{ gc: 5 }] }) })
    await saved(again, 3)
  })

  it('deletions of what isn’t there are bounded, in all', async () => {
    const { ws, url } = await startServer()
    for (let round = 0; round < 3; round++) {
      const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
      const deletes = Array.from({ length: 400 }, (_, i) => [7, round * 10_000 + i * 3, 1] as const)
      raw.send({ type: 'update', update: forge({ deletes }) })
      if (round < 2) await saved(raw, 1)
      else expect((await raw.closed).code).toBe(1013)
    }
    expect(await metric({ url }, 'inkwire_rooms')).toBeLessThanOrEqual(1)
  })
})

it('documents of others are not touched by any of it', async () => {
  const { ws } = await startServer({ limits: { foreignEditsMs: 100 } })
  const honest = openClient('ours', ws, 'other')
  honest.text.insert(0, 'safe')
  await honest.whenSynced()
  for (const update of [
    forge({ client: honest.doc.clientID, clock: 4, structs: [{ gc: 1000 }] }),
    forge({ client: 1, structs: [{ gc: 2 ** 45 }] }),
  ]) {
    const mallory = await connectRaw(`${ws}/doc`)
    mallory.send({ type: 'update', update })
    mallory.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    await until(
      'it was looked at',
      () => mallory.all('syncStep2').length > 0 || mallory.socket.readyState > 1,
    )
    mallory.socket.terminate()
  }
  honest.text.insert(4, ' and sound')
  await honest.ours?.whenSaved({ timeout: 5000 })
  expect(await textOf(ws, 'other')).toBe('safe and sound')
})
