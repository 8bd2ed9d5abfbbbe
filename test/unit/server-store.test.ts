import { describe, expect, it } from 'vitest'
import type { Journal, JournalState } from '../../server/journal/journal.js'
import { readinessOf } from '../../server/readiness.js'
import { Store } from '../../server/store.js'

const FAILING: JournalState = { status: 'failing', since: 0, reason: 'no space' }
const MIB = 1024 * 1024

/** A journal of which only the state counts; `closed` notes with what patience. */
const journalIn = (state: JournalState, queuedBytes: number) => {
  const closed: number[] = []
  const report = { unsaved: [{ name: 'doc', updates: 2 }] }
  const close = async (ms?: number) => {
    closed.push(ms ?? -1)
    return report
  }
  const quarantined = new Map([['bad', 'a hole']])
  return { journal: { state, queuedBytes, quarantined, close } as unknown as Journal, closed, report }
}

const storeOf = (journal: Journal) => new Store({ open: async () => journal, opened: async () => undefined })

describe('Store', () => {
  it('is opened once for all who ask, who wait until whoever made it has dealt with it', async () => {
    const { journal } = journalIn({ status: 'ok' }, 0)
    let opened = 0
    let release = (): void => undefined
    const ready = new Promise<void>((resolve) => {
      release = resolve
    })
    const store = new Store({
      open: async () => {
        opened++
        return journal
      },
      opened: () => ready,
    })
    let settled = 0
    const asked = [store.open(), store.open(), store.settled()].map((each) => each.then(() => settled++))
    await new Promise((resolve) => setImmediate(resolve))
    expect([opened, settled, store.state]).toEqual([1, 0, { status: 'ok' }])
    release()
    await Promise.all(asked)
    expect(settled).toBe(3)
  })

  it('forgets a failure, so that the next one tries again; before it is open there is nothing to close', async () => {
    const { journal, closed, report } = journalIn({ status: 'ok' }, 0)
    let fails = true
    const store = new Store({
      open: () => (fails ? Promise.reject(new Error('locked')) : Promise.resolve(journal)),
      opened: async () => undefined,
    })
    await store.settled()
    await expect(store.open()).rejects.toThrow('locked')
    await store.settled()
    expect([store.state, store.refusal, store.clogged, store.quarantined.size]).toEqual([
      null,
      null,
      false,
      0,
    ])
    expect(await store.close(5)).toEqual({ unsaved: [] })
    fails = false
    await store.open()
    expect(store.quarantined).toEqual(new Map([['bad', 'a hole']]))
    expect([await store.close(5), closed]).toEqual([report, [5]])
  })

  it.each<[string, JournalState, number, boolean, boolean]>([
    ['little waits', { status: 'ok' }, 0.5 * MIB, false, false],
    ['much waits', { status: 'ok' }, 0.5 * MIB + 1, true, false],
    ['it fails', FAILING, 64 * MIB, false, false],
    ['it fails for long', FAILING, 64 * MIB + 1, false, true],
  ])(
    'when %s, those who pour wait: %j; authors hold their edits: %j',
    async (_, state, queued, clogged, refuses) => {
      const store = storeOf(journalIn(state, queued).journal)
      await store.open()
      expect([store.clogged, store.refusal !== null]).toEqual([clogged, refuses])
    },
  )
})

describe('readinessOf', () => {
  it.each<[boolean, JournalState | null, number, string[]]>([
    [false, { status: 'ok' }, 0, []],
    [false, null, 0, ['the store is not open yet']],
    [false, FAILING, 0, ['the store does not take writes: no space']],
    [false, { status: 'closed' }, 0, ['the store is closed']],
    [true, { status: 'closed' }, 0, ['the server is stopping']],
    [true, FAILING, 0, ['the server is stopping', 'the store does not take writes: no space']],
    [false, { status: 'ok' }, 5000, ['the disk has not answered for 5 s']],
    [false, { status: 'ok' }, 61_900, ['the disk has not answered for 61 s']],
    [true, { status: 'ok' }, 7000, ['the server is stopping', 'the disk has not answered for 7 s']],
  ])('stopping: %j, store: %j, stalled for %j ms', (stopping, state, stalledMs, reasons) => {
    const readiness = readinessOf({ stopping, state, stalledMs, quarantined: new Map() })
    expect(readiness).toEqual({ ready: reasons.length === 0, reasons, damaged: [] })
  })

  it('names damaged documents, and is ready all the same', () => {
    const readiness = readinessOf({
      stopping: false,
      state: { status: 'ok' },
      stalledMs: 0,
      quarantined: new Map([['bad', 'a hole']]),
    })
    expect(readiness).toEqual({ ready: true, reasons: [], damaged: [{ document: 'bad', reason: 'a hole' }] })
  })
})
