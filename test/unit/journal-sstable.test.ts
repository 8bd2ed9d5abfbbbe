/** Checking LevelDB's tables: on tables that LevelDB wrote. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { openLevelStore } from '../../server/journal/level-store.js'
import { unsnap } from '../../server/journal/snappy.js'
import { checkTable, fencesOf } from '../../server/journal/sstable.js'
import { flipBit } from '../support/journal-damage.js'

const FOOTER_BYTES = 48

/** A table of `count` values; `random` ones aren't packed by Snappy, others are. */
const makeTable = async (count: number, random: boolean): Promise<Buffer> => {
  const root = await mkdtemp(join(tmpdir(), 'inkwire-table-'))
  const directory = join(root, 'store')
  const store = await openLevelStore(directory, { sync: false })
  const writes = Array.from({ length: count }, (_, i) => {
    const value = Buffer.alloc(100, `value ${i} `)
    if (random) for (let at = 0; at < value.length; at++) value[at] = (i * 31 + at * at * 7 + (at << 3)) & 255
    return { key: Buffer.from(`a rather long key in front of ${String(i).padStart(6, '0')}`), value }
  })
  await store.write(writes)
  await store.flush()
  await store.close()
  const tables = (await readdir(directory)).filter((file) => file.endsWith('.ldb'))
  expect(tables).toHaveLength(1)
  const table = await readFile(join(directory, tables[0] ?? ''))
  await rm(root, { recursive: true })
  return table
}

describe('a table', () => {
  let small: Buffer

  beforeAll(async () => {
    small = await makeTable(10, false)
  })

  test('as LevelDB wrote it is fine, packed or not', async () => {
    expect(checkTable(small)).toEqual({ status: 'ok', blocks: 3 })
    const packed = checkTable(await makeTable(5000, false))
    expect(packed.status).toBe('ok')
    const plain = checkTable(await makeTable(5000, true))
    expect(plain.status === 'ok' && plain.blocks).toBeGreaterThan(100)
  })

  test('with any one bit flipped before its footer is not', () => {
    for (let bit = 0; bit < (small.length - FOOTER_BYTES) * 8; bit++) {
      expect(checkTable(flipBit(small, bit)).status, `bit ${bit}`).not.toBe('ok')
    }
  })

  test('with a bit flipped in its footer is found out unless it is in the padding', () => {
    let unnoticed = 0
    for (let bit = (small.length - FOOTER_BYTES) * 8; bit < small.length * 8; bit++) {
      if (checkTable(flipBit(small, bit)).status === 'ok') unnoticed++
    }
    // Two handles of at most 3 bytes each, and the magic number of 8.
    expect(unnoticed).toBeLessThanOrEqual((FOOTER_BYTES - 8 - 4) * 8)
  })

  test('cut short anywhere is unreadable', () => {
    for (let length = 0; length < small.length; length++) {
      expect(checkTable(small.subarray(0, length)).status).toBe('unreadable')
    }
  })

  test('is never an exception, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const file = Buffer.concat([bytes, small.subarray(small.length - FOOTER_BYTES)])
        expect(checkTable(file).status).not.toBe('ok')
        expect(checkTable(bytes).status).toBe('unreadable')
      }),
    )
  })

  test('damaged in one block is fenced off there, by a kind that does not exist', async () => {
    const table = await makeTable(5000, true)
    const check = checkTable(flipBit(table, 40_000 * 8))
    if (check.status !== 'blocks') throw new Error(check.status)
    expect(check.damaged).toHaveLength(1)
    const [block] = check.damaged
    expect(block?.offset).toBeLessThanOrEqual(40_000)
    expect((block?.offset ?? 0) + (block?.size ?? 0)).toBeGreaterThan(40_000 - 5)
    expect(fencesOf(table, check)).toEqual([{ at: (block?.offset ?? 0) + (block?.size ?? 0), byte: 0xff }])
  })

  test('with a damaged index is fenced off as a whole; one still being written is left alone', () => {
    const broken = flipBit(small, (small.length - FOOTER_BYTES - 8) * 8)
    expect(fencesOf(broken, checkTable(broken))).toEqual([{ at: small.length - 1, byte: 0 }])
    const unfinished = small.subarray(0, small.length - 10)
    expect(fencesOf(unfinished, checkTable(unfinished))).toEqual([])
    expect(fencesOf(small, checkTable(small))).toEqual([])
  })
})

describe('unsnap', () => {
  test('unpacks literals and copies, overlapping ones too', () => {
    // "abcd", then a copy of 8 from 4 back (2-byte offset), then of 5 from 1 back (1-byte offset).
    const packed = Uint8Array.of(17, 0x0c, 97, 98, 99, 100, 0x1e, 4, 0, 0x05, 1)
    expect(Buffer.from(unsnap(packed)).toString()).toBe('abcdabcdabcdddddd')
    const long = Uint8Array.of(...[200, 1], ...[60 << 2, 199], ...new Uint8Array(200).fill(7))
    expect(unsnap(long)).toEqual(new Uint8Array(200).fill(7))
  })

  test('refuses what is not packed so', () => {
    for (const bytes of [[], [5], [5, 0x0c, 97], [3, 0x05, 9], [1, 0x0c, 97, 98, 99, 100]]) {
      expect(() => unsnap(Uint8Array.from(bytes))).toThrow(RangeError)
    }
  })
})
