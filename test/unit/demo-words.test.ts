import { expect, it, describe as suite } from 'vitest'
import { nextConnection } from '../../client/demo/connection.js'
import { shareWords } from '../../client/demo/share-words.js'
import { describe, type Situation, spoken } from '../../client/demo/words.js'
import type { SaveState } from '../../client/index.js'
import { Code } from '../../shared/codes.js'

const NOW = 1_700_000_000_000

const saved: SaveState = {
  status: 'saved',
  supported: true,
  durability: 'fsync',
  pending: 0,
  received: 0,
  rejected: 0,
  durable: 3,
  oldestPending: null,
}

/** Edits of which the oldest is so old, ms. */
const waiting = (status: 'device' | 'received' | 'rejected', pending: number, age: number): SaveState => ({
  ...saved,
  status,
  pending,
  received: status === 'received' ? pending : 0,
  rejected: status === 'rejected' ? pending : 0,
  oldestPending: NOW - age,
})

const well: Situation = {
  connection: { state: 'live' },
  saves: saved,
  access: 'write',
  refusal: null,
  keeps: false,
  paused: false,
  readOnlyLink: false,
  online: true,
  elsewhere: 0,
  now: NOW,
}

const say = (change: Partial<Situation>) => describe({ ...well, ...change })
const stopped = (code: number, reason = '') => ({ state: 'stopped', code, reason }) as const

suite('the indicator', () => {
  it('says safe exactly when the server has confirmed everything', () => {
    const states: SaveState[] = [
      saved,
      waiting('device', 1, 0),
      waiting('received', 1, 0),
      waiting('rejected', 1, 0),
      { ...saved, status: 'unknown', durability: null, supported: null },
      { ...saved, status: 'unknown', durability: null, supported: false },
      { ...saved, durability: null },
    ]
    for (const connection of [well.connection, { state: 'lost' }, stopped(4403)] as const)
      expect(states.map((saves) => say({ saves, connection }).stage)).toEqual([
        'safe',
        'device',
        'received',
        'device',
        null,
        null,
        null,
      ])
  })

  it('calls the last stage by what the server promises', () => {
    const places = (['fsync', 'os', 'memory'] as const).map(
      (durability) => say({ saves: { ...saved, durability } }).safePlace,
    )
    expect(places).toEqual(['Safe on the server’s disk', 'Written by the server', 'In the server’s memory'])
  })

  it('counts what waits, once it has waited long enough to be noticed', () => {
    const words = (pending: number, age: number, connection: Situation['connection'] = well.connection) =>
      say({ saves: waiting('device', pending, age), connection }).waiting
    expect(words(2, 399)).toBe('')
    expect(words(2, 0, { state: 'lost' })).toBe('2 edits waiting')
    expect(words(1, 500)).toBe('1 edit waiting')
    expect(words(1, 1_000)).toBe('1 edit waiting for 1 s')
    expect(words(12, 59_999)).toBe('12 edits waiting, the oldest for 59 s')
    expect(words(12, 60_000)).toBe('12 edits waiting, the oldest for 1 min')
    expect(words(12, 7_200_000)).toBe('12 edits waiting, the oldest for 2 h')
    // The device's clock was set back.
    expect(words(1, -5_000, { state: 'lost' })).toBe('1 edit waiting')
  })
})

