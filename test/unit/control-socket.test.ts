import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectControl } from '../../server/control/client.js'
import { openDataFolder } from '../../server/data-folder.js'
import { names, startControl, update } from '../support/control.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

describe('the socket', () => {
  it('can be opened by its own user only, and is gone afterwards', async () => {
    const { folder, control } = await startControl()
    expect((await stat(join(folder, 'control.sock'))).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['control.sock'])
    await control.close()
    expect(await readdir(folder)).toEqual([])
    expect(await connectControl(folder)).toBeNull()
  })

  it('takes the place of what a killed server left', async () => {
    const folder = await tempDir()
    await writeFile(join(folder, 'control.sock'), 'stale')
    await mkdir(join(folder, 'control.new'))
    await writeFile(join(folder, 'control.new', 's'), 'stale')
    expect(await connectControl(folder)).toBeNull()
    const { connect } = await startControl({}, folder)
    expect(await names((await connect()).list())).toEqual([])
    expect(await readdir(folder)).toEqual(['control.sock'])
  })

  it('lies in the temporary folder when its path would be too long', async () => {
    const root = await tempDir()
    const folder = join(root, 'a-rather-long-name-of-a-folder'.repeat(4))
    await mkdir(folder)
    const { connect, control } = await startControl({}, folder)
    const path = await readFile(join(folder, 'control.path'), 'utf8')
    expect(path.startsWith(tmpdir())).toBe(true)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
    expect(await (await connect()).merge('doc', update('x'))).toBe(true)
    await control.close()
    expect(await readdir(folder)).toEqual([])
    await expect(stat(dirname(path))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is left out with a warning where there can be none', async () => {
    const { warnings, control } = await startControl({}, join(await tempDir(), 'not', 'there'))
    expect(warnings).toEqual(['there is no control socket: tools work while the server is stopped'])
    await control.close()
  })

  it('is no reason to remove files that are not its own', async () => {
    const folder = await tempDir()
    const precious = join(folder, 'precious')
    await mkdir(precious)
    await writeFile(join(precious, 'control.sock'), 'not a socket')
    await writeFile(join(folder, 'control.path'), join(precious, 'control.sock'))
    const { control } = await startControl({}, folder)
    await control.close()
    expect(await readdir(precious)).toEqual(['control.sock'])
  })

  it('of something else is not taken for a server', async () => {
    const folder = await tempDir()
    const other = createServer((_, response) => response.end('{"server":"other"}'))
    await new Promise<void>((resolve) => other.listen(join(folder, 'control.sock'), resolve))
    onTestFinished(() => void other.close())
    expect(await connectControl(folder)).toBeNull()
  })

  it('that somebody listens at who says nothing is taken for a server that is stuck', async () => {
    const folder = await tempDir()
    const stuck = createServer(() => undefined)
    await new Promise<void>((resolve) => stuck.listen(join(folder, 'control.sock'), resolve))
    onTestFinished(() => {
      stuck.closeAllConnections()
      stuck.close()
    })
    await expect(connectControl(folder, 100)).rejects.toMatchObject({
      code: 'INKWIRE_STORE_LOCKED',
      message: expect.stringMatching(
        /is in use by another server: something listens at .*control\.sock and does/,
      ),
    })
  })

  it('keeps everybody else from opening the folder as long as somebody answers there', async () => {
    const { folder, control } = await startControl()
    // No lock is held: the server's journal is in memory.
    await expect(openDataFolder({ directory: folder })).rejects.toMatchObject({
      code: 'INKWIRE_STORE_LOCKED',
      message: expect.stringMatching(
        /^the data folder .* is in use by another server: it answers at .*\/control\.sock$/,
      ),
    })
    expect(await readdir(folder)).toEqual(['control.sock'])
    await control.close()
    const journal = await openDataFolder({ directory: folder })
    await journal.close()
  })

  it('closes only after what is under way, within a bounded time', async () => {
    let release: () => void = () => undefined
    let asked = false
    const { connect, control } = await startControl({
      stored: (name) => {
        asked = true
        if (name === 'never') return new Promise(() => undefined)
        return new Promise((resolve) => {
          release = () => resolve(null)
        })
      },
    })
    const client = await connect()
    const reading = client.read('slow')
    await until('asked', () => asked)
    const closed = control.close()
    release()
    expect(await reading).toBeNull()
    await closed
  })

  it('gives up on what never ends', async () => {
    let asked = false
    const { connect, control } = await startControl({
      stored: () => {
        asked = true
        return new Promise(() => undefined)
      },
    })
    const reading = (await connect()).read('never')
    reading.catch(() => undefined)
    await until('asked', () => asked)
    await control.close()
    await expect(reading).rejects.toMatchObject({ code: 'INKWIRE_STORE_CLOSED' })
  })
})
