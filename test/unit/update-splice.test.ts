import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { scanUpdate } from '../../server/update/scan.js'
import { Splicer, splice } from '../../server/update/splice.js'
import { decodeStateVector } from '../../server/update/state-vector.js'
import { contents, replica } from '../support/random-edits.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (update: Uint8Array): string =>
  Buffer.from(update)
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ')
const spliceHex = (...updates: readonly string[]): string =>
  hex(splice(updates.map((each) => scanUpdate(bytes(each)))))

describe('splicing', () => {
  it('of nothing gives an empty update', () => {
    expect(spliceHex()).toBe('00 00')
    expect(spliceHex('00 00', '00 00')).toBe('00 00')
  })

  it('puts structs of one client in one list, clients in descending order, deletions together', () => {
    expect(
      spliceHex(
        '01 01 05 00 04 01 01 74 01 61 00',
        '01 01 09 00 84 05 00 01 62 01 05 01 00 01',
        '01 01 05 01 84 05 00 01 63 01 05 01 01 01',
      ),
    ).toBe('02 01 09 00 84 05 00 01 62 02 05 00 04 01 01 74 01 61 84 05 00 01 63 01 05 01 00 02')
  })

  it('fills gaps with Skips, and orders by clock', () => {
    expect(spliceHex('01 01 05 07 00 02 00', '01 01 05 02 00 01 00')).toBe('01 03 05 02 00 01 0a 04 00 02 00')
  })

  it('drops what is held, and repeated deletions', () => {
    const first = '01 01 05 00 00 05 01 05 01 00 05'
    expect(spliceHex(first, first, '01 01 05 02 00 02 01 05 01 01 01')).toBe(first)
  })

  it('cuts a struct that begins within what is held', () => {
    expect(spliceHex('01 01 05 00 00 03 00', '01 01 05 02 00 05 00')).toBe('01 02 05 00 00 03 00 04 00')
  })

  it('cuts a struct that ends within what is held', () => {
    // Clocks 3 to 6 are held; the struct brings 1 to 4.
    expect(spliceHex('01 01 05 03 00 04 00', '01 01 05 01 00 04 00')).toBe('01 02 05 01 00 02 00 04 00')
  })

  it('cuts one struct at both ends', () => {
    const held = ['01 01 05 00 00 03 00', '01 01 05 06 00 04 00']
    expect(spliceHex(...held, '01 01 05 01 00 07 00')).toBe('01 03 05 00 00 03 00 03 00 04 00')
  })

  it('lets one that closes a gap take the place of what lies behind the gap', () => {
    // 2 and 4 are held, behind gaps; the struct brings 0 to 9.
    expect(spliceHex('01 03 05 02 00 01 0a 01 00 01 00', '01 01 05 00 00 0a 00')).toBe('01 01 05 00 00 0a 00')
  })

  it('never changes what is held without a gap', () => {
    const text = '01 01 05 00 04 01 01 74 03 61 62 63 00'
    const more = '01 01 05 03 84 05 02 01 64 00'
    // Somebody claims that client 5 wrote nothing but garbage.
    expect(spliceHex(text, more, '01 01 05 00 00 05 00')).toBe(
      '01 03 05 00 04 01 01 74 03 61 62 63 84 05 02 01 64 00 01 00',
    )
  })
})