suite('the headline', () => {
  it('of a window that is offline by choice says where the edits are, and puts the blame on nobody', () => {
    const lost = { state: 'lost' } as const
    for (const connection of [well.connection, lost, { state: 'connecting' }] as const)
      expect(say({ connection, paused: true })).toMatchObject({
        tone: 'warning',
        headline: 'Working offline',
      })
    expect(say({ connection: lost, paused: true }).detail).toContain('Nothing is sent and nothing arrives')
    const held = say({ connection: lost, paused: true, saves: waiting('device', 2, 9_000) })
    expect(held.detail).toContain('only in this window')
    expect([held.stage, held.waiting]).toEqual(['device', '2 edits waiting, the oldest for 9 s'])
    // What the server refused for good is not healed by being offline.
    expect(say({ connection: stopped(Code.forbidden), paused: true }).headline).toBe('No access')
  })

  it('lets the window be closed exactly where the browser keeps what it says', () => {
    const saves = waiting('device', 2, 9_000)
    const troubles: Partial<Situation>[] = [
      { connection: { state: 'lost' }, saves },
      { connection: { state: 'lost' }, saves, online: false },
      { connection: { state: 'lost' }, saves, paused: true },
      { saves },
      { saves: waiting('received', 2, 9_000) },
    ]
    for (const trouble of troubles) {
      expect(say(trouble).detail).toMatch(/Leave (it|this window) open\./)
      expect(say({ ...trouble, keeps: true }).detail).not.toMatch(/window|[Ll]eave/)
    }
    expect(say({ connection: { state: 'lost' }, saves, keeps: true }).detail).toBe(
      'Your edits are kept in this browser and will be sent when it is back.',
    )
  })

  it('says that a link is for reading, unless the server says so itself', () => {
    expect(say({ readOnlyLink: true }).detail).toBe('This link is for reading along.')
    expect(say({ readOnlyLink: true, access: 'read' }).detail).toContain('You can read along')
  })

  it('asks nobody to type who can only read', () => {
    const lost = { state: 'lost' } as const
    for (const reader of [{ access: 'read' }, { readOnlyLink: true }] as const)
      for (const away of [{ connection: lost }, { connection: lost, online: false }, { paused: true }])
        expect(say({ ...away, ...reader }).detail).not.toMatch(/[Yy]ou (can )?type|edits/)
  })

  it('leaves the bar about edits to those who are in', () => {
    expect(say({ connection: stopped(Code.unauthenticated) }).editing).toBe(false)
    expect(say({ connection: stopped(Code.forbidden) }).editing).toBe(false)
    // What waits is worth a word wherever one is.
    expect(say({ connection: stopped(Code.forbidden), saves: waiting('device', 1, 0) }).editing).toBe(true)
  })

  it('tells a lost server from a device without network', () => {
    const lost = { state: 'lost' } as const
    expect(say({ connection: lost })).toMatchObject({ tone: 'warning', headline: 'Server not reachable' })
    expect(say({ connection: lost, online: false }).headline).toBe('This device is offline')
    expect(say({ connection: lost }).detail).toContain('You can type on')
    expect(say({ connection: lost, saves: waiting('device', 1, 0) }).detail).toBe(
      'Your edits are kept in this window and will be sent when it is back. Leave it open.',
    )
  })

  it('worries about edits that wait on a connection that seems fine', () => {
    const headline = (saves: SaveState, online = true) => say({ saves, online }).headline
    expect(headline(waiting('device', 1, 3_999))).toBe('Connected')
    expect(headline(waiting('device', 1, 4_000))).toBe('The server doesn’t answer')
    expect(headline(waiting('received', 1, 4_000))).toBe('The server can’t save at the moment')
    expect(headline(waiting('device', 1, 400), false)).toBe('This device is offline')
    // A server on this very machine needs no network.
    expect(headline(waiting('received', 1, 400), false)).toBe('Connected')
    expect(headline(saved, false)).toBe('Connected')
  })

  it('says why the server refused for good, and what helps', () => {
    const refusals = Object.values(Code)
      .filter((code) => code >= 4400 && code <= 4499)
      .map((code) => say({ connection: stopped(code) }))
    expect(new Set(refusals.map(({ detail }) => detail)).size).toBe(refusals.length)
    for (const report of refusals) expect(report.tone).toBe('error')
    expect(say({ connection: stopped(4444, 'because') })).toMatchObject({
      detail: 'The server says: because (4444).',
      remedy: 'retry',
    })
    const left = say({ connection: stopped(Code.generationChanged), saves: waiting('device', 2, 0) })
    expect(left).toMatchObject({ headline: 'The document was replaced', remedy: 'discard', stage: 'device' })
    expect(left.detail).toContain('Your last 2 edits are only in this window.')
  })

  it('tells of a refused edit before all that is well', () => {
    const saves = waiting('rejected', 1, 0)
    const report = say({ saves, refusal: { code: Code.forbidden, reason: 'read-only' } })
    expect(report).toMatchObject({ tone: 'error', headline: 'The server refused 1 edit', stage: 'device' })
    expect(report.detail).toBe(
      'You may read this document, but not change it. What was refused is only in this window: copy what you need.',
    )
  })

  it('says why there is no such document', () => {
    const detail = (reason: string) => say({ connection: stopped(Code.noSuchDocument, reason) }).detail
    expect(detail('the document name has 2000 bytes, 1024 are allowed')).toBe(
      'The document name has 2000 bytes, 1024 are allowed.',
    )
    expect(detail('')).toBe('No document can have this name.')
  })

  it('speaks of edits to nobody who has none to make', () => {
    expect(say({}).editing).toBe(true)
    for (const reader of [{ readOnlyLink: true }, { access: 'read' }] as const) {
      expect(say(reader).editing).toBe(false)
      expect(spoken(say(reader))).toBe('Connected.')
      // Typed before the server took the right away.
      expect(say({ ...reader, saves: waiting('rejected', 1, 0) }).editing).toBe(true)
    }
  })

  it('tells readers that they are', () => {
    expect(say({ access: 'read' }).detail).toBe('You can read along, but not change anything.')
  })

  it('remembers edits in documents that are no longer shown', () => {
    expect(say({ elsewhere: 2 }).detail).toBe('2 edits to other documents must still be sent.')
  })
})

