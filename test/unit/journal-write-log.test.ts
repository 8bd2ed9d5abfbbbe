/** LevelDB's logs as LevelDB writes them, whole and damaged. */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { restoreLogged } from '../../server/journal/logged.js'
import type { Write } from '../../server/journal/store.js'
import { firstLogOf, recordsOf, writesOf } from '../../server/journal/write-log.js'
import { flipBit } from '../support/journal-damage.js'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Beyond a block of 32 KiB now and then, and beyond two. */
const textOf = (i: number): string => `${i} `.repeat(i % 20 === 7 ? 20_000 : 100)
const COUNT = 60

describe('a log', () => {
  let directory: string
  let log: Buffer
  let number: number
  let manifest: Buffer

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'inkwire-'))
    const db = new Level<string, string>(join(directory, 'live'))
    await db.open()
    for (let i = 0; i < COUNT; i++) {
      await db.batch([
        { type: 'put', key: `key ${i}`, value: textOf(i) },
        { type: 'del', key: `key ${i - 2}` },
      ])
    }
    await cp(join(directory, 'live'), join(directory, 'copy'), { recursive: true })
    await db.close()
    const files = await readdir(join(directory, 'copy'))
    const name = files.find((file) => file.endsWith('.log')) ?? ''
    number = Number.parseInt(name, 10)
    log = await readFile(join(directory, 'copy', name))
    manifest = await readFile(join(directory, 'copy', files.find((file) => /^MANIFEST/.test(file)) ?? ''))
  })

  afterAll(() => rm(directory, { recursive: true }))

  const written = (bytes: Uint8Array): Write[] => [...recordsOf(bytes)].flatMap(writesOf)
  const expected = (i: number): Write[] => [
    { key: utf8(`key ${i}`), value: utf8(textOf(i)) },
    { key: utf8(`key ${i - 2}`), value: null },
  ]
  const plain = (writes: readonly Write[]): unknown =>
    writes.map(({ key, value }) => [Buffer.from(key).toString(), value && Buffer.from(value).toString()])

  test('gives each write in its order', () => {
    expect(plain(written(log))).toEqual(plain(Array.from({ length: COUNT }, (_, i) => expected(i)).flat()))
  })

  test('is the one that its MANIFEST begins with', () => {
    expect(firstLogOf(manifest)).toBe(number)
  })

  test('without its end gives what is whole', () => {
    const cut = written(log.subarray(0, log.length - 100))
    expect(plain(cut)).toEqual(plain(Array.from({ length: COUNT - 1 }, (_, i) => expected(i)).flat()))
  })

  test('with a damaged record gives all others, and never anything else', () => {
    const whole = new Map(written(log).map((write) => [JSON.stringify(plain([write])), write]))
    for (let at = 4; at < log.length; at += 4999) {
      const left = written(flipBit(log, at * 8))
      expect(left.length).toBeGreaterThanOrEqual(2 * (COUNT - 30))
      for (const write of left) expect(whole.has(JSON.stringify(plain([write])))).toBe(true)
    }
  })

  test('of zeros gives nothing', () => {
    expect(written(new Uint8Array(100_000))).toEqual([])
  })
})

describe('a store that is held against what its log held', () => {
  const key = utf8('key')
  const restore = async (found: Uint8Array | undefined, value: Uint8Array | null): Promise<Write[]> => {
    const written: Write[] = []
    const store = {
      getMany: async () => [found],
      write: async (writes: readonly Write[]) => void written.push(...writes),
    }
    expect(await restoreLogged(store, new Map([['key', { key, value }]]))).toBe(written.length)
    return written
  }

  test.each([
    ['is there', utf8('a'), utf8('a'), false],
    ['is missing', undefined, utf8('a'), true],
    ['is another', utf8('b'), utf8('a'), true],
    ['was removed', undefined, null, false],
    ['was removed, and is there', utf8('a'), null, true],
  ] as const)('what %s', async (_, found, value, again) => {
    expect(await restore(found, value)).toEqual(again ? [{ key, value }] : [])
  })

  test('that can’t be read in one place is left to those who read it', async () => {
    const store = {
      getMany: () => Promise.reject(new Error('Corruption: block checksum mismatch')),
      write: () => Promise.reject(new Error('nothing is to be written')),
    }
    expect(await restoreLogged(store, new Map([['key', { key, value: null }]]))).toBe(0)
  })
})
