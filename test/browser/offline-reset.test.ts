import { expect, it } from 'vitest'
import { Doc, encodeStateAsUpdate } from 'yjs'
import { startFlakyServer, useOffline } from '../support/offline.js'
import { until } from '../support/until.js'

const { tab, profile } = useOffline()

it('a document that was given up is replaced on the device, too, once the app has what is dropped', async () => {
  const server = await startFlakyServer()
  const context = await profile()
  const first = await tab(context)
  await first.join(server.ws, 'notes', { recover: 'reset' })
  await first.type('old history')
  await first.saved()
  await first.page.evaluate(() => {
    provider.disconnect()
    provider.on('reset', ({ provider: next, doc }) =>
      Object.assign(window, { provider: next, doc, text: doc.getText('t') }),
    )
  })
  await server.server.documents.delete('notes')
  const replacement = new Doc()
  replacement.getText('t').insert(0, 'new history')
  await server.server.documents.merge('notes', encodeStateAsUpdate(replacement))

  await first.page.evaluate(() => provider.connect())
  await until('the new document is on the device', async () => {
    const { text, device, generation } = await first.state()
    return text === 'new history' && device === 'stored' && generation !== null
  })
  await first.settled()
  await first.type(', more')
  await first.saved()
  await first.settled()
  await first.close()
  await server.stop()
  const second = await tab(context)
  expect(await second.join(server.ws, 'notes')).toMatchObject({ text: 'new history, more', pending: 0 })
})
