import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { BadUpdateError } from '../../server/update/bad-update.js'
import { DEFAULT_LIMITS, type ScanLimits } from '../../server/update/limits.js'
import { MARK_EVERY, scanUpdate } from '../../server/update/scan.js'
import { InkwireError } from '../../shared/errors.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const repeat = (hex: string, times: number): string => hex.repeat(times)
/** A lib0 varUint in hex. */
const uint = (value: number): string => {
  let hex = ''
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) hex += (128 | (rest % 128)).toString(16)
  return hex + rest.toString(16).padStart(2, '0')
}
const reason = (update: Uint8Array, limits?: ScanLimits): string => {
  try {
    scanUpdate(update, limits)
  } catch (error) {
    expect(error).toBeInstanceOf(InkwireError)
    if (error instanceof BadUpdateError && error.code === 'INKWIRE_BAD_UPDATE') return error.reason
    throw error
  }
  return 'accepted'
}

/** One client (5) with one struct at clock 0 and no deletions. */
const one = (struct: string): Uint8Array => bytes(`01 01 05 00 ${struct} 00`)
/** An item in the root type "t". */
const inRoot = (kind: string, content: string): Uint8Array => one(`${kind} 01 01 74 ${content}`)

describe('S1: what a scan says', () => {
  it('finds nothing in an empty update', () => {
    expect(scanUpdate(bytes('00 00'))).toMatchObject({ blocks: [], deletes: [], structs: 0, deletesFrom: 1 })
  })

  it('S5: says what of other clients one must have to see it: origins, right origins, parents', () => {
    const [ada, bob] = [new Y.Doc(), new Y.Doc()]
    ada.clientID = 5
    bob.clientID = 6
    ada.getArray<unknown>('a').push(['one', new Y.Array(), 'two'])
    Y.applyUpdate(bob, Y.encodeStateAsUpdate(ada))
    const updates: Uint8Array[] = []
    bob.on('update', (update: Uint8Array) => updates.push(update))
    const all = bob.getArray<unknown>('a')
    // At the end, before the first, into the one in the middle, and behind its own.
    all.push(['x'])
    all.insert(0, ['y'])
    ;(all.get(2) as Y.Array<string>).push(['z'])
    all.push(['again'])
    expect(updates.map((update) => scanUpdate(update).needs)).toEqual([
      new Map([[5, 3]]),
      new Map([[5, 1]]),
      new Map([[5, 2]]),
      new Map(),
    ])
    // Not what is in the update itself.
    expect(scanUpdate(Y.mergeUpdates(updates)).needs).toEqual(new Map([[5, 3]]))
    expect(scanUpdate(Y.encodeStateAsUpdate(bob)).needs).toEqual(new Map())
    const later = Y.encodeStateAsUpdate(bob, Y.encodeStateVectorFromUpdate(Y.encodeStateAsUpdate(ada)))
    expect(scanUpdate(later).needs).toEqual(new Map([[5, 3]]))
  })

  it('finds one block in a keystroke', () => {
    // Client 5, clock 7: the letter a, after clock 6 of the same client.
    const update = bytes('01 01 05 07 84 05 06 01 61 00')
    expect(scanUpdate(update)).toEqual({
      bytes: update,
      blocks: [{ client: 5, clock: 7, end: 8, structs: 1, from: 4, to: 9, marks: [] }],
      deletes: [],
      structs: 1,
      needs: new Map(),
      deletesFrom: 9,
    })
  })

  it('ends a block at a Skip and begins another after it', () => {
    const update = bytes('01 03 05 00 00 02 0a 08 00 03 00')
    expect(scanUpdate(update).blocks).toMatchObject([
      { clock: 0, end: 2, structs: 1, from: 4, to: 6 },
      { clock: 10, end: 13, structs: 1, from: 8, to: 10 },
    ])
    expect(scanUpdate(update).structs).toBe(2)
  })

  it('joins delete ranges that touch', () => {
    expect(scanUpdate(bytes('00 02 09 02 0001 0501 05 03 0002 0203 0701')).deletes).toEqual([
      { client: 9, ranges: [0, 1, 5, 6] },
      { client: 5, ranges: [0, 5, 7, 8] },
    ])
  })

  it('counts strings as JavaScript does', () => {
    for (const text of ['a', 'é', '漢字', '\u{1f600}', 'a\u{1f469}‍\u{1f680}z', '\ufeffbom', '\u0000']) {
      const doc = new Y.Doc()
      doc.getText().insert(0, text)
      expect(scanUpdate(Y.encodeStateAsUpdate(doc)).blocks[0]?.end).toBe(text.length)
    }
  })

  it(`marks every ${MARK_EVERY}th struct of a block`, () => {
    const structs = MARK_EVERY * 2 + 1
    const { blocks } = scanUpdate(bytes(`01 ${uint(structs)} 05 00 ${repeat('0003', structs)} 00`))
    expect(blocks[0]?.marks).toEqual([
      { clock: 3 * MARK_EVERY, pos: 5 + 2 * MARK_EVERY, index: MARK_EVERY },
      { clock: 6 * MARK_EVERY, pos: 5 + 4 * MARK_EVERY, index: 2 * MARK_EVERY },
    ])
  })

  it('marks each block anew after a Skip', () => {
    const structs = repeat('0001', MARK_EVERY + 1)
    const { blocks } = scanUpdate(bytes(`01 ${uint(2 * MARK_EVERY + 3)} 05 00 ${structs} 0a01 ${structs} 00`))
    const first = { clock: MARK_EVERY, pos: 5 + 2 * MARK_EVERY, index: MARK_EVERY }
    const shift = MARK_EVERY + 2
    expect(blocks.map(({ marks }) => marks)).toEqual([
      [first],
      [{ clock: first.clock + shift, pos: first.pos + 2 * shift, index: MARK_EVERY }],
    ])
  })

  it('reads a view into a larger buffer', () => {
    const larger = bytes('ff ff 01 01 05 00 00 02 00 ff')
    expect(scanUpdate(larger.subarray(2, 9)).blocks).toMatchObject([{ client: 5, clock: 0, end: 2 }])
  })

  it('takes clients in any order, as earlier versions of Yjs wrote them', () => {
    expect(reason(bytes('02 01 05 00 0001 01 06 00 0001 02 05 01 0001 06 01 0001'))).toBe('accepted')
  })

  it('takes a key named __proto__: the bytes harm nobody who does not build objects of them', () => {
    const doc = new Y.Doc()
    doc.getMap().set('__proto__', { ['__proto__']: 1 })
    expect(reason(Y.encodeStateAsUpdate(doc))).toBe('accepted')
  })
})

