import { describe, expect, it } from 'vitest'
import { dateOf, parseMoment } from '../../server/cli/moment.js'
import { planRollback } from '../../server/documents/rollback.js'

const entry = (seq: number, time: number, author = '') => ({
  seq,
  time,
  author,
  update: new Uint8Array(seq),
})

const snapshot = { seq: 7, update: Uint8Array.of(0, 0) }

describe('planRollback', () => {
  const tail = [entry(1, 100, 'ada'), entry(2, 200, 'eve'), entry(3, 300), entry(4, 400, 'eve')]

  it('keeps what came before the moment, one by one', () => {
    expect(planRollback({ name: 'doc', snapshot: null, tail }, 400, 200)).toEqual({
      kept: { snapshot: null, tail: tail.slice(0, 1) },
      lost: {
        updates: 3,
        bytes: 9,
        first: 200,
        last: 400,
        authors: [
          { author: 'eve', updates: 2, bytes: 6, first: 200, last: 400 },
          { author: '', updates: 1, bytes: 3, first: 300, last: 300 },
        ],
      },
    })
  })

  it('does nothing when nothing came since, or since a compaction', () => {
    expect(planRollback({ name: 'doc', snapshot: null, tail }, 400, 401)).toBeNull()
    expect(planRollback({ name: 'doc', snapshot, tail: [] }, 400, 400)).toBeNull()
  })

  it('leaves an empty document of one that came after the moment', () => {
    expect(planRollback({ name: 'doc', snapshot: null, tail }, 400, 50)?.kept).toEqual({
      snapshot: { seq: 1, update: Uint8Array.of(0, 0) },
      tail: [],
    })
  })

  it('goes back to a compaction, and not behind it', () => {
    const compacted = { name: 'doc', snapshot, tail: [entry(8, 100), entry(9, 200)] }
    expect(planRollback(compacted, 200, 100)?.kept).toEqual({ snapshot, tail: [] })
    expect(() => planRollback(compacted, 200, 99)).toThrow(
      '"doc" can\'t be put back to before 1970-01-01T00:00:00.099Z: its updates are kept one by one from ' +
        '1970-01-01T00:00:00.100Z on, which is as far as it can be put back; restore a backup for what is older',
    )
    expect(() => planRollback({ ...compacted, tail: [] }, 200, 199)).toThrow(
      '"doc" can\'t be put back to before 1970-01-01T00:00:00.199Z: none of its updates are kept one by one any ' +
        'more; restore a backup for what is older',
    )
  })

  it('keeps no update that builds upon a lost one, even if the clock was put back', () => {
    const jumpy = [entry(1, 100), entry(2, 900), entry(3, 150)]
    expect(planRollback({ name: 'doc', snapshot: null, tail: jumpy }, 900, 500)?.kept.tail).toHaveLength(1)
  })
})

describe('parseMoment', () => {
  it.each([
    ['10m', { agoMs: 600_000 }],
    ['90 s', { agoMs: 90_000 }],
    ['2d', { agoMs: 172_800_000 }],
    ['2026-11-21T10:30:00Z', { at: Date.UTC(2026, 10, 21, 10, 30) }],
    ['2026-11-21 10:30:00z', { at: Date.UTC(2026, 10, 21, 10, 30) }],
    ['2026-11-21T10:30+01:00', { at: Date.UTC(2026, 10, 21, 9, 30) }],
    ['2024-02-29T00:00:00.123Z', { at: Date.UTC(2024, 1, 29, 0, 0, 0, 123) }],
  ])('%s', (text, moment) => expect(parseMoment(text)).toEqual(moment))

  it.each([
    '',
    '10',
    'm',
    '-5m',
    '1.5h',
    '1w',
    'yesterday',
    '2026-11-21',
    '2026-11-21T10:30:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-21T25:00:00Z',
    '1795253400000',
  ])('%s is none', (text) => expect(parseMoment(text)).toBeNull())

  it('counts from now', () => {
    expect(dateOf({ agoMs: 1000 }, 5000).getTime()).toBe(4000)
    expect(dateOf({ at: 77 }, 5000).getTime()).toBe(77)
  })
})
