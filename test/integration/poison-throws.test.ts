import * as encoding from 'lib0/encoding'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { author, saved, textOf } from '../support/authors.js'
import { openClient } from '../support/clients.js'
import { forge } from '../support/forge.js'
import { startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

/** Maps, each in the one before, so many. */
const nested = (client: number, depth: number): Uint8Array =>
  encoding.encode((encoder) => {
    for (const number of [1, depth, client, 0]) encoding.writeVarUint(encoder, number)
    for (let i = 0; i < depth; i++) {
      // A type with a key: in the root type `map`, or in the item before.
      encoding.writeUint8(encoder, 7 | 32)
      encoding.writeVarUint(encoder, i === 0 ? 1 : 0)
      if (i === 0) encoding.writeVarString(encoder, 'map')
      else for (const number of [client, i - 1]) encoding.writeVarUint(encoder, number)
      encoding.writeVarString(encoder, 'k')
      encoding.writeVarUint(encoder, 1)
    }
    encoding.writeVarUint(encoder, 0)
  })

describe('clocks that somebody uses for two things, which makes Yjs throw, are taken once (PROTOCOL S3)', () => {
  const twice: [what: string, first: Uint8Array, second: Uint8Array][] = [
    [
      'the first of them are held',
      forge({ client: 7, structs: [{ gc: 3 }] }),
      forge({ client: 7, structs: [{ text: 'abcdef' }] }),
    ],
    [
      'the last of them are held, behind a gap',
      forge({ client: 7, clock: 3, structs: [{ text: 'defgh' }] }),
      forge({ client: 7, structs: [{ gc: 5 }] }),
    ],
  ]
  for (const [what, first, second] of twice) {
    it(`${what}: who reads gets all, and what comes later`, async () => {
      const { ws } = await startServer()
      const reader = await connectRaw(`${ws}/doc`)
      const mallory = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
      mallory.send({ type: 'syncStep2', update: first })
      mallory.send({ type: 'syncStep2', update: second })
      await saved(mallory, 2)
      const ada = await author(ws, 1001)
      ada.text.insert(0, 'here')
      await saved(ada.raw, 1)
      await until('all was passed on', () => reader.all('update').length === 3)
      const doc = new Y.Doc()
      for (const { update } of reader.all('update')) Y.applyUpdate(doc, update)
      expect(doc.getText('text').toString()).toBe(await textOf(ws))
      expect(doc.getText('text').toString()).toContain('here')
    })
  }
})

it('a document at which Yjs throws stays alone with that, and goes back to before', async () => {
  const { ws, server } = await startServer()
  const ada = await author(ws, 1001)
  ada.text.insert(0, 'before')
  await saved(ada.raw, 1)
  const before = new Date(Date.now() + 1)
  await until('a moment has passed', () => Date.now() > before.getTime())
  const mallory = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
  mallory.send({ type: 'update', update: nested(7, 20_000) })
  mallory.send({ type: 'update', update: forge({ deletes: [[7, 0, 1]] }) })
  await saved(mallory, 2)
  await expect(textOf(ws)).rejects.toThrow(RangeError)
  const other = openClient('ours', ws, 'other')
  other.text.insert(0, 'safe')
  await other.ours?.whenSaved({ timeout: 5000 })
  await server.documents.rollback('doc', before)
  expect(await textOf(ws)).toBe('before')
})