describe('S1: every kind of struct that Yjs writes', () => {
  it.each([
    ['GC', one('00 05')],
    ['deleted', inRoot('01', '05')],
    ['JSON, and undefined', inRoot('02', '02 02 7b7d 09 756e646566696e6564')],
    ['binary', inRoot('03', '02 ffff')],
    ['string', inRoot('04', '02 6869')],
    ['embed', inRoot('05', '02 7b7d')],
    ['format', inRoot('06', '01 62 04 74727565')],
    ['array', inRoot('07', '00')],
    ['map', inRoot('07', '01')],
    ['text', inRoot('07', '02')],
    ['XML element', inRoot('07', '03 01 70')],
    ['XML fragment', inRoot('07', '04')],
    ['XML hook', inRoot('07', '05 01 70')],
    ['XML text', inRoot('07', '06')],
    [
      'any of each type',
      inRoot(
        '08',
        '0c 7f 7e 7d8501 7c00000000 7b0000000000000000 7a0000000000000000 79 78 7700 760101617f 75017e 740100',
      ),
    ],
    ['subdocument', inRoot('09', '01 67 7600')],
    ['key in a root type', one('28 01 01 74 01 6b 01 7e')],
    ['in an item, of another client', one('04 00 09 00 01 61')],
    ['with both origins', one('c4 09 00 08 00 01 61')],
  ])('%s', (_kind, update) => {
    const scan = scanUpdate(update)
    const [struct] = Y.decodeUpdate(update).structs
    expect(scan.blocks[0]?.end).toBe(struct?.length)
    expect(() => Y.applyUpdate(new Y.Doc(), update)).not.toThrow()
  })
})