describe('cutting an item', () => {
  /** What is left of `update` when its first `held` clocks are held already, as the only struct of its list. */
  const rightPart = (update: string, held: number): string => {
    const vector = new Map([[5, held]])
    const ours = new Splicer().add(scanUpdate(bytes(update))).build({ since: vector })
    expect(hex(ours)).toBe(hex(Y.diffUpdate(bytes(update), Y.encodeStateVector(vector))))
    return hex(ours)
  }

  it('gives the right part its predecessor as origin, as Yjs does', () => {
    expect(rightPart('01 01 05 00 04 01 01 74 03 61 62 63 00', 2)).toBe('01 01 05 02 84 05 01 01 63 00')
    expect(rightPart('01 01 05 00 84 09 01 03 61 62 63 00', 1)).toBe('01 01 05 01 84 05 00 02 62 63 00')
    expect(rightPart('01 01 05 00 c4 09 01 09 02 03 61 62 63 00', 1)).toBe(
      '01 01 05 01 c4 05 00 09 02 02 62 63 00',
    )
    expect(rightPart('01 01 05 00 44 09 02 03 61 62 63 00', 1)).toBe('01 01 05 01 c4 05 00 09 02 02 62 63 00')
    expect(rightPart('01 01 05 00 04 00 09 01 03 61 62 63 00', 1)).toBe('01 01 05 01 84 05 00 02 62 63 00')
  })

  it('cuts every content that has parts', () => {
    expect(rightPart('01 01 05 00 01 01 01 74 05 00', 2)).toBe('01 01 05 02 81 05 01 03 00')
    expect(rightPart('01 01 05 00 02 01 01 74 03 01 31 02 7b7d 09 756e646566696e6564 00', 1)).toBe(
      '01 01 05 01 82 05 00 02 02 7b 7d 09 75 6e 64 65 66 69 6e 65 64 00',
    )
    expect(rightPart('01 01 05 00 08 01 01 74 03 7d01 7701 61 7e 00', 1)).toBe(
      '01 01 05 01 88 05 00 02 77 01 61 7e 00',
    )
  })

  it('counts UTF-16 units, and writes U+FFFD for half a pair, as Yjs does', () => {
    const text = '01 01 05 00 04 01 01 74 08 c3a9 f09f9880 7a7a 00'
    expect(rightPart(text, 1)).toBe('01 01 05 01 84 05 00 06 f0 9f 98 80 7a 7a 00')
    expect(rightPart(text, 2)).toBe('01 01 05 02 84 05 01 05 ef bf bd 7a 7a 00')
    expect(rightPart(text, 3)).toBe('01 01 05 03 84 05 02 02 7a 7a 00')
  })

  it('keeps the left part as it is, but shorter', () => {
    const held = '01 01 05 02 00 09 00'
    expect(spliceHex(held, '01 01 05 00 04 01 01 74 03 61 62 63 00')).toBe(
      '01 02 05 00 04 01 01 74 02 61 62 00 09 00',
    )
    expect(spliceHex(held, '01 01 05 00 44 09 01 05 61 f09f9880 00')).toBe(
      '01 02 05 00 44 09 01 04 61 ef bf bd 00 09 00',
    )
    expect(spliceHex(held, '01 01 05 00 08 01 01 74 03 7e7e7f 00')).toBe(
      '01 02 05 00 08 01 01 74 02 7e 7e 00 09 00',
    )
  })
})

