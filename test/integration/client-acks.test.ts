import { describe, expect, it, onTestFinished } from 'vitest'
import type { Closed, InkwireProvider, Rejected, SaveState } from '../../client/index.js'
import { createProvider, nextEvent } from '../support/provider.js'
import { type Script, type ScriptedServer, startScriptedServer } from '../support/scripted-server.js'
import { until } from '../support/until.js'

const serve = async (script: Partial<Script> = {}): Promise<ScriptedServer> => {
  const server = await startScriptedServer(script)
  onTestFinished(() => server.close())
  return server
}

/** Every state that a provider reports, from now on. */
const watch = (provider: InkwireProvider): SaveState[] => {
  const states: SaveState[] = []
  provider.on('save', (state) => {
    states.push(state)
  })
  return states
}

describe('X4: acks', () => {
  it('an edit goes from this device to received to saved', async () => {
    const server = await serve()
    const { provider, text } = createProvider(server.url, 'doc')
    await provider.whenSynced
    await provider.whenSaved()
    const states = watch(provider)
    text.insert(0, 'a')
    await provider.whenSaved({ timeout: 5_000 })
    expect(states.map(({ status }) => status)).toEqual(['device', 'received', 'saved'])
    expect(server.disk.getText('t').toString()).toBe('a')
    expect(provider.saveState).toMatchObject({ pending: 0, durable: 1, supported: true, durability: 'fsync' })
  })

  it('edits made offline are counted, and saved by the next connection', async () => {
    const server = await serve()
    const { provider, text } = createProvider(server.url, 'doc', { connect: false })
    for (const letter of 'abc') text.insert(0, letter)
    expect(provider.saveState).toMatchObject({ status: 'device', pending: 3 })
    provider.connect()
    await provider.whenSaved({ timeout: 5_000 })
    expect(server.disk.getText('t').toString()).toBe('cba')
    expect(server.heard.map(({ type }) => type)).not.toContain('update')
    expect(provider.saveState).toMatchObject({ status: 'saved', durable: 3 })
  })

  it('without acks nothing is ever said to be saved', async () => {
    const server = await serve({ acks: false })
    const { provider, text } = createProvider(server.url, 'doc')
    const states = watch(provider)
    await provider.whenSynced
    text.insert(0, 'a')
    await expect(provider.whenSaved({ timeout: 50 })).rejects.toMatchObject({ code: 'INKWIRE_TIMEOUT' })
    expect(states.every(({ status }) => status !== 'saved')).toBe(true)
  })
})

describe('a link cut at any point of the exchange', () => {
  /** One client's life with a link that is cut at these points of it. Returns how many there were. */
  const live = async (cut: (point: number) => boolean): Promise<number> => {
    const server = await serve()
    let points = 0
    server.script.cutAt = () => cut(++points)
    const { provider, doc, text } = createProvider(server.url, 'doc', { connect: false })
    const written: string[] = []
    const onDisk = (): boolean => written.every((word) => server.disk.getText('t').toString().includes(word))
    const write = (word: string): void => {
      written.push(word)
      text.insert(text.length, word)
    }
    const lies: SaveState[] = []
    provider.on('save', (state) => {
      if (state.status === 'saved' && !onDisk()) lies.push(state)
      if (state.durable + state.pending !== written.length) lies.push(state)
    })
    write('offline ')
    provider.connect()
    await provider.whenSynced
    write('online ')
    const half = provider.whenSaved({ timeout: 10_000 })
    write('again ')
    await half
    await provider.whenSaved({ timeout: 10_000 })
    expect(lies).toEqual([])
    expect(onDisk()).toBe(true)
    expect(server.disk.getText('t').toString()).toBe(text.toString())
    expect(provider.saveState).toMatchObject({ status: 'saved', durable: 3, pending: 0 })
    provider.destroy()
    doc.destroy()
    return points
  }

  it('loses nothing and never says "saved" too early', async () => {
    let nth = 1
    while ((await live((point) => point === nth)) >= nth) nth++
    // Upgraded, greeted, asked, told, and four for each of three messages.
    expect(nth).toBeGreaterThan(15)
  })

  it('nor when it is cut again and again', async () => {
    for (const every of [2, 3, 5, 9]) {
      // Not for ever: the last connection gets through.
      expect(await live((point) => point % every === 0 && point < 40)).toBeGreaterThan(12)
    }
  })
})