describe('S1: what a scan refuses, and why', () => {
  const nested = (depth: number, open: string, close: string, inner: string): string =>
    repeat(open, depth) + inner + repeat(close, depth)
  const json = (text: string): Uint8Array =>
    inRoot('05', uint(text.length) + Buffer.from(text).toString('hex'))

  it.each<[reason: string, what: string, update: Uint8Array]>([
    ['truncated', 'no byte at all', bytes('')],
    ['truncated', 'no delete set', bytes('00')],
    ['count', 'a client without its structs', bytes('01 01 05 00')],
    ['truncated', 'a string longer than the bytes', inRoot('04', '7f 61')],
    ['truncated', 'an unfinished number', bytes('00 80')],
    ['truncated', 'binary longer than the bytes', inRoot('03', '7f 00')],
    ['truncated', 'a float cut short', inRoot('08', '01 7b 00')],
    ['trailing', 'a byte after the delete set', bytes('00 00 00')],
    ['trailing', 'a second update', bytes('00 00 00 00')],
    ['kind', 'content 10 with flags, which Yjs reads in two ways', one('8a 05')],
    ['kind', 'content 11 (a move, of another implementation)', inRoot('0b', '00')],
    ['kind', 'content 31', inRoot('1f', '00')],
    ['kind', 'a GC with flags', one('80 05 00 01')],
    ['kind', 'a shared type 7', inRoot('07', '07')],
    ['kind', 'a value of type 115', inRoot('08', '01 73')],
    ['kind', 'a value of type 128', inRoot('08', '01 80')],
    ['kind', 'neither a root nor an item for parent', one('04 02 01 74 01 61')],
    ['kind', 'a subdocument without options, on which Yjs throws', inRoot('09', '01 67 7e')],
    ['empty', 'a GC of length 0', one('00 00')],
    ['empty', 'deleted content of length 0', inRoot('01', '00')],
    ['empty', 'an empty string', inRoot('04', '00')],
    ['empty', 'no JSON', inRoot('02', '00')],
    ['empty', 'no values', inRoot('08', '00')],
    ['empty', 'a client with no structs', bytes('01 00 05 00 00 00')],
    ['empty', 'a delete range of length 0, on which Yjs throws', bytes('00 01 05 01 00 00')],
    ['overflow', 'a number of 9 bytes', bytes(`00 ${repeat('80', 8)} 00`)],
    ['overflow', 'a client past 2^53 - 1', bytes('01 01 ffffffffffffff1f 00 0001 00')],
    ['overflow', 'a clock past 2^53 - 1', one(`00 ${uint(Number.MAX_SAFE_INTEGER)}`).with(3, 1)],
    ['overflow', 'a Skip past 2^53 - 1', one(`0a ${uint(Number.MAX_SAFE_INTEGER)}`).with(3, 1)],
    ['overflow', 'a delete range past 2^53 - 1', bytes(`00 01 05 01 01 ${uint(Number.MAX_SAFE_INTEGER)}`)],
    ['overflow', 'an integer value past 2^53 - 1', inRoot('08', '01 7d bfffffffffffff7f')],
    ['count', '33 million structs in 7 bytes', bytes(`01 ${uint(33_000_000)} 05 00 00`)],
    ['count', 'a million clients', bytes(`${uint(1_000_000)} 0000`)],
    ['count', 'a million delete ranges', bytes(`00 01 05 ${uint(1_000_000)} 0001`)],
    ['count', 'a million values', inRoot('08', `${uint(1_000_000)} 7e`)],
    ['count', 'an array of a million', inRoot('08', `01 75 ${uint(1_000_000)} 7e`)],
    ['count', 'an object of a million', inRoot('08', `01 76 ${uint(1_000_000)} 00 7e`)],
    ['depth', 'arrays nested 257 deep', inRoot('08', `01 ${nested(257, '7501', '', '7e')}`)],
    ['depth', 'objects nested 100,000 deep', inRoot('08', `01 ${nested(100_000, '760100', '', '7e')}`)],
    ['depth', 'JSON nested 100,000 deep', json(nested(100_000, '[', ']', ''))],
    ['utf8', 'a lone continuation byte', inRoot('04', '01 80')],
    ['utf8', 'a sequence cut short by the end of the string', inRoot('04', '02 61c3')],
    ['utf8', 'an encoded surrogate', inRoot('04', '03 eda080')],
    ['utf8', 'in a key', one('28 01 01 74 01 ff 01 7e')],
    ['utf8', 'in a root name', one('04 01 01 ff 01 61')],
    ['json', 'an embed that is none', json('{a:1}')],
    ['json', 'undefined as an embed', json('undefined')],
    ['json', 'nothing as an embed', json('')],
    ['json', 'a format that is none', inRoot('06', '01 62 04 54727565')],
    ['client-twice', 'in the structs', bytes('02 01 05 00 0001 01 05 01 0001 00')],
    [
      'client-twice',
      'in the structs, out of order',
      bytes('03 01 05 00 0001 01 06 00 0001 01 05 01 0001 00'),
    ],
    ['client-twice', 'in the deletions', bytes('00 02 05 01 0001 05 01 0201')],
    ['delete-order', 'overlapping ranges', bytes('00 01 05 02 0003 0201')],
    ['delete-order', 'descending ranges', bytes('00 01 05 02 0501 0001')],
    ['reference', 'an item that is its own origin', one('84 05 00 01 61')],
    ['reference', 'an item whose right origin comes later', one('44 05 03 01 61')],
    ['reference', 'an item that is its own parent', one('04 00 05 00 01 61')],
    ['v2', 'an empty v2 update', Y.encodeStateAsUpdateV2(new Y.Doc())],
  ])('%s: %s', (expected, _what, update) => {
    expect(reason(update)).toBe(expected)
  })

  it('takes nesting up to the cap', () => {
    expect(reason(inRoot('08', `01 ${nested(256, '7501', '', '7e')}`))).toBe('accepted')
    expect(reason(json(nested(256, '[', ']', '')))).toBe('accepted')
  })

  it('refuses every prefix of an update', () => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'hé', { bold: true })
    doc.getText('t').delete(0, 1)
    doc.getMap('m').set('k', { list: [1, 'x', null, 1.5], bytes: Uint8Array.of(1, 2) })
    const update = Y.encodeStateAsUpdate(doc)
    expect(reason(update)).toBe('accepted')
    for (let end = 0; end < update.length; end++) expect(reason(update.subarray(0, end))).not.toBe('accepted')
  })

  it('does not read past its view into what a pooled buffer holds next', () => {
    const pool = new Uint8Array([...inRoot('04', '05 6161'), 0x61, 0x61, 0x61, 0, 0])
    expect(reason(pool.subarray(0, pool.length - 5))).toBe('truncated')
  })

  it('refuses what Yjs would store garbled: ranges out of order that wait for their structs', () => {
    // The reason for 'delete-order': a document that holds none of these structs keeps the ranges for later.
    const doc = new Y.Doc()
    Y.applyUpdate(doc, bytes('00 01 05 02 0501 0001'))
    const kept = Y.decodeUpdate(Y.encodeStateAsUpdate(doc))
      .ds.clients.get(5)
      ?.map(({ clock }) => clock)
    expect(kept).not.toEqual([0, 5])
  })
})