describe('a splicer', () => {
  const typed = (count: number): { doc: Y.Doc; updates: Uint8Array[] } => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < count; i++) doc.getText('text').insert(i % 7 === 0 ? 0 : i >> 1, String(i % 10))
    return { doc, updates }
  }

  it('grows keystroke by keystroke, and is right at every step', () => {
    const { updates } = typed(300)
    const splicer = new Splicer()
    const doc = new Y.Doc()
    for (const [i, update] of updates.entries()) {
      splicer.add(scanUpdate(update))
      Y.applyUpdate(doc, update)
      if (i % 37 === 0) expect(contents(replica([splicer.build()]))).toEqual(contents(doc))
    }
    expect(scanUpdate(splicer.build()).blocks).toMatchObject([{ clock: 0, end: 300, structs: 300 }])
  })

  it('gives what one lacks from any state, over many structs', () => {
    const { doc, updates } = typed(500)
    const splicer = new Splicer()
    for (const update of updates) splicer.add(scanUpdate(update))
    for (let held = 0; held <= 500; held += 13) {
      const behind = replica(updates.slice(0, held))
      const since = Y.decodeStateVector(Y.encodeStateVector(behind))
      const lacking = splicer.build({ since })
      expect(scanUpdate(lacking).structs).toBe(500 - held)
      Y.applyUpdate(behind, lacking)
      expect(contents(behind)).toEqual(contents(doc))
    }
  })

  it('goes on after it was built, with clients that come later', () => {
    const splicer = new Splicer().add(scanUpdate(bytes('01 01 05 00 00 01 00')))
    splicer.build()
    splicer.add(scanUpdate(bytes('01 01 09 00 00 01 00')))
    expect(hex(splicer.build())).toBe('02 01 09 00 00 01 01 05 00 00 01 00')
  })

  it('finds its way in updates of many structs that it copied, referred to or cut', () => {
    const { doc, updates } = typed(1_500)
    const scans = updates.map((update) => scanUpdate(update))
    const part = (from: number, to: number): Uint8Array => splice(scans.slice(from, to))
    const splicer = new Splicer()
    for (const update of [part(0, 150), part(150, 300), part(250, 900), part(700, 1_500)]) {
      splicer.add(scanUpdate(update))
    }
    // Small ones are copied, large ones referred to: both kinds are among these, with several marks each.
    expect(part(0, 150).length).toBeLessThan(4096)
    expect(part(250, 900).length).toBeGreaterThan(4096)
    for (let held = 0; held < 1_500; held += 31) {
      const lacking = splicer.build({ since: new Map([[doc.clientID, held]]) })
      expect(Buffer.compare(lacking, part(held, 1_500))).toBe(0)
    }
  })

  it('copies small updates: a socket may reuse their bytes', () => {
    const update = bytes('01 01 05 00 04 01 01 74 01 61 00')
    const splicer = new Splicer().add(scanUpdate(update))
    update.fill(0xff)
    expect(hex(splicer.build())).toBe('01 01 05 00 04 01 01 74 01 61 00')
  })

  it('ends with the given delete set', () => {
    const splicer = new Splicer().add(scanUpdate(bytes('00 01 05 01 00 01')))
    expect(hex(splicer.build())).toBe('00 01 05 01 00 01')
    expect(hex(splicer.build({ deleteSet: bytes('01 07 01 00 02') }))).toBe('00 01 07 01 00 02')
  })

  it('takes in another one as it is then', () => {
    const { updates } = typed(400)
    const tail = new Splicer()
    for (const update of updates.slice(100, 300)) tail.add(scanUpdate(update))
    const whole = new Splicer()
      .add(scanUpdate(splice(updates.slice(0, 100).map((each) => scanUpdate(each)))))
      .addAll(tail)
    const before = whole.build()
    for (const update of updates.slice(300)) tail.add(scanUpdate(update))
    expect(whole.build()).toEqual(before)
    expect(contents(replica([before]))).toEqual(contents(replica(updates.slice(0, 300))))
    whole.addAll(tail)
    expect(contents(replica([whole.build()]))).toEqual(contents(replica(updates)))
  })

  it('in parts is the same update; what is large in it isn’t copied, and stays as it is', () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    const splicer = new Splicer()
    const states: Uint8Array[] = []
    const earlier: { parts: readonly Uint8Array[]; whole: Uint8Array }[] = []
    for (let i = 0; i < 400; i++) {
      doc.clientID = 1 + (i % 3)
      doc.getText('text').insert(i >> 1, i % 50 === 0 ? 'large '.repeat(2000) : 'some words')
      if (i % 9 === 0) doc.getText('text').delete(3, 2)
      for (const update of updates.splice(0)) splicer.add(scanUpdate(update))
      if (i % 37 !== 0) continue
      states.push(Y.encodeStateVector(doc))
      for (const state of states) {
        const since = decodeStateVector(state)
        earlier.push({ parts: splicer.parts({ since }), whole: splicer.build({ since }) })
      }
    }
    for (const { parts, whole } of earlier) expect(hex(Buffer.concat(parts))).toBe(hex(whole))
    const [all, own] = [splicer.parts(), new Set<ArrayBufferLike>()]
    for (const part of all) if (part.length < 4096) own.add(part.buffer)
    expect(all.length).toBeGreaterThan(10)
    expect(own.size).toBe(1)
    expect([...own][0]?.byteLength).toBeLessThan(50_000)
  })

  it('cuts an update at its two ends at most, however many pieces lie within', () => {
    // Cutting it around each of a thousand would take a thousand walks through it, of a megabyte each.
    const gaps = 1_000
    const scattered = new Splicer()
    for (let i = 0; i < gaps; i++) {
      scattered.add(scanUpdate(Uint8Array.of(1, 1, 5, ...uint(1 + i * 1_000), 0, 1, 0)))
    }
    const length = gaps * 1_000
    const content = new Uint8Array(length).fill(0x61)
    const text = new Uint8Array([1, 1, 5, 0, 4, 1, 1, 0x74, ...uint(length), ...content, 0])
    const update = scattered.add(scanUpdate(text)).build()
    expect(scanUpdate(update).blocks).toMatchObject([{ clock: 0, end: length, structs: 1 }])
  })
})

const uint = (value: number): number[] => {
  const digits: number[] = []
  let rest = value
  for (; rest >= 128; rest >>= 7) digits.push(128 | (rest & 127))
  return [...digits, rest]
}
