/** What lies in the store: keys, the checksum around every value, and the bodies in it. */
import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import {
  bodyEncoder,
  FORMAT_VERSION,
  Kind,
  seal,
  sealEncoded,
  unseal,
} from '../../server/journal/envelope.js'
import { generationToHex } from '../../server/journal/generation.js'
import {
  asideKey,
  CATALOG_RANGE,
  catalogKey,
  FORMAT_KEY,
  generationRange,
  LAST_SEQ,
  parseKey,
  purgeKey,
  runKey,
  snapshotKey,
} from '../../server/journal/keys.js'
import { nameFromBytes, nameToBytes } from '../../server/journal/name.js'
import {
  encodeAside,
  encodeCatalog,
  encodeFormat,
  encodePurge,
  encodeRun,
  encodeSnapshot,
  readRecord,
} from '../../server/journal/records.js'
import { atVersion, flipBit } from '../support/journal-damage.js'

const GENERATION = '00112233445566778899aabbccddeeff'
const HIGHEST = 'f'.repeat(32)

const bytes = fc.uint8Array({ maxLength: 40 })
const time = fc.nat({ max: 2_000_000_000_000 })
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 30 })
  .filter((text) => !/\p{Surrogate}/u.test(text))
const generation = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(generationToHex)

describe('keys', () => {
  test('say what they are', () => {
    expect(parseKey(FORMAT_KEY)).toEqual({ kind: 'format' })
    expect(parseKey(asideKey(GENERATION))).toEqual({ kind: 'aside', generation: GENERATION })
    expect(parseKey(purgeKey(GENERATION))).toEqual({ kind: 'purge', generation: GENERATION })
    expect(parseKey(runKey(GENERATION, 7))).toEqual({ kind: 'run', generation: GENERATION, seq: 7 })
    expect(parseKey(snapshotKey(GENERATION, LAST_SEQ))).toMatchObject({ kind: 'snapshot', seq: LAST_SEQ })
    fc.assert(
      fc.property(name, (text) => {
        const parsed = parseKey(catalogKey(nameToBytes(text)))
        expect(parsed.kind === 'catalog' && nameFromBytes(parsed.name)).toBe(text)
      }),
    )
  })

  test('whatever they are not is unknown, not an exception', () => {
    fc.assert(
      fc.property(bytes, (key) => {
        expect(parseKey(key).kind).toBeTypeOf('string')
      }),
    )
    expect(parseKey(Uint8Array.of())).toEqual({ kind: 'unknown' })
    expect(parseKey(runKey(GENERATION, 1).subarray(0, 20))).toEqual({ kind: 'unknown' })
  })

  test('the catalog is in order of name bytes', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        const [x, y] = [nameToBytes(a), nameToBytes(b)]
        expect(Math.sign(Buffer.compare(catalogKey(x), catalogKey(y)))).toBe(Math.sign(Buffer.compare(x, y)))
        expect(Buffer.compare(catalogKey(x), CATALOG_RANGE.start)).toBe(1)
        expect(Buffer.compare(catalogKey(x), CATALOG_RANGE.end)).toBe(-1)
      }),
    )
  })

  test("a generation's range holds its records, snapshots first and runs in order, and nobody else's", () => {
    fc.assert(
      fc.property(generation, generation, fc.nat(), fc.nat(), (g, other, a, b) => {
        const { start, end } = generationRange(g)
        const inside = (key: Uint8Array) => Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0
        expect([snapshotKey(g, a), runKey(g, b), runKey(g, LAST_SEQ)].every(inside)).toBe(true)
        if (other !== g) expect(inside(runKey(other, a)) || inside(snapshotKey(other, a))).toBe(false)
        expect(Buffer.compare(snapshotKey(g, a), runKey(g, b))).toBe(-1)
        expect(Math.sign(Buffer.compare(runKey(g, a), runKey(g, b)))).toBe(Math.sign(a - b))
      }),
      { examples: [[HIGHEST, GENERATION, 1, 2]] },
    )
  })
})

