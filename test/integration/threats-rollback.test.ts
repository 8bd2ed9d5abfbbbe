import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { forge } from '../support/forge.js'
import { startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

const textOf = (update: Uint8Array): string => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

/** A moment that is later than all before and earlier than all after. */
const moment = async (): Promise<Date> => {
  const start = Date.now()
  await until('a millisecond has passed', () => Date.now() > start + 1)
  const now = new Date()
  await until('another has', () => Date.now() > now.getTime() + 1)
  return now
}

describe('when something got through all the same', () => {
  it('a rollback puts one document back to before a moment; others are not touched', async () => {
    const { ws, server } = await startServer({ roomLingerMs: 1000 })
    const [raw, other] = [
      await connectRaw(`${ws}/doc`, [SUBPROTOCOL]),
      await connectRaw(`${ws}/other`, [SUBPROTOCOL]),
    ]
    for (const each of [raw, other]) {
      each.send({ type: 'update', update: forge({ client: 1, structs: [{ text: 'good' }] }) })
      await until('saved', () => each.all('ack').at(-1)?.durable === 1)
    }
    const before = await moment()
    raw.send({ type: 'update', update: forge({ deletes: [[1, 0, 4]] }) })
    raw.send({ type: 'update', update: forge({ client: 2, structs: [{ text: 'vandalised' }] }) })
    await until('spoiled', () => raw.all('ack').at(-1)?.durable === 3)
    expect(textOf(await server.documents.read('doc'))).toBe('vandalised')
    await server.documents.rollback('doc', before)
    expect((await raw.closed).code).toBe(4409)
    expect(textOf(await server.documents.read('doc'))).toBe('good')
    // Who comes back with the old history is not let in with it.
    const again = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const [{ generation }] = [await raw.first('hello')]
    again.send({ type: 'join', generation, seq: 0 })
    expect((await again.closed).code).toBe(4409)
    expect(other.socket.readyState).toBe(1)
    // Nothing came since: nothing is done.
    await server.documents.rollback('other', await moment())
    expect(other.socket.readyState).toBe(1)
  })

  it('says so when the moment is out of reach, or there is nothing', async () => {
    const { ws, server } = await startServer()
    const start = new Date(Date.now() - 1000)
    await expect(server.documents.rollback('doc', start)).rejects.toMatchObject({
      code: 'INKWIRE_NO_DOCUMENT',
    })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    raw.send({ type: 'update', update: forge({ client: 1, structs: [{ text: 'x'.repeat(20_000) }] }) })
    await until('saved', () => raw.all('ack').at(-1)?.durable === 1)
    await server.documents.rollback('doc', start)
    expect(textOf(await server.documents.read('doc'))).toBe('')
    await server.documents.merge('doc', forge({ client: 2, structs: [{ text: 'y'.repeat(20_000) }] }))
    const compacted = async (): Promise<boolean> => {
      try {
        await server.documents.rollback('doc', start)
        return false
      } catch (error) {
        expect(error).toMatchObject({ code: 'INKWIRE_NO_HISTORY' })
        return true
      }
    }
    expect(await compacted()).toBe(true)
  })
})