suite('a screen reader', () => {
  it('hears trouble and its end, and nothing in between', () => {
    const heard = [
      well,
      { ...well, saves: waiting('device', 1, 0) },
      { ...well, connection: { state: 'lost' } },
      { ...well, connection: { state: 'syncing' } },
      { ...well, connection: { state: 'live' }, saves: waiting('received', 1, 0) },
      well,
    ].map((situation) => spoken(describe(situation as Situation))?.slice(0, 22) ?? null)
    expect(heard).toEqual([
      'Connected. Safe on the',
      null,
      'Server not reachable. ',
      null,
      null,
      'Connected. Safe on the',
    ])
  })
})

suite('the connection', () => {
  const after = (...events: Parameters<typeof nextConnection>[1][]) =>
    events.reduce(nextConnection, { state: 'connecting' })
  const status = (to: 'connected' | 'connecting' | 'disconnected') =>
    ({ type: 'status', status: to }) as const
  const synced = { type: 'synced' } as const
  const closed = { type: 'closed', code: 4403, reason: 'no' } as const

  it('is lost until the server answers, however often it is tried', () => {
    expect(after(status('connecting')).state).toBe('connecting')
    expect(after(status('disconnected'), status('connecting')).state).toBe('lost')
    expect(after(status('disconnected'), status('connecting'), status('connected')).state).toBe('syncing')
    expect(after(status('connected'), synced).state).toBe('live')
    expect(after(status('connected'), synced, status('disconnected')).state).toBe('lost')
  })

  it('that was refused stays so until somebody tries again', () => {
    const refused = after(status('connected'), status('disconnected'), closed)
    expect(refused).toEqual({ state: 'stopped', code: 4403, reason: 'no' })
    expect(nextConnection(refused, status('connecting')).state).toBe('connecting')
  })
})

suite('the words beside a link', () => {
  it('call reading only a courtesy where the server asks nobody', () => {
    const { link, readOnly } = shareWords({
      authorization: false,
      token: false,
      access: 'write',
      readOnlyLink: false,
    })
    expect(link).toContain('can read and type')
    expect(readOnly).toContain('a courtesy, not a guard')
  })

  it('name the token as the guard where the server asks for one', () => {
    const { link, readOnly } = shareWords({
      authorization: true,
      token: true,
      access: 'write',
      readOnlyLink: false,
    })
    expect(link).toContain('carries the token')
    expect(readOnly).toContain('&token=')
    expect(
      shareWords({ authorization: true, token: false, access: 'write', readOnlyLink: false }).link,
    ).toContain('permission')
  })

  it('of one who came by a link for reading speak of that link, not of one for typing', () => {
    const reader = { access: 'write', readOnlyLink: true } as const
    const open = shareWords({ authorization: false, token: false, ...reader }).link
    expect(open).toContain('won’t let its reader type')
    expect(open).toContain('a courtesy, not a guard')
    expect(shareWords({ authorization: true, token: true, ...reader }).link).toContain('carries the token')
  })

  it('promise nothing to somebody who may only read', () => {
    expect(shareWords({ authorization: true, token: true, access: 'read', readOnlyLink: false }).link).toBe(
      'Whoever has it can read along, as you do. It carries the token that you came with: to the server, whoever has it is you.',
    )
  })
})