describe('the envelope', () => {
  const key = runKey(GENERATION, 1)

  test('gives back what was put in', () => {
    fc.assert(
      fc.property(bytes, (body) => {
        expect(unseal(key, seal(key, Kind.run, body))).toEqual({
          status: 'ok',
          kind: Kind.run,
          body: Buffer.from(body),
        })
      }),
    )
  })

  test('is the same around what was written in place, also when that takes more than was thought', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 300 }), (body, guess) => {
        const key = runKey(GENERATION, 1)
        const encoder = bodyEncoder(guess)
        for (const part of [body.subarray(0, 100), body.subarray(100)]) {
          encoding.writeUint8Array(encoder, part)
        }
        const sealed = sealEncoded(key, Kind.run, encoder)
        expect(Buffer.compare(sealed, seal(key, Kind.run, body))).toBe(0)
      }),
    )
  })

  test('notices every single flipped bit', () => {
    const value = seal(key, Kind.run, Uint8Array.of(1, 2, 3))
    for (let bit = 0; bit < value.length * 8; bit++) {
      expect(unseal(key, flipBit(value, bit)).status).toBe('damaged')
    }
  })

  test('notices a value under another key, and one cut short', () => {
    const value = seal(key, Kind.run, Uint8Array.of(1, 2, 3))
    expect(unseal(runKey(GENERATION, 2), value).status).toBe('damaged')
    for (let length = 0; length < value.length; length++) {
      expect(unseal(key, value.subarray(0, length)).status).toBe('damaged')
    }
  })

  test('an intact record of an unknown version is newer, not damaged', () => {
    const value = atVersion(FORMAT_VERSION + 1, key, seal(key, Kind.run, Uint8Array.of(1)))
    expect(unseal(key, value)).toEqual({ status: 'newer', version: FORMAT_VERSION + 1 })
  })
})

describe('records', () => {
  test('runs keep bytes, times in any order, and authors', () => {
    const entry = fc.record({ update: bytes, time, author: fc.constantFrom('', 'ada', 'grace', '\u{1f98a}') })
    fc.assert(
      fc.property(fc.option(bytes), fc.array(entry, { minLength: 1 }), (first, entries) => {
        const key = runKey(GENERATION, 9)
        const reading = readRecord(key, encodeRun(key, { name: first, entries }))
        const named = first && first.length > 0 ? first : null
        expect(plain(reading)).toEqual(
          plain({ status: 'ok', key: parseKey(key), record: { kind: 'run', name: named, entries } }),
        )
      }),
    )
  })

  test('snapshots, catalog entries and marks come back', () => {
    const snapshot = snapshotKey(GENERATION, 4)
    const written = {
      name: Uint8Array.of(97),
      created: 1,
      taken: 2,
      index: null,
      update: new Uint8Array(1000),
    }
    expect(plain(readRecord(snapshot, encodeSnapshot(snapshot, written)))).toMatchObject({
      status: 'ok',
      record: { kind: 'snapshot', created: 1, taken: 2, index: null, update: Array(1000).fill(0) },
    })
    const catalog = catalogKey(Uint8Array.of(97))
    const entry = { generation: GENERATION, created: 5 }
    expect(readRecord(catalog, encodeCatalog(catalog, entry))).toMatchObject({
      status: 'ok',
      record: { kind: 'catalog', ...entry },
    })
    const aside = asideKey(GENERATION)
    const kept = { name: Uint8Array.of(97), taken: 3, reason: 'because' }
    expect(readRecord(aside, encodeAside(aside, kept))).toMatchObject({
      status: 'ok',
      record: { taken: 3, reason: 'because' },
    })
    expect(readRecord(purgeKey(GENERATION), encodePurge(purgeKey(GENERATION))).status).toBe('ok')
    expect(readRecord(FORMAT_KEY, encodeFormat(FORMAT_KEY)).status).toBe('ok')
  })

  test('a body that is no such thing is damage, never an exception', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(Kind)), fc.uint8Array({ maxLength: 60 }), (kind, body) => {
        const key = runKey(GENERATION, 1)
        const reading = readRecord(key, seal(key, kind, body))
        if (reading.status === 'ok') expect(reading.record.kind).toBe('run')
      }),
      { numRuns: 2000 },
    )
  })

  test('a record under the key of another kind is damage', () => {
    const key = runKey(GENERATION, 1)
    const reading = readRecord(key, encodeCatalog(key, { generation: GENERATION, created: 1 }))
    expect(reading).toMatchObject({ status: 'damaged', problem: 'a catalog under the key of a run' })
  })
})

/** Byte arrays of any class as plain arrays, so that they compare by content. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? [...part] : part)))
