import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { forge } from '../support/forge.js'
import { startServer } from '../support/inkwire.js'
import { connectRaw, type Raw } from '../support/raw.js'
import { until } from '../support/until.js'

const NOTHING = Uint8Array.of(0)

/** A document whose every edit is an update to send. */
const author = (): { text: Y.Text; doc: Y.Doc; take: () => Uint8Array[] } => {
  const doc = new Y.Doc()
  let updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  return {
    doc,
    text: doc.getText('t'),
    take: () => {
      const taken = updates
      updates = []
      return taken
    },
  }
}

const lastAck = (raw: Raw): { received: number; durable: number } => {
  const { received, durable } = raw.all('ack').at(-1) ?? { received: 0, durable: 0 }
  return { received, durable }
}

const textOf = (raw: Raw): string => {
  const doc = new Y.Doc()
  for (const each of raw.heard) {
    if (each.type === 'update' || each.type === 'syncStep2') Y.applyUpdate(doc, each.update)
  }
  return doc.getText('t').toString()
}

describe('inkwire.1', () => {
  it('X1, X2: who asks gets a hello as the first message, others never see an extension', async () => {
    const { ws } = await startServer()
    const ours = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const theirs = await connectRaw(`${ws}/doc`)
    expect(ours.socket.protocol).toBe(SUBPROTOCOL)
    await Promise.all([ours.first('syncStep1'), theirs.first('syncStep1')])
    expect(ours.heard[0]).toMatchObject({
      type: 'hello',
      seq: 0,
      access: 'write',
      durability: 'fsync',
      maxMessageBytes: 16 * 1024 * 1024,
    })
    const { text, take } = author()
    text.insert(0, 'x')
    for (const update of take()) theirs.send({ type: 'update', update })
    await theirs.first('update')
    expect(theirs.heard.map(({ type }) => type).sort()).toEqual(['syncStep1', 'update'])
  })

  it('X4: an ack counts every update message, also one without news; nothing is echoed', async () => {
    const { ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const { text, take } = author()
    for (let i = 0; i < 20; i++) text.insert(i, 'x')
    const updates = take()
    for (const update of updates) raw.send({ type: 'update', update })
    raw.send({ type: 'syncStep2', update: updates[3] as Uint8Array })
    await until('all acknowledged', () => lastAck(raw).durable === 21)
    expect(lastAck(raw)).toEqual({ received: 21, durable: 21 })
    expect(raw.all('update')).toEqual([])
    const durables = raw.all('ack').map(({ durable }) => durable)
    expect(durables).toEqual([...durables].sort((a, b) => a - b))
  })

  it('X4: what was acknowledged is there after the server was closed and opened again', async () => {
    const first = await startServer()
    const raw = await connectRaw(`${first.ws}/doc`, [SUBPROTOCOL])
    const { text, take } = author()
    text.insert(0, 'durable')
    for (const update of take()) raw.send({ type: 'update', update })
    await until('acknowledged', () => lastAck(raw).durable === 1)
    const { generation } = await raw.first('hello')
    await first.server.close()
    expect((await raw.closed).code).toBe(1012)
    const second = await startServer({ data: first.data })
    const again = await connectRaw(`${second.ws}/doc`, [SUBPROTOCOL])
    again.send({ type: 'syncStep1', stateVector: NOTHING })
    await again.first('syncStep2')
    expect(textOf(again)).toBe('durable')
    expect(await again.first('hello')).toMatchObject({ generation, seq: 1 })
  })

  it('X3: history of another generation is refused with 4409 before it can merge', async () => {
    const { ws } = await startServer()
    const { text, take } = author()
    text.insert(0, 'old history')
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    raw.send({ type: 'join', generation: 'f'.repeat(32), seq: 0 })
    for (const update of take()) raw.send({ type: 'update', update })
    expect((await raw.closed).code).toBe(4409)
    const other = await connectRaw(`${ws}/doc`)
    other.send({ type: 'syncStep1', stateVector: NOTHING })
    await other.first('syncStep2')
    expect(textOf(other)).toBe('')
  })

  it('X3: the right generation and none at all are both let in', async () => {
    const { ws } = await startServer()
    const first = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const { text, take } = author()
    text.insert(0, 'x')
    for (const update of take()) first.send({ type: 'update', update })
    await until('acknowledged', () => lastAck(first).durable === 1)
    const { generation } = await first.first('hello')
    for (const mine of [generation, '']) {
      const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
      raw.send({ type: 'join', generation: mine, seq: 0 })
      raw.send({ type: 'syncStep1', stateVector: NOTHING })
      await raw.first('syncStep2')
      expect(textOf(raw)).toBe('x')
    }
  })

  it('S5: what lies behind a gap waits; its author is asked for the rest once, and if it leaves, it is kept as it is', async () => {
    const { ws } = await startServer()
    const { doc, text, take } = author()
    for (const letter of 'abcd') text.insert(text.length, letter)
    const [, second, third, fourth] = take() as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const reader = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const raw = await connectRaw(`${ws}/doc`)
    await raw.first('syncStep1')
    for (const update of [second, third, fourth]) raw.send({ type: 'update', update })
    await until('it was asked', () => raw.all('syncStep1').length === 2)
    const asked = raw.all('syncStep1').at(-1)
    raw.send({ type: 'syncStep2', update: Y.encodeStateAsUpdate(doc, asked?.stateVector) })
    await until('whole', () => textOf(reader) === 'abcd')
    expect([raw.all('syncStep1').length, reader.all('update').length]).toEqual([2, 1])

    text.insert(4, 'e')
    text.insert(5, 'f')
    const [fifth, sixth] = take() as [Uint8Array, Uint8Array]
    raw.send({ type: 'update', update: sixth })
    await until('it was asked again', () => raw.all('syncStep1').length === 3)
    raw.socket.terminate()
    await until('it was kept and passed on', () => reader.all('update').length === 2)
    expect(textOf(reader)).toBe('abcd')
    reader.send({ type: 'update', update: fifth })
    await until('it is durable', () => lastAck(reader).durable === 1)
    const newcomer = await connectRaw(`${ws}/doc`)
    newcomer.send({ type: 'syncStep1', stateVector: NOTHING })
    await newcomer.first('syncStep2')
    expect(textOf(newcomer)).toBe('abcdef')
  })

  it('S5: what builds upon another’s edit that was lost waits for that, and is called safe only then', async () => {
    const { ws } = await startServer()
    const { doc, text, take } = author()
    text.insert(0, 'lost')
    const [lost] = take() as [Uint8Array]
    doc.clientID++
    text.insert(4, ' and found')
    doc.clientID++
    text.insert(0, 'not ')
    const [mine, next] = take() as [Uint8Array, Uint8Array]
    const [stock, ours] = [await connectRaw(`${ws}/doc`), await connectRaw(`${ws}/doc`, [SUBPROTOCOL])]
    // As it types while it connects: before its sync step 2.
    stock.send({ type: 'syncStep1', stateVector: NOTHING })
    stock.send({ type: 'update', update: mine })
    ours.send({ type: 'update', update: next })
    await until('both were asked for it', () => {
      return [stock, ours].every((raw) => raw.all('syncStep1').length === 2)
    })
    const newcomer = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    newcomer.send({ type: 'update', update: forge({ client: 99, structs: [{ gc: 1 }] }) })
    await until('all so far is on disk', () => lastAck(newcomer).durable === 1)
    expect([ours.all('update').length, lastAck(ours).durable]).toEqual([1, 0])
    newcomer.send({ type: 'update', update: lost })
    await until('both are safe', () => textOf(stock) !== 'lost' && lastAck(ours).durable === 1)
    expect(textOf(stock)).toBe('not lost and found')
  })

  it('X3, X4: who comes back with a mark gets what it missed and no more', async () => {
    const { ws } = await startServer()
    const { doc, text, take } = author()
    for (let i = 0; i < 300; i++) {
      text.insert(0, 'word ')
      text.delete(1, 2)
    }
    const writer = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    for (const update of take()) writer.send({ type: 'update', update })
    const reader = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    const { generation } = await reader.first('hello')
    reader.send({ type: 'syncStep1', stateVector: NOTHING })
    await reader.first('syncStep2')
    const mark = await until('a mark arrives', () => reader.all('ack').at(-1)?.mark)
    reader.socket.terminate()
    const held = textOf(reader)
    const stateVector = Y.encodeStateVector(doc)
    expect(held).toBe(text.toString())

    text.insert(5, 'new')
    text.delete(0, 2)
    for (const update of take()) writer.send({ type: 'update', update })
    await until('it is durable', () => lastAck(writer).durable === 602)
    const again = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    again.send({ type: 'join', generation, seq: mark })
    again.send({ type: 'syncStep1', stateVector })
    const { update } = await again.first('syncStep2')
    expect(update.length).toBeLessThan(60)
    const merged = new Y.Doc()
    for (const each of [...reader.heard, ...again.heard]) {
      if (each.type === 'syncStep2' || each.type === 'update') Y.applyUpdate(merged, each.update)
    }
    expect(merged.getText('t').toString()).toBe(text.toString())
    expect(await until('the next mark', () => again.all('ack').at(-1)?.mark)).toBe(602)
  })
})
