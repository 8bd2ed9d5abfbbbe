import { expect, it } from 'vitest'
import { openClient } from '../support/clients.js'
import { forge } from '../support/forge.js'
import { startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

const GAP = forge({ client: 9, clock: 5, structs: [{ text: 'behind a gap' }] })

it('S5: who heard of an edit that nobody can see is told, when it comes back, that its own edits are safe', async () => {
  const { ws } = await startServer()
  const raw = await connectRaw(`${ws}/doc`)
  await raw.first('syncStep1')
  raw.send({ type: 'syncStep2', update: GAP })
  raw.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
  await raw.first('syncStep2')
  const ada = openClient('ours', ws, 'doc')
  await ada.whenSynced()
  await until('it holds that aside', () => ada.doc.store.pendingStructs !== null)
  for (const word of ['one ', 'two ']) {
    ada.text.insert(ada.text.length, word)
    await ada.ours?.whenSaved({ timeout: 5000 })
    ada.disconnect()
    ada.connect()
  }
  await ada.ours?.whenSaved({ timeout: 5000 })
})

it('S5: a server that stops keeps what waits for something missing', async () => {
  const { ws, server } = await startServer()
  const [raw, reader] = [await connectRaw(`${ws}/doc`), await connectRaw(`${ws}/doc`)]
  reader.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
  await Promise.all([raw.first('syncStep1'), reader.first('syncStep2')])
  raw.send({ type: 'update', update: GAP })
  await until('it was asked for the rest', () => raw.all('syncStep1').length === 2)
  expect(await server.close()).toEqual({ unsaved: [] })
  expect((await reader.closed).code).toBe(1012)
  expect(reader.all('update')).toHaveLength(1)
})
