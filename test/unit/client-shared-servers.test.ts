/** Documents that would share a connection, and a server that is down or has none. */
import { describe, expect, it, vi } from 'vitest'
import { create, FakeLine, made, settle, url, withFakeLines } from '../support/fake-line.js'
import { greeting } from '../support/fake-socket.js'

withFakeLines()
describe('a server that is down', () => {
  it('is dialled once, however many documents there are, with backoff', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const all = Array.from({ length: 100 }, (_, i) => create(`d${i}`))
    for (let i = 0; i < 60; i++) {
      await vi.advanceTimersByTimeAsync(100)
      for (const one of FakeLine.made) if (one.readyState === 0) one.lose()
    }
    // At most two for each attempt: without sharing it might work.
    expect(FakeLine.made.length).toBeGreaterThan(4)
    expect(FakeLine.made.length).toBeLessThan(24)
    for (let i = 0; i < 40 && made().url !== `${url}/`; i++) {
      made().lose()
      await vi.advanceTimersByTimeAsync(100)
    }
    await vi.advanceTimersByTimeAsync(2_500)
    const before = FakeLine.made.length
    made().greet(200)
    await vi.advanceTimersByTimeAsync(5_000)
    made().say({ type: 'shared', channels: 200 })
    expect(FakeLine.made.length).toBe(before)
    expect(all.every(({ provider }) => provider.wsconnected)).toBe(true)
  })

  it('after a restart is dialled by the first that wants to come back', async () => {
    const all = [create('a'), create('b'), create('c')]
    made().greet().lose(1012)
    await vi.advanceTimersByTimeAsync(250)
    expect(FakeLine.made.map((one) => one.url)).toEqual([`${url}/`, `${url}/`])
    made().greet()
    await settle()
    expect(made().opened.sort()).toEqual(['a', 'b', 'c'])
    expect(all.every(({ provider }) => provider.wsconnected)).toBe(true)
  })

  it('that says that it can take nobody now is tried again later, with its code told', async () => {
    const { provider } = create('a')
    const codes: unknown[] = []
    provider.on('connection-close', (event) => void codes.push(event?.code))
    made().open()
    made().lose(4529, 'too many')
    expect(codes).toEqual([4529])
    expect(FakeLine.made.map((one) => one.url)).toEqual([`${url}/`])
    await vi.advanceTimersByTimeAsync(300)
    expect(made().url).toBe(`${url}/`)
    expect(FakeLine.made.length).toBe(2)
  })
})

describe('a server without shared connections', () => {
  const expectApart = async (): Promise<void> => {
    await settle()
    expect(FakeLine.made.slice(-2).map((one) => one.url)).toEqual([`${url}/a`, `${url}/b`])
    expect(made().protocols).toEqual(['inkwire.1'])
    made().open()
    made().hear(...greeting)
    // Remembered.
    create('c')
    expect(made().url).toBe(`${url}/c`)
  }

  it('closes with 4404, as older ones do: each has its own, silently', async () => {
    const { provider } = create('a')
    const told: string[] = []
    for (const name of ['connection-close', 'connection-error', 'closed'] as const)
      provider.on(name, () => void told.push(name))
    create('b')
    made().open()
    made().lose(4404, 'the document name is empty')
    await expectApart()
    expect(told).toEqual([])
  })

  it('selects nothing', async () => {
    create('a')
    create('b')
    made().open('')
    await expectApart()
  })

  it('selects anything, and says something else', async () => {
    create('a')
    create('b')
    made().open()
    made().hear({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    await expectApart()
    expect(made(0).readyState).toBe(3)
    expect(made(0).opened).toEqual([])
  })

  it('refuses the handshake: one tries without, then all have their own', async () => {
    create('a')
    create('b')
    made().lose()
    expect(made().url).toBe(`${url}/a`)
    const scout = made()
    scout.open()
    scout.hear(...greeting)
    // It may just have come up.
    expect(made().url).toBe(`${url}/`)
    made().lose()
    await settle()
    expect(FakeLine.made.map((one) => one.url)).toEqual([`${url}/`, `${url}/a`, `${url}/`, `${url}/b`])
    create('c')
    expect(made().url).toBe(`${url}/c`)
  })

  it('had just come up when one tried without: the others share', async () => {
    create('a')
    create('b')
    made().lose()
    made().open()
    made().greet()
    expect(made().opened).toEqual(['b'])
    create('c')
    await settle()
    expect(made().opened).toEqual(['b', 'c'])
  })

  it('refuses the handshake, and who tries without is closed meanwhile: the others go on', async () => {
    const { provider } = create('a')
    create('b')
    made().lose()
    expect(made().url).toBe(`${url}/a`)
    // Not every WebSocket class tells that it was closed before it was open.
    provider.destroy()
    await vi.advanceTimersByTimeAsync(500)
    expect(made().url).toBe(`${url}/`)
    made().greet()
    expect(made().opened).toEqual(['b'])
  })

  it('says nothing at all', async () => {
    create('a')
    create('b')
    made().open()
    await vi.advanceTimersByTimeAsync(8_000)
    expect(made(1).url).toBe(`${url}/a`)
  })

  it('is asked again after ten minutes', async () => {
    const { provider } = create('a')
    made().open('')
    provider.disconnect()
    await vi.advanceTimersByTimeAsync(600_000)
    provider.connect()
    expect(made().url).toBe(`${url}/`)
  })
})
