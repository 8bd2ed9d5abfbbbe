/** A store whose files somebody else lays hands on. */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type LevelStore, openLevelStore } from '../../server/journal/level-store.js'
import { tempDir } from '../support/temp.js'

const key = (i: number): Uint8Array => new TextEncoder().encode(`key ${i}`)
const VALUE = Buffer.of(1, 2, 3)

/** An open store that looks at its folder before each write. */
const setup = async (): Promise<{ store: LevelStore; location: string }> => {
  const location = join(await tempDir(), 'store')
  let now = 0
  const store = await openLevelStore(location, { sync: true, elapsed: () => (now += 10_000) })
  await store.write([{ key: key(1), value: VALUE }])
  return { store, location }
}

describe('a store that is open', () => {
  test('takes nothing more when its folder was removed, and is not made anew in its place', async () => {
    const { store, location } = await setup()
    await rm(location, { recursive: true })
    const write = store.write([{ key: key(2), value: VALUE }])
    await expect(write).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
    await expect(store.reopen()).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
    await store.close()
  })

  test('takes nothing for another store that stands in its place', async () => {
    const { store, location } = await setup()
    await rename(location, `${location} away`)
    await mkdir(location)
    const write = store.write([{ key: key(2), value: VALUE }])
    await expect(write).rejects.toThrow('moved, removed or replaced')
    await expect(store.reopen()).rejects.toThrow('moved, removed or replaced')
    await store.close()
  })

  test('takes nothing more when its CURRENT was removed, and LevelDB makes no new store of it', async () => {
    const { store, location } = await setup()
    await store.flush()
    await rm(join(location, 'CURRENT'))
    await expect(store.write([{ key: key(2), value: VALUE }])).rejects.toThrow('moved, removed or replaced')
    await expect(store.reopen()).rejects.toThrow('moved, removed or replaced')
    await store.close()
    expect((await readdir(location)).filter((file) => file.endsWith('.ldb'))).toHaveLength(1)
  })

  test('goes on when its folder is back', async () => {
    const { store, location } = await setup()
    await rename(location, `${location} away`)
    await expect(store.write([{ key: key(2), value: VALUE }])).rejects.toThrow()
    await rename(`${location} away`, location)
    await store.reopen()
    await store.write([{ key: key(2), value: VALUE }])
    expect(await store.get(key(1))).toEqual(VALUE)
    await store.close()
  })

  test('has everything on disk again when its log was removed', async () => {
    const { store, location } = await setup()
    for (const file of await readdir(location)) if (file.endsWith('.log')) await rm(join(location, file))
    await store.write([{ key: key(2), value: VALUE }])
    // As a process that is killed now leaves it.
    await cp(location, `${location} killed`, { recursive: true })
    await store.close()
    const again = await openLevelStore(`${location} killed`, { sync: true })
    expect([await again.get(key(1)), await again.get(key(2))]).toEqual([VALUE, VALUE])
    await again.close()
  })
})

describe('a store that is closed', () => {
  test('with a log that can’t be read is not opened, which would remove the log', async () => {
    const { store, location } = await setup()
    await store.close()
    // EISDIR stands for EIO.
    await mkdir(join(location, '999999.log'))
    const open = openLevelStore(location, { sync: true })
    await expect(open).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED', message: /999999\.log/ })
    expect(await readdir(location)).toContain('999999.log')
  })

  test('and was being rebuilt is rebuilt to the end', async () => {
    const { store, location } = await setup()
    await store.flush()
    await store.close()
    // So does LevelDB leave it when it is killed before it has put a new one in its place.
    for (const file of await readdir(location)) if (/^MANIFEST/.test(file)) await rm(join(location, file))
    await expect(openLevelStore(location, { sync: true })).rejects.toMatchObject({
      code: 'INKWIRE_STORE_FAILED',
    })
    await mkdir(join(location, 'rebuilding'))
    const again = await openLevelStore(location, { sync: true })
    expect(await again.get(key(1))).toEqual(VALUE)
    await again.close()
    expect(await readdir(location)).not.toContain('rebuilding')
  })
})
