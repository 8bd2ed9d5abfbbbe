import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JournalState } from '../../server/journal/journal.js'
import { editOf, setupDocuments } from '../support/changes.js'
import { until } from '../support/until.js'

type Setup = ReturnType<typeof setupDocuments>
type Change = (of: Setup, options?: { signal: AbortSignal }) => Promise<unknown>

const LONG_AGO = new Date(1)

/** Ways to change a document as a whole, and what its members are told when it is done. */
const CHANGES: readonly (readonly [string, Change, number])[] = [
  ['delete', ({ documents }, options) => documents.delete('doc', options), 4404],
  ['replace', ({ documents }, options) => documents.replace('doc', editOf('other'), options), 4409],
  ['rollback', ({ documents }, options) => documents.rollback('doc', LONG_AGO, options), 4409],
]

const FAILED = { code: 'INKWIRE_STORE_FAILED', message: expect.stringContaining('No space left on device') }

/** A document with somebody in it, whose first edit is safe. */
const start = async () => {
  const all = setupDocuments()
  const member = all.visit('doc')
  await member.entered
  member.write('one')
  await until('the first edit is safe', () => member.saved() === 1)
  return { ...all, member }
}

const failing = ({ journal }: Pick<Setup, 'journal'>) =>
  until('the store fails', () => journal.state.status === 'failing')

/** Why it failed, `null` if it didn't. */
const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

