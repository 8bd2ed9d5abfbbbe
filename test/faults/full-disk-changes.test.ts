/** The operator deletes, rolls back and restores documents while the disk is full and people edit them. */
import { existsSync } from 'node:fs'
import { mkdtemp, open, rm, statfs, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Client, openClient } from '../support/clients.js'
import { runInkwire, serveProcess } from '../support/inkwire.js'
import { canMount, run } from '../support/privileged.js'
import { until } from '../support/until.js'

const DISK_MB = 32

const mountable = canMount()
if (!mountable) console.log('skipped: a full disk needs the right to mount a tmpfs')

/** A disk of its own, which can be filled up and emptied again. */
const mountDisk = async () => {
  const root = await mkdtemp(join(tmpdir(), 'inkwire-full-'))
  const disk = join(root, 'disk')
  const filler = join(disk, 'filler')
  run('mkdir', disk)
  run('mount', '-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk)
  onTestFinished(async () => {
    run('umount', '-l', disk)
    await rm(root, { recursive: true })
  })
  const fillUp = async (): Promise<void> => {
    const file = await open(filler, 'a')
    const { bavail, bsize } = await statfs(disk)
    try {
      for (let room = bavail; room > 0; room--) await file.write(Buffer.alloc(bsize, 1))
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    } finally {
      await file.close()
    }
  }
  return { root, data: join(disk, 'data'), fillUp, makeRoom: () => unlink(filler) }
}

const ready = async ({ url }: { readonly url: string }): Promise<boolean> =>
  (await fetch(`${url}/readyz`)).status === 200

/** A command's exit code and what it said of what went wrong. */
const command = async (...args: string[]): Promise<{ code: unknown; said: string }> => {
  const process = runInkwire(args)
  return { code: await process.exited, said: process.stderr() }
}

/** What is in a document for one who has just come. */
const textNow = async (ws: string, name: string): Promise<string> => {
  const newcomer = openClient('ours', ws, name)
  await newcomer.whenSynced()
  return newcomer.text.toString()
}

describe.runIf(mountable)('on a full disk', () => {
  it('delete, rollback and restore fail at once, nobody is told that they were done, and later they are not', async () => {
    const { root, data, fillUp, makeRoom } = await mountDisk()
    const server = await serveProcess(data)
    const names = ['deleted', 'rolled-back', 'restored'] as const
    const clients = names.flatMap((name) =>
      (['ours', 'stock'] as const).map((kind) => [name, openClient(kind, server.ws, name)] as const),
    )
    const closed: number[] = []
    for (const [, client] of clients) client.onClosed((code) => void closed.push(code))
    const edit = (text: string): void => {
      for (const [, { text: shared }] of clients) shared.insert(shared.length, text)
    }
    const saved = (): Promise<unknown> =>
      Promise.all(clients.map(([, { ours }]) => ours?.whenSaved({ timeout: 30_000 })))

    await Promise.all(clients.map(([, client]) => client.whenSynced()))
    edit('before ')
    await saved()
    const backup = join(root, 'backup')
    expect(await command('backup', backup, '--data', data)).toMatchObject({ code: 0 })
    const moment = new Date().toISOString()
    await until('a millisecond has passed', () => Date.now() > Date.parse(moment) + 1)
    edit('after ')
    await saved()

    const busy: Client = openClient('ours', server.ws, 'busy')
    await busy.whenSynced()
    await until('there is ballast', () => existsSync(join(data, 'ballast')))
    const attempts = (): number => server.stderr().split('the journal cannot write').length
    await until('the disk is full, the ballast gone, and the room that it made', async () => {
      const last = !existsSync(join(data, 'ballast'))
      await fillUp()
      const before = attempts()
      await until('the server finds it full', async () => {
        busy.text.insert(0, 'x'.repeat(10_000))
        return !(await ready(server))
      })
      // Not one that was under way while the disk was filled up, and may have written its batch just before.
      await until('two more attempts have failed, or one has not', async () => {
        return attempts() >= before + 2 || (await ready(server))
      })
      return last && !(await ready(server))
    })
    edit('unsaved ')

    for (const args of [
      ['delete', 'deleted'],
      ['rollback', 'rolled-back', '--before', moment],
      ['restore', backup, 'restored'],
    ]) {
      const { code, said } = await command(...args, '--data', data)
      expect([code, said]).toEqual([
        1,
        expect.stringMatching(/No space left on device.*INKWIRE_STORE_FAILED/),
      ])
    }
    expect(closed).toEqual([])
    const text = 'before before after after unsaved unsaved '
    // Edits are relayed, also to who comes now.
    expect((await textNow(server.ws, 'deleted')).length).toBe(text.length)

    await makeRoom()
    await until('the store works again', () => ready(server))
    await saved()
    for (const name of names) expect((await textNow(server.ws, name)).length).toBe(text.length)
    for (const [, client] of clients) expect(client.text.length).toBe(text.length)
    expect(closed).toEqual([])
  })
})
