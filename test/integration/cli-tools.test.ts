import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { runInkwire } from '../support/inkwire.js'
import { canMount, run as mount } from '../support/privileged.js'
import { tempDir } from '../support/temp.js'

const mountable = canMount()
if (!mountable) console.log('skipped: a full disk needs the right to mount a tmpfs')

const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

/** A state file with this text. */
const stateFile = async (folder: string, text: string): Promise<string> => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  const file = join(folder, 'state.bin')
  await writeFile(file, Y.encodeStateAsUpdate(doc))
  return file
}

describe('import, list and export by the built command', () => {
  it('give a document back as it went in', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    const file = await stateFile(folder, 'hello 🙂')
    expect(await run('import', 'a/b', file, '--data', data)).toMatchObject({ code: 0, err: '' })
    expect(await run('list', '--data', data)).toEqual({ code: 0, out: 'a/b\n', err: '' })
    expect(await run('export', 'a/b', '--format', 'text', '--data', data)).toEqual({
      code: 0,
      out: 'hello 🙂',
      err: '',
    })
    expect(JSON.parse((await run('export', 'a/b', '--format', 'json', '--data', data)).out)).toEqual({
      text: 'hello 🙂',
    })
  })

  it('carry a document from one folder into another by the binary format', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    await run('import', 'a', await stateFile(folder, 'carried'), '--data', data)
    const copy = join(folder, 'copy.bin')
    expect(await run('export', 'a', '--output', copy, '--data', data)).toEqual({ code: 0, out: '', err: '' })
    const other = join(folder, 'other')
    expect(await run('import', 'b', copy, '--data', other)).toMatchObject({ code: 0, err: '' })
    expect((await run('export', 'b', '--format', 'text', '--data', other)).out).toBe('carried')
  })

  it('print all of a large document into a pipe', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    const text = 'All of it. '.repeat(300_000)
    await run('import', 'large', await stateFile(folder, text), '--data', data)
    const { code, out } = await run('export', 'large', '--format', 'text', '--data', data)
    expect(code).toBe(0)
    expect(out.length).toBe(text.length)
  })

  it('end quietly when nobody reads on', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    await run('import', 'large', await stateFile(folder, 'x'.repeat(3_000_000)), '--data', data)
    const process = runInkwire(['export', 'large', '--format', 'text', '--data', data])
    process.child.stdout?.destroy()
    expect(await process.exited).toBe(0)
    expect(process.stderr()).toBe('')
  })

  it('fail in one line when stdout is on a full disk', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    await run('import', 'notes', await stateFile(folder, 'x'), '--data', data)
    const full = await open('/dev/full', 'w')
    const process = runInkwire(['list', '--data', data], {}, { stdout: full.fd })
    expect(await process.exited).toBe(1)
    await full.close()
    expect(process.stderr()).toBe('inkwire: stdout: the disk is full (ENOSPC)\n')
  })

  it.runIf(mountable)('fail when a file takes only a part of what they print', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    await run('import', 'large', await stateFile(folder, 'x'.repeat(300_000)), '--data', data)
    const disk = await tempDir()
    mount('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk)
    onTestFinished(() => void mount('umount', disk))
    const file = await open(join(disk, 'large.txt'), 'w')
    const args = ['export', 'large', '--format', 'text', '--data', data]
    const process = runInkwire(args, {}, { stdout: file.fd })
    expect(await process.exited).toBe(1)
    await file.close()
    expect(process.stderr()).toBe('inkwire: stdout: the disk is full (ENOSPC)\n')
  })

  it('fail on a folder that is not there', async () => {
    const data = join(await tempDir(), 'missing')
    expect(await run('list', '--data', data)).toEqual({
      code: 1,
      out: '',
      err: `inkwire: there is no data folder ${data} (INKWIRE_NO_DOCUMENT)\n`,
    })
  })
})