describe('S1: limits', () => {
  const limits = (changed: Partial<ScanLimits>): ScanLimits => ({ ...DEFAULT_LIMITS, ...changed })
  const ranges = (count: number): Uint8Array => {
    let hex = ''
    for (let i = 0; i < count; i++) hex += `${uint(i * 2)}01`
    return bytes(`00 01 05 ${uint(count)} ${hex}`)
  }

  it('refuses half a million delete ranges, and takes as many as the largest real documents have', () => {
    expect(reason(ranges(500_000))).toBe('limit')
    expect(reason(ranges(200_000))).toBe('accepted')
  })

  it('counts delete ranges of all clients, empty lists too', () => {
    const two = bytes('00 02 06 01 0001 05 01 0001')
    expect(reason(two, limits({ maxDeleteRanges: 2 }))).toBe('accepted')
    expect(reason(two, limits({ maxDeleteRanges: 1 }))).toBe('limit')
    expect(reason(bytes('00 02 06 00 05 00'), limits({ maxDeleteRanges: 1 }))).toBe('limit')
  })

  it('counts the structs of all clients, Skips too', () => {
    const update = bytes('02 02 06 00 0001 0a01 01 05 00 0001 00')
    expect(reason(update, limits({ maxStructs: 3 }))).toBe('accepted')
    expect(reason(update, limits({ maxStructs: 2 }))).toBe('limit')
  })

  it('refuses a million structs of two bytes', () => {
    expect(reason(bytes(`01 ${uint(1_000_001)} 05 00 ${repeat('0001', 1_000_001)} 00`))).toBe('limit')
  })

  it('counts clients and gaps', () => {
    const update = bytes('02 03 06 00 0001 0a01 0001 03 05 00 0001 0a01 0001 00')
    expect(reason(update, limits({ maxClients: 2, maxGaps: 2 }))).toBe('accepted')
    expect(reason(update, limits({ maxClients: 1 }))).toBe('limit')
    expect(reason(update, limits({ maxGaps: 1 }))).toBe('limit')
  })
})