describe('X5: rejections', () => {
  it('are an event with the update, and the edit is never saved', async () => {
    const server = await serve()
    const { provider, text } = createProvider(server.url, 'doc')
    await provider.whenSaved()
    server.script.rejectWith = 4413
    const rejected = nextEvent<Rejected>((resolve) => provider.once('rejected', resolve))
    text.insert(0, 'a')
    expect(await rejected).toMatchObject({ code: 4413, reason: 'refused', edits: 1, retried: false })
    await until('acked', () => provider.saveState.status === 'rejected')
    await expect(provider.whenSaved()).rejects.toMatchObject({ code: 'INKWIRE_NOT_SAVED' })
    expect(server.disk.getText('t').toString()).toBe('')
  })

  it('that pass are tried again on a new connection', async () => {
    const server = await serve()
    const { provider, text } = createProvider(server.url, 'doc')
    await provider.whenSaved()
    server.script.rejectWith = 4529
    provider.once('rejected', () => {
      server.script.rejectWith = null
    })
    text.insert(0, 'a')
    await provider.whenSaved({ timeout: 5_000 })
    expect(server.disk.getText('t').toString()).toBe('a')
    expect(server.connections()).toBe(2)
  })

  it('a message that is larger than the server takes is not even sent', async () => {
    const server = await serve({ hello: { maxMessageBytes: 1_000 } })
    const { provider, text } = createProvider(server.url, 'doc')
    await provider.whenSaved()
    const rejected = nextEvent<Rejected>((resolve) => provider.once('rejected', resolve))
    text.insert(0, 'x'.repeat(2_000))
    expect(await rejected).toMatchObject({ code: 1009, retried: false })
    expect(provider.wsconnected).toBe(true)
  })
})

describe('X2, X3: generations', () => {
  it('after a change the client stops with 4409 and merges nothing', async () => {
    const server = await serve()
    const { provider, text } = createProvider(server.url, 'doc')
    text.insert(0, 'first life')
    await provider.whenSaved()
    const { generation } = provider
    expect(generation).toMatch(/^[0-9a-f]{32}$/)
    const closed = nextEvent<Closed>((resolve) => provider.once('closed', resolve))
    const heard = server.heard.length
    server.script.hello = { generation: 'f'.repeat(32) }
    server.closeAll(1012)
    expect(await closed).toEqual({ code: 4409, reason: 'generation-changed' })
    expect(provider).toMatchObject({ shouldConnect: false, generation })
    expect(server.heard.slice(heard).map(({ type }) => type)).not.toContain('syncStep2')
  })

  it('on reconnect the client says which one it holds', async () => {
    const server = await serve()
    const { provider, text } = createProvider(server.url, 'doc')
    text.insert(0, 'a')
    await provider.whenSaved()
    server.closeAll(1012)
    await until('said', () => server.heard.some(({ type }) => type === 'join'))
    expect(server.heard.find(({ type }) => type === 'join')).toMatchObject({
      generation: provider.generation,
    })
  })
})

it('C2: a permanent close stops, others are retried', async () => {
  const server = await serve()
  const { provider } = createProvider(server.url, 'doc')
  await provider.whenSynced
  server.closeAll(1013)
  await until('reconnected', () => server.connections() === 2 && provider.synced)
  const closed = nextEvent<Closed>((resolve) => provider.once('closed', resolve))
  server.closeAll(4401, 'expired')
  expect(await closed).toEqual({ code: 4401, reason: 'expired' })
  expect(provider.wsconnected).toBe(false)
})

it('destroy() closes the socket', async () => {
  const server = await serve()
  const { provider } = createProvider(server.url, 'doc')
  await provider.whenSynced
  expect(server.open()).toBe(1)
  provider.destroy()
  await until('it is closed', () => server.open() === 0)
  expect(provider.ws).toBe(null)
})
