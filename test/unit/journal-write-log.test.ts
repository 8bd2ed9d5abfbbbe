/** LevelDB's logs as LevelDB writes them, whole and damaged. */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Logged } from '../../server/journal/logged.js'
import type { Write } from '../../server/journal/store.js'
import { firstLogOf, recordsOf, writesOf } from '../../server/journal/write-log.js'
import { flipBit } from '../support/journal-damage.js'
import { tempDir } from '../support/temp.js'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Beyond a block of 32 KiB now and then, and beyond two. */
const textOf = (i: number): string => `${i} `.repeat(i % 20 === 7 ? 20_000 : 100)
const COUNT = 60
const plain = (writes: readonly Write[]): unknown =>
  writes.map(({ key, value }) => [Buffer.from(key).toString(), value && Buffer.from(value).toString()])

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

  test('with a damaged record gives those of other blocks, and never anything else', () => {
    const whole = new Map(written(log).map((write) => [JSON.stringify(plain([write])), write]))
    for (let at = 4; at < log.length; at += 4999) {
      const left = written(flipBit(log, at * 8))
      expect(left.length).toBeGreaterThan(0)
      for (const write of left) expect(whole.has(JSON.stringify(plain([write])))).toBe(true)
    }
  })

  test('of zeros gives nothing', () => {
    expect(written(new Uint8Array(100_000))).toEqual([])
  })
})

describe('a store that is held against what its logs held', () => {
  /** A store as a killed process leaves it: one key was put, another removed. */
  const killed = async (): Promise<string> => {
    const directory = await tempDir()
    const db = new Level<string, string>(join(directory, 'live'))
    await db.batch([
      { type: 'put', key: 'put', value: 'a' },
      { type: 'put', key: 'removed', value: 'a' },
    ])
    await db.del('removed')
    await cp(join(directory, 'live'), join(directory, 'killed'), { recursive: true })
    await db.close()
    return join(directory, 'killed')
  }

  /** What is written again when the opened store has this. */
  const restored = async (location: string, found: Readonly<Record<string, string>>): Promise<Write[]> => {
    const logged = new Logged(location)
    await logged.read()
    const written: Write[] = []
    const missing = await logged.restore({
      getMany: async (keys) =>
        keys.map((key) => {
          const value = found[Buffer.from(key).toString()]
          return value === undefined ? undefined : utf8(value)
        }),
      write: async (writes) => void written.push(...writes),
    })
    expect(missing).toBe(written.length)
    return written
  }

  test.each([
    ['has all of it', { put: 'a' }, []],
    ['lacks what was put', {}, [['put', 'a']]],
    ['has something else', { put: 'b' }, [['put', 'a']]],
    ['has what was removed', { put: 'a', removed: 'a' }, [['removed', null]]],
  ])('that %s', async (_, found, expected) => {
    expect(plain(await restored(await killed(), found))).toEqual(expected)
  })

  test('that can’t be read in one place: all is written again', async () => {
    const logged = new Logged(await killed())
    await logged.read()
    const written: Write[] = []
    await logged.restore({
      getMany: () => Promise.reject(new Error('Corruption: block checksum mismatch')),
      write: async (writes) => void written.push(...writes),
    })
    expect(plain(written)).toEqual([
      ['put', 'a'],
      ['removed', null],
    ])
  })

  test('after its logs were removed and the process killed: they were kept aside', async () => {
    const location = await killed()
    await new Logged(location).read()
    for (const file of await readdir(location)) if (file.endsWith('.log')) await rm(join(location, file))
    expect(plain(await restored(location, {}))).toEqual([['put', 'a']])
    expect(await readdir(location)).not.toContain('unread')
    expect(plain(await restored(location, {}))).toEqual([])
  })

  test('after that could not be written: it is tried again', async () => {
    const location = await killed()
    const logged = new Logged(location)
    await logged.read()
    const full = { getMany: async () => [], write: () => Promise.reject(new Error('no space left')) }
    await expect(logged.restore(full)).rejects.toThrow('no space left')
    expect(plain(await restored(location, {}))).toEqual([['put', 'a']])
  })
})
