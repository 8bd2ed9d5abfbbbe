import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Rejected, Said } from '../../client/index.js'
import type { ServerOptions } from '../../server/index.js'
import type { Access } from '../../shared/messages.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { metric, startServer } from '../support/inkwire.js'
import { createProvider, nextEvent } from '../support/provider.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

/** A server where a token is user and access: `ada:write`. */
const serve = (options: ServerOptions = {}) =>
  startServer({
    authorize: ({ token }) => {
      const [user = '', access] = (token ?? '').split(':')
      return { user, access: access as Access }
    },
    ...options,
  })

const join = async (ws: string, token: string, document = 'doc') => {
  const one = createProvider(ws, document, { params: { token }, disableBc: true })
  const heard: Said[] = []
  const rejected: Rejected[] = []
  one.provider.on('message', (said) => heard.push(said))
  one.provider.on('rejected', (event) => rejected.push(event))
  await one.provider.whenSynced
  return { ...one, heard, rejected }
}

const dataOf = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('send and on(message) (PROTOCOL X10)', () => {
  it('what one says comes to all others of the document, with who said it, and nobody else', async () => {
    const { ws } = await serve()
    const [ada, bob, eve] = await Promise.all([
      join(ws, 'ada:write'),
      join(ws, 'bob:read'),
      join(ws, 'eve:write', 'other'),
    ])
    const stock = await connectRaw(`${ws}/doc?token=cy:write`)
    await stock.first('syncStep1')
    expect(ada.provider.send({ wave: ['👋', 1, null] })).toBe(true)
    await until('bob heard', () => bob.heard.length === 1)
    expect(bob.heard).toEqual([{ data: { wave: ['👋', 1, null] }, user: 'ada' }])
    ada.text.insert(0, 'a')
    await stock.first('update')
    expect(stock.heard.map(({ type }) => type)).not.toContain('signal')
    expect([ada.heard, eve.heard]).toEqual([[], []])
    // It is nothing that would have to be saved.
    await ada.provider.whenSaved()
    expect(ada.provider.saveState.durable).toBe(1)
  })

  it('of readers is refused, and they are told', async () => {
    const { ws } = await serve()
    const [ada, eve] = await Promise.all([join(ws, 'ada:write'), join(ws, 'eve:read')])
    const refused = nextEvent<Rejected>((resolve) => eve.provider.once('rejected', resolve))
    expect(eve.provider.send('spam')).toBe(true)
    expect(await refused).toMatchObject({ code: 4403, update: null, edits: 0 })
    expect(eve.provider.saveState.status).not.toBe('rejected')
    ada.provider.send('to eve')
    await until('eve heard', () => eve.heard.length === 1)
    expect(ada.heard).toEqual([])
  })

  it('says whether it went out', async () => {
    const { ws } = await serve()
    const ada = await join(ws, 'ada:write')
    ada.provider.disconnect()
    expect(ada.provider.send('nobody is there')).toBe(false)
  })

  it('that is no JSON hurts no one: a listener never sees it', async () => {
    const { ws } = await serve()
    const ada = await join(ws, 'ada:write')
    const raw = await connectRaw(`${ws}/doc?token=eve:write`, [SUBPROTOCOL])
    await raw.first('hello')
    for (const data of [Uint8Array.of(0xff, 0xfe), Uint8Array.of(), dataOf('{')]) {
      raw.send({ type: 'signal', data, user: 'mallory' })
    }
    raw.send({ type: 'signal', data: dataOf('"fine"'), user: 'mallory' })
    await until('the good one is heard', () => ada.heard.length > 0)
    // Nobody can speak in another's name.
    expect(ada.heard).toEqual([{ data: 'fine', user: 'eve' }])
    expect(ada.provider.synced).toBe(true)
  })
})

describe('abuse of signals', () => {
  it('too long ones and too many are refused, the connection goes on, and others lose nothing', async () => {
    const { ws, url } = await serve({ limits: { signalsPerSecond: 10, signalBytes: 1_000 } })
    const [ada, bob] = await Promise.all([join(ws, 'ada:write'), join(ws, 'bob:write')])
    const raw = await connectRaw(`${ws}/doc?token=eve:write`, [SUBPROTOCOL])
    await raw.first('hello')
    raw.send({ type: 'signal', data: new Uint8Array(1_001), user: '' })
    for (let i = 0; i < 5_000; i++) raw.send({ type: 'signal', data: dataOf(`${i}`), user: '' })
    ada.text.insert(0, 'still here')
    await ada.provider.whenSaved({ timeout: 10_000 })
    await until('bob has it', () => bob.text.toString() === 'still here')
    await until('the rest is refused', () => raw.all('rejection').length > 4_900)
    const codes = raw.all('rejection').map(({ message, code }) => [message, code])
    expect(codes[0]).toEqual([0, 1009])
    expect(new Set(codes.slice(1).map(String))).toEqual(new Set(['0,4529']))
    expect(bob.heard.length).toBeLessThan(100)
    expect(bob.heard[0]).toEqual({ data: 0, user: 'eve' })
    expect(await metric({ url }, 'inkwire_members')).toBe(3)
  })

  it('nothing is kept for a member that does not read, however much is said', async () => {
    const { ws } = await serve({ limits: { signalsPerSecond: 100_000 } })
    const [ada, bob] = await Promise.all([join(ws, 'ada:write'), join(ws, 'bob:read')])
    const deaf = await connectRaw(`${ws}/doc?token=eve:write`, [SUBPROTOCOL])
    await deaf.first('hello')
    deaf.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    const text = 'x'.repeat(10_000)
    let said = 0
    // 200 MB, had it been kept; what is held besides is what V8 has not collected yet.
    while (said < 20_000) {
      for (let i = 0; i < 20; i++, said++) ada.provider.send(text)
      const heard = bob.heard.length
      await until('it is passed on or refused', () => bob.heard.length > heard || ada.rejected.length > 0)
      ada.rejected.length = bob.heard.length = 0
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60 * 1024 * 1024)
    ada.text.insert(0, 'edits go on')
    await until('bob has it', () => bob.text.toString() === 'edits go on')
    deaf.socket.resume()
    const textOf = (): string => {
      const doc = new Y.Doc()
      for (const { update } of deaf.all('update')) Y.applyUpdate(doc, update)
      return doc.getText('t').toString()
    }
    await until('who reads again gets every edit', () => textOf() === 'edits go on')
  })
})
