import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { InkwireProvider } from '../../client/index.js'
import { documentsOnDevice } from '../../client/offline/index.js'
import { StoredSize } from '../../client/offline/size.js'
import { Ledger } from '../../client/saves.js'

const updates = (count: number, bytes: number) => Array.from({ length: count }, () => new Uint8Array(bytes))

describe('stored updates are put together', () => {
  it('when they are many, or larger than what they were last put together to', () => {
    const size = new StoredSize()
    size.added(updates(499, 20))
    expect(size.worthCompacting).toBe(false)
    size.added(updates(1, 20))
    expect(size.worthCompacting).toBe(true)
    size.compacted(200_000)
    size.added(updates(1, 199_000))
    expect(size.worthCompacting).toBe(false)
    size.added(updates(1, 2_000))
    expect(size.worthCompacting).toBe(true)
  })

  it('in proportion to what was written, however large the document grows', () => {
    const size = new StoredSize()
    let [total, work] = [0, 0]
    for (let edit = 0; edit < 200_000; edit++) {
      size.added(updates(1, 30))
      total += 30
      if (!size.worthCompacting) continue
      size.compacted(total)
      work += total
    }
    expect(work).toBeLessThan(40 * total)
  })

  it('after what was found is outgrown, and after a failure not at once', () => {
    const size = new StoredSize()
    size.loaded([...updates(1, 10_000), ...updates(500, 10)])
    expect(size.worthCompacting).toBe(true)
    size.postponed()
    expect(size.worthCompacting).toBe(false)
  })
})

describe('edits of an earlier page', () => {
  it('are on the device with their age, and durable only once a server says so (X4)', () => {
    const ledger = new Ledger()
    ledger.adopt({ count: 3, since: 1_000 })
    expect(ledger.state()).toMatchObject({ status: 'device', pending: 3, oldestPending: 1_000, durable: 0 })
    expect(ledger.unsaved()).toEqual({ count: 3, since: 1_000 })
    ledger.begin('fsync')
    ledger.send(Uint8Array.of(1, 2, 3), 2_000, true, true)
    expect(ledger.state()).toMatchObject({ status: 'device', pending: 3 })
    expect(ledger.isDurable(3)).toBe(false)
    ledger.ack(1, 1)
    expect(ledger.state()).toMatchObject({ status: 'saved', pending: 0, durable: 3 })
    expect(ledger.unsaved()).toBeNull()
  })
})

describe('without a browser', () => {
  it('the option offline says that there is no storage, and nothing waits for it', async () => {
    const doc = new Y.Doc()
    const provider = new InkwireProvider('ws://h', 'doc', doc, { offline: true, connect: false })
    onTestFinished(() => provider.destroy())
    expect(provider.device.status).toBe('loading')
    const states: string[] = []
    provider.on('device', ({ status, error }) => states.push(`${status} ${error?.code}`))
    await provider.whenLoaded
    expect(states).toEqual(['failed INKWIRE_DEVICE_UNAVAILABLE'])
    await expect(documentsOnDevice()).rejects.toMatchObject({ code: 'INKWIRE_DEVICE_UNAVAILABLE' })
  })

  it('a provider that is destroyed while it loads says nothing any more', async () => {
    const provider = new InkwireProvider('ws://h', 'doc', new Y.Doc(), { offline: true, connect: false })
    const loaded = provider.whenLoaded
    provider.destroy()
    await expect(loaded).rejects.toMatchObject({ code: 'INKWIRE_DESTROYED' })
  })

  it('and without the option there is nothing to wait for', async () => {
    const provider = new InkwireProvider('ws://h', 'doc', new Y.Doc(), { connect: false })
    onTestFinished(() => provider.destroy())
    expect(provider.device).toEqual({ status: 'off', error: null })
    await provider.whenLoaded
  })
})
