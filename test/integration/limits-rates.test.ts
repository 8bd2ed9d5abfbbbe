import { describe, expect, it } from 'vitest'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { openClient } from '../support/clients.js'
import { forge, forgePresence } from '../support/forge.js'
import { startServer } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'

const NOTHING = Uint8Array.of(0)

describe('rates: who sends too fast is read from more slowly, and loses nothing', () => {
  for (const limits of [
    { messagesPerSecond: 400, messagesBurst: 100 },
    { bytesPerSecond: 8000, bytesBurst: 2000 },
  ]) {
    it(`${Object.keys(limits)[0]}`, async () => {
      const { ws, url } = await startServer({ limits })
      const author = openClient('ours', ws, 'doc')
      await author.whenSynced()
      const started = performance.now()
      // A fifth is read after the one before, so that the last waits until the first four are paid for.
      for (let i = 1; i <= 500; i++) {
        author.text.insert(author.text.length, 'x')
        if (i % 100 === 0) await author.ours?.whenSaved({ timeout: 20_000 })
      }
      expect(performance.now() - started).toBeGreaterThan(700)
      const reader = openClient('stock', ws, 'doc')
      await reader.whenSynced()
      expect(reader.text.toString()).toBe('x'.repeat(500))
      const metrics = await (await fetch(`${url}/metrics`)).text()
      expect(Number(/^inkwire_slowed_total (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(0)
    })
  }

  it('one that is slowed down is not taken for dead', async () => {
    const { ws } = await startServer({
      heartbeatMs: 200,
      limits: { messagesPerSecond: 20, messagesBurst: 1 },
    })
    const author = openClient('ours', ws, 'doc')
    await author.whenSynced()
    let closed = 0
    author.ours?.on('connection-close', () => {
      closed++
    })
    for (let i = 0; i < 60; i++) author.text.insert(0, 'x')
    await author.ours?.whenSaved({ timeout: 20_000 })
    expect(closed).toBe(0)
  })

  it('2,000 updates at once are taken at once by default', async () => {
    const { ws } = await startServer()
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    for (let i = 0; i < 2000; i++)
      raw.send({ type: 'update', update: forge({ client: 1, clock: i, structs: [{ gc: 1 }] }) })
    await until('all are saved', () => raw.all('ack').some(({ durable }) => durable >= 2000))
  })

  it('S9: of many questions the latest is answered', async () => {
    const { ws } = await startServer({ limits: { questionsPerMinute: 60 } })
    const raw = await connectRaw(`${ws}/doc`)
    for (let i = 0; i < 500; i++) {
      raw.send({ type: 'syncStep1', stateVector: NOTHING })
      raw.send({ type: 'queryAwareness' })
    }
    raw.send({ type: 'awareness', update: forgePresence({ id: 1, clock: 1, json: '{}' }) })
    await raw.first('awareness')
    expect(raw.all('syncStep2').length).toBeLessThanOrEqual(61)
    const before = raw.all('syncStep2').length
    await until('the last question is answered', () => raw.all('syncStep2').length > before)
  })

  it('tokens: 4529', async () => {
    const { ws } = await startServer({ limits: { tokensPerMinute: 5 } })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    for (let i = 0; i < 6; i++) raw.send({ type: 'token', token: `${i}` })
    expect((await raw.closed).code).toBe(4529)
  })

  it('a token as long as a document is not even looked at: 4401', async () => {
    let longest = 0
    const { ws } = await startServer({
      authorize: ({ token }) => {
        longest = Math.max(longest, token?.length ?? 0)
        return { user: 'ada', access: 'write' }
      },
    })
    const raw = await connectRaw(`${ws}/doc`, [SUBPROTOCOL])
    await raw.first('hello')
    raw.send({ type: 'token', token: 'x'.repeat(10_000_000) })
    expect((await raw.closed).code).toBe(4401)
    expect(longest).toBe(0)
  })
})