/** A store that is as the test says. */
const storeOf = () => {
  let state: JournalState = { status: 'ok' }
  const listeners = new Set<(state: JournalState) => void>()
  const store = {
    get state() {
      return state
    },
    get listeners() {
      return listeners.size
    },
    onState: (listener: (state: JournalState) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const turn = (status: 'ok' | 'failing'): void => {
    state = status === 'ok' ? { status } : { status, since: 0, reason: 'No space left on device' }
    for (const listener of [...listeners]) listener(state)
  }
  return { store, turn }
}

afterEach(() => void vi.useRealTimers())

describe.each(CHANGES)('%s', (_, change, code) => {
  it('while the store fails, is refused at once, and nobody notices', async () => {
    const all = await start()
    const { disk, member, documents } = all
    disk.fail()
    member.write('two')
    await failing(all)
    await expect(change(all)).rejects.toMatchObject(FAILED)
    expect(member.closed()).toEqual([])
    // Relaying goes on, and all is safe once the disk works.
    const reader = all.visit('doc')
    await reader.entered
    reader.ask()
    expect(reader.texts()).toContain('two')
    disk.work()
    await until('both edits are safe', () => member.saved() === 2)
    expect(await documents.stats('doc')).toMatchObject({ seq: 2 })
  })

  it('C4: tells members only when it is done; until then it takes nothing from them', async () => {
    const all = await start()
    const { disk, member, visit } = all
    const stock = visit('doc', false)
    await stock.entered
    disk.wait()
    member.write('two')
    await until('it is on its way to the disk', () => disk.waiting === 1)
    const done = change(all)
    await all.turns()
    expect([member.closed(), stock.closed()]).toEqual([[], []])
    member.write('three')
    disk.work()
    await done
    expect([member.closed(), stock.closed()]).toEqual([[code], [code]])
    expect(member.saved()).toBeLessThan(3)
  })

  it('is given up when the store begins to fail while edits are made durable; members come back with theirs', async () => {
    const all = await start()
    const { disk, member, visit, documents } = all
    disk.wait()
    member.write('two')
    await until('it is on its way to the disk', () => disk.waiting === 1)
    const outcome = outcomeOf(change(all))
    await all.turns()
    disk.fail()
    expect(await outcome).toMatchObject(FAILED)
    expect(member.closed()).toEqual([4503])
    expect(member.saved()).toBe(1)
    // It comes back, while the disk is full still.
    const again = visit('doc')
    await again.entered
    again.ask()
    expect(again.texts()).toContain('two')
    again.write('three')
    disk.work()
    await until('its edit is safe', () => again.saved() === 1)
    expect(await documents.stats('doc')).toMatchObject({ seq: 3 })
  })

  it('that can’t be written leaves the document as it is, and members come back', async () => {
    const all = await start()
    const { disk, member, visit } = all
    disk.fail()
    expect(await outcomeOf(change(all))).toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
    expect(member.closed()).toEqual([4503])
    const again = visit('doc')
    await again.entered
    again.ask()
    expect(again.texts()).toBe('one')
  })

  it('is not made for a caller who goes while edits are made durable; members come back', async () => {
    const all = await start()
    const { disk, member, visit, documents } = all
    disk.wait()
    member.write('two')
    await until('it is on its way to the disk', () => disk.waiting === 1)
    const caller = new AbortController()
    const outcome = outcomeOf(change(all, caller))
    await all.turns()
    caller.abort('hung up')
    expect(await outcome).toMatchObject({ message: 'hung up' })
    expect(member.closed()).toEqual([1013])
    disk.work()
    const again = visit('doc')
    await again.entered
    await until('all is on disk', async () => (await documents.stats('doc'))?.seq === 2)
    expect(again.closed()).toEqual([])
  })

  it('is made for a caller who goes when it has begun', async () => {
    const all = await start()
    const { disk, member, documents, journal } = all
    const before = await documents.stats('doc')
    disk.wait()
    const caller = new AbortController()
    const outcome = outcomeOf(change(all, caller))
    await until('it is on its way to the disk', () => disk.waiting === 1)
    caller.abort()
    disk.work()
    expect(await outcome).toBeNull()
    expect(member.closed()).toEqual([code])
    expect((await journal.read('doc'))?.generation).not.toBe(before?.generation)
  })

  it('is not made for a caller who has gone before', async () => {
    const all = await start()
    await expect(change(all, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
    expect(all.member.closed()).toEqual([])
  })
})

describe('rollback', () => {
  it('revokes nobody while the store fails', async () => {
    const all = await start()
    all.disk.fail()
    all.member.write('two')
    await failing(all)
    await expect(all.documents.rollback('doc', LONG_AGO, { revoke: 'eve' })).rejects.toMatchObject(FAILED)
    expect(all.revoked).toEqual([])
  })

  it('of what somebody else has rolled back meanwhile does nothing but revoke', async () => {
    const all = await start()
    const moment = all.later()
    all.later()
    all.member.write('two')
    await until('the second edit is safe', () => all.member.saved() === 2)
    const [first, second] = [
      all.documents.rollback('doc', moment),
      all.documents.rollback('doc', moment, { revoke: 'eve' }),
    ]
    const { generation } = await first
    const between = all.visit('doc')
    expect(await second).toEqual({ name: 'doc', generation, lost: null })
    expect(all.revoked).toEqual(['eve'])
    await between.entered
    between.ask()
    expect([between.texts(), between.closed()]).toEqual(['one', []])
  })
})

describe('who comes while a document is changed', () => {
  it('gets it when the change was given up', async () => {
    const all = await start()
    const { disk, member, visit, documents } = all
    disk.wait()
    member.write('two')
    await until('it is on its way to the disk', () => disk.waiting === 1)
    const outcome = documents.delete('doc')
    await all.turns()
    const comer = visit('doc')
    disk.fail()
    await expect(outcome).rejects.toMatchObject(FAILED)
    await comer.entered
    comer.ask()
    expect(comer.texts()).toContain('two')
  })

  it('is told that the store fails when nobody can know what becomes of the change, as is who wanted it', async () => {
    const all = await start()
    const { rooms, visit, member, late } = all
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { store, turn } = storeOf()
    let end: () => void = () => undefined
    const change = {
      store,
      code: 4404,
      reason: 'deleted',
      make: (begin: () => void) => {
        begin()
        return new Promise<void>((resolve) => {
          end = resolve
        })
      },
    }
    const outcome = rooms.exclusively('doc', change)
    const next = rooms.exclusively('doc', change)
    const waits = visit('doc')
    for (const each of [outcome, next, waits.entered]) each.catch(() => undefined)
    await all.turns()
    turn('failing')
    await expect(next).rejects.toMatchObject(FAILED)
    await vi.advanceTimersByTimeAsync(2000)
    turn('failing')
    // A moment may tell.
    turn('ok')
    await vi.advanceTimersByTimeAsync(2000)
    expect(member.closed()).toEqual([])
    turn('failing')
    await vi.advanceTimersByTimeAsync(3000)
    await expect(outcome).rejects.toMatchObject(FAILED)
    await expect(waits.entered).rejects.toMatchObject(FAILED)
    await expect(visit('doc').entered).rejects.toMatchObject(FAILED)
    // What its members are to be told isn't known.
    expect([member.closed(), late]).toEqual([[], []])
    end()
    await all.turns()
    expect([member.closed(), late]).toEqual([[4404], [['doc', null]]])
    expect(store.listeners).toBe(0)
    vi.useRealTimers()
    const after = visit('doc')
    await after.entered
    expect(after.closed()).toEqual([])
  })
})

it('a change that turns out to be none has members come back', async () => {
  const { rooms, journal, member } = await start()
  const make = async (): Promise<string> => 'nothing to do'
  const change = { store: journal, code: 4409, reason: 'replaced', make }
  expect(await rooms.exclusively('doc', change)).toBe('nothing to do')
  expect(member.closed()).toEqual([1013])
})

it('what an app merges while the document is deleted is durable first', async () => {
  const { documents, disk, turns } = await start()
  disk.wait()
  const merged = documents.merge('doc', editOf('of the app'))
  await until('it is on its way to the disk', () => disk.waiting === 1)
  const deleted = documents.delete('doc')
  await turns()
  disk.work()
  expect(await Promise.all([merged, deleted])).toEqual([true, true])
})
