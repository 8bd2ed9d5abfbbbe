import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { InkwireError } from '../../client/index.js'
import { Compactor } from '../../client/offline/compactor.js'

const LARGE = [new Uint8Array(100_000)]
const FULL = new InkwireError('INKWIRE_DEVICE_FULL', 'no space')
const FAILED = new InkwireError('INKWIRE_DEVICE_FAILED', 'broken')

/** A compactor whose store notes the snapshots that it gets, after handing over another tab's update. */
const setup = () => {
  const doc = new Y.Doc()
  const other = new Y.Doc()
  other.getText('t').insert(0, 'theirs')
  const origin = {}
  const origins: unknown[] = []
  doc.on('update', (_update: Uint8Array, by: unknown) => origins.push(by))
  const snapshots: string[] = []
  const state = { error: null as Error | null, db: {} as IDBDatabase | null }
  const compactor = new Compactor({
    doc,
    origin,
    key: 'doc',
    store: {
      compact: async (_db, absorb, snapshot) => {
        if (state.error) throw state.error
        absorb([Y.encodeStateAsUpdate(other)])
        const copy = new Y.Doc()
        Y.applyUpdate(copy, snapshot())
        snapshots.push(copy.getText('t').toString())
      },
    },
    db: () => state.db,
  })
  return { compactor, state, snapshots, origin, origins }
}

describe('Compactor', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    // Node 24 has locks, which don't wait for these timers; without any, a tab is the only one.
    vi.stubGlobal('navigator', {})
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
  const idle = () => vi.runAllTimersAsync()

  it('waits until it is this tab’s turn, it is worth it, and the browser is idle', async () => {
    const { compactor, snapshots, origin, origins } = setup()
    compactor.loaded([new Uint8Array(1000)])
    compactor.added(LARGE)
    await idle()
    expect(snapshots).toEqual([])
    compactor.start()
    expect(snapshots).toEqual([])
    await idle()
    expect(snapshots).toEqual(['theirs'])
    expect(origins).toEqual([origin])
    compactor.added([new Uint8Array(10)])
    await idle()
    expect(snapshots).toHaveLength(1)
  })

  it('is called off when the copy is closed, and does nothing while the database is gone', async () => {
    const { compactor, snapshots, state } = setup()
    compactor.start()
    state.db = null
    compactor.added(LARGE)
    await idle()
    state.db = {} as IDBDatabase
    compactor.added(LARGE)
    compactor.stop()
    compactor.added(LARGE)
    await idle()
    expect(snapshots).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('tries again after a full disk, when as much has come again; never after anything else', async () => {
    const { compactor, snapshots, state } = setup()
    compactor.start()
    state.error = FULL
    compactor.added(LARGE)
    await idle()
    state.error = null
    compactor.added([new Uint8Array(10)])
    await idle()
    expect(snapshots).toHaveLength(0)
    compactor.added(LARGE)
    await idle()
    expect(snapshots).toHaveLength(1)
    state.error = FAILED
    compactor.added(LARGE)
    await idle()
    state.error = null
    compactor.added(LARGE)
    await idle()
    expect(snapshots).toHaveLength(1)
  })
})
