/** A disk that keeps fdatasync waiting, without an error, as a cloud volume that stalls does; by strace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openClient } from '../support/clients.js'
import { metric, serveProcess } from '../support/inkwire.js'
import { hasTool } from '../support/privileged.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const attachable = hasTool('strace') && process.getuid?.() === 0
if (!attachable) console.log('skipped: stalling the disk of a server needs strace and root')

/** Whether all threads of a process are traced. */
const isTraced = async (pid: number): Promise<boolean> => {
  const threads = await readdir(`/proc/${pid}/task`)
  const states = await Promise.all(threads.map((id) => readFile(`/proc/${pid}/task/${id}/status`, 'utf8')))
  return states.every((state) => !/^TracerPid:\s+0$/m.test(state))
}

/** Lets no fdatasync of a process go on, until the function that it resolves with is called. */
const stallDisk = async (pid: number): Promise<() => Promise<void>> => {
  const longer = 'inject=fdatasync,fsync:delay_enter=120s'
  const args = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=fdatasync,fsync',
    '-e',
    longer,
    '-p',
    String(pid),
  ]
  const strace = spawn('strace', args, { stdio: 'ignore' })
  const ended = once(strace, 'exit')
  const release = async (): Promise<void> => {
    strace.kill('SIGTERM')
    await ended
  }
  onTestFinished(release)
  await until('strace is attached', () => isTraced(pid))
  return release
}

describe.runIf(attachable)('a disk that does not answer', () => {
  it('makes the server unready with the reason after 5 s; documents are served meanwhile', async () => {
    const server = await serveProcess(await tempDir())
    const readyz = async () => {
      const answer = await fetch(`${server.url}/readyz`)
      return { status: answer.status, ...((await answer.json()) as { reasons: string[] }) }
    }
    const author = openClient('ours', server.ws, 'notes')
    author.text.insert(0, 'safe. ')
    await author.ours?.whenSaved({ timeout: 10_000 })
    expect(await readyz()).toMatchObject({ status: 200, reasons: [] })
    expect(await metric(server, 'inkwire_write_under_way_seconds')).toBe(0)

    const release = await stallDisk(server.child.pid ?? 0)
    author.text.insert(0, 'not yet safe. ')
    await until('it is not ready', async () => (await readyz()).status === 503)
    expect((await readyz()).reasons).toEqual([
      expect.stringMatching(/^the disk has not answered for [5-9]\d* s$/),
    ])
    expect(await metric(server, 'inkwire_write_under_way_seconds')).toBeGreaterThanOrEqual(5)
    expect(await metric(server, 'inkwire_ready')).toBe(0)
    const reader = openClient('stock', server.ws, 'notes')
    await until('the edit is relayed', () => reader.text.toString() === 'not yet safe. safe. ')
    const fresh = openClient('ours', server.ws, 'new')
    await until('a new document opens', () => fresh.ours?.synced)
    expect(author.ours?.saveState.status).toBe('received')

    await release()
    await author.ours?.whenSaved({ timeout: 20_000 })
    await until('it is ready again', async () => (await readyz()).status === 200)
    const logged = server
      .stderr()
      .split('\n')
      .filter((line) => line.includes('the disk'))
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'error', msg: 'the disk has not answered for 5 s; nothing is saved until it does' },
      { level: 'info', msg: 'the disk answers again' },
    ])
  })
})
