import * as Y from 'yjs'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { forgePresence } from './forge.js'
import { connectRaw, type Raw } from './raw.js'
import { until } from './until.js'

const NOTHING = Uint8Array.of(0)

/** What a newcomer finds in a document's text. */
export const textOf = async (ws: string, name = 'doc'): Promise<string> => {
  const reader = await connectRaw(`${ws}/${name}`)
  reader.send({ type: 'syncStep1', stateVector: NOTHING })
  await reader.first('syncStep2')
  const doc = new Y.Doc()
  for (const message of reader.heard) {
    if (message.type === 'update' || message.type === 'syncStep2') Y.applyUpdate(doc, message.update)
  }
  reader.socket.terminate()
  return doc.getText('text').toString()
}

/** A bare connection with a document of its own, which sends on what is edited; with or without presence. */
export const author = async (ws: string, id: number, { present = true, query = '' } = {}) => {
  const raw = await connectRaw(`${ws}/doc${query}`, [SUBPROTOCOL])
  await raw.first('hello')
  const doc = new Y.Doc()
  doc.clientID = id
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'server') raw.send({ type: 'update', update })
  })
  if (present) raw.send({ type: 'awareness', update: forgePresence({ id, clock: 1, json: '{}' }) })
  return { raw, doc, text: doc.getText('text') }
}

/** All that was sent so far has been worked off and is durable. */
export const saved = (raw: Raw, messages: number): Promise<unknown> =>
  until(`${messages} are saved`, () => raw.all('ack').some(({ durable }) => durable >= messages))
