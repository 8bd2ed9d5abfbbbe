/** Checking LevelDB's tables: on tables that LevelDB wrote. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { WHOLE_RANGE } from '../../server/journal/keys.js'
import { openLevelStore } from '../../server/journal/level-store.js'
import { unsnap } from '../../server/journal/snappy.js'
import { checkTable, mend } from '../../server/journal/sstable.js'
import { flipBit } from '../support/journal-damage.js'

const FOOTER_BYTES = 48

/** A table of `count` values; `random` ones aren't packed by Snappy, others are. */
const makeStore = async (count: number, random: boolean) => {
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
  const path = join(directory, tables[0] ?? '')
  return { root, directory, path, table: await readFile(path) }
}

const makeTable = async (count: number, random: boolean): Promise<Buffer> => {
  const { root, table } = await makeStore(count, random)
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

  test('cut short anywhere is unfinished', () => {
    for (let length = 0; length < small.length; length++) {
      expect(checkTable(small.subarray(0, length)).status).toBe('unfinished')
    }
  })

  test('is never an exception, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const file = Buffer.concat([bytes, small.subarray(small.length - FOOTER_BYTES)])
        expect(checkTable(file).status).not.toBe('ok')
        expect(checkTable(bytes).status).toBe('unfinished')
      }),
    )
  })

  describe('that was mended', () => {
    /** Puts the table in the place of the one that LevelDB wrote, and reads all that it has. */
    const readBack = async (count: number, random: boolean, damage: (table: Buffer) => Uint8Array) => {
      const { directory, path, table, root } = await makeStore(count, random)
      const damaged = Buffer.from(damage(table))
      const patches = mend(damaged, checkTable(damaged))
      for (const { at, bytes } of patches) damaged.set(bytes, at)
      expect(damaged.length).toBe(table.length)
      expect(checkTable(damaged).status).toBe('ok')
      await writeFile(path, damaged)
      const store = await openLevelStore(directory, { sync: false })
      const keys: number[] = []
      for await (const page of store.pages(WHOLE_RANGE)) {
        for (const [key] of page) {
          keys.push(Number(Buffer.from(key).toString().slice(-6)))
          expect(await store.get(key)).toBeDefined()
        }
      }
      // LevelDB compacts it as any other.
      await store.write([
        { key: Buffer.from('a'), value: Buffer.from('x') },
        { key: Buffer.from('b'), value: Buffer.from('x') },
      ])
      await store.flush()
      await store.compactRange(WHOLE_RANGE)
      await store.write([{ key: Buffer.from('c'), value: Buffer.from('x') }])
      await store.close()
      await rm(root, { recursive: true })
      return keys
    }

    test.each([true, false])('lacks the damaged block and nothing else (random: %s)', async (random) => {
      const keys = await readBack(5000, random, (table) => flipBit(table, Math.floor(table.length / 3) * 8))
      expect(keys.length).toBeGreaterThan(4000)
      expect(keys.length).toBeLessThan(5000)
      const gaps = keys.filter((key, i) => i > 0 && key !== (keys[i - 1] ?? 0) + 1)
      expect(gaps.length).toBeLessThanOrEqual(1)
    })

    test('with a damaged index has nothing in it, and is no trouble', async () => {
      expect(
        await readBack(50, true, (table) => flipBit(table, (table.length - FOOTER_BYTES - 8) * 8)),
      ).toEqual([])
    })

    test('with a damaged footer still has everything', async () => {
      const all = Array.from({ length: 50 }, (_, i) => i)
      for (const byte of [0, 1, 2, 3, 4]) {
        const flip = (table: Buffer) => flipBit(table, (table.length - FOOTER_BYTES + byte) * 8 + byte)
        expect(await readBack(50, true, flip)).toEqual(all)
      }
    })

    test('with a damaged filter or metaindex still has everything', async () => {
      const all = Array.from({ length: 3000 }, (_, i) => i)
      const table = await makeTable(3000, true)
      const tried = { filter: 0, metaindex: 0 }
      // They lie in front of the index.
      for (let at = table.length - FOOTER_BYTES - 1; tried.filter < 2; at -= 29) {
        const check = checkTable(flipBit(table, at * 8))
        const [block] = check.status === 'blocks' ? check.damaged : []
        if (!block) continue
        tried[block.filter ? 'filter' : 'metaindex']++
        expect(await readBack(3000, true, (each) => flipBit(each, at * 8))).toEqual(all)
      }
      expect(tried.metaindex).toBeGreaterThan(0)
    })

    test('one that is whole or still being written is left alone', () => {
      const unfinished = small.subarray(0, small.length - 10)
      expect(mend(unfinished, checkTable(unfinished))).toEqual([])
      expect(mend(small, checkTable(small))).toEqual([])
    })
  })
})

test('a scan that meets damage gives all that is readable before it fails', async () => {
  const { root, directory, path, table } = await makeStore(5000, true)
  const damaged = flipBit(table, Math.floor(table.length / 2) * 8)
  const check = checkTable(damaged)
  const [block] = check.status === 'blocks' ? check.damaged : []
  // Of a kind that doesn't exist: LevelDB refuses that by itself.
  damaged[(block?.offset ?? 0) + (block?.size ?? 0)] = 0xff
  await writeFile(path, damaged)
  const store = await openLevelStore(directory, { sync: false })
  const lost = 100
  for (const scan of [store.pages(WHOLE_RANGE), store.keyPages(WHOLE_RANGE)]) {
    let count = 0
    const read = async (): Promise<void> => {
      for await (const page of scan) count += page.length
    }
    await expect(read()).rejects.toMatchObject({ code: 'LEVEL_CORRUPTION' })
    expect(count).toBeGreaterThan(5000 - lost)
    expect(count).toBeLessThan(5000)
  }
  await store.close()
  await rm(root, { recursive: true })
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
