/** A log that nobody can write: the server does its work as if there were none, and ends as it would. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MAIN, metric, runInkwire, serveProcess } from '../support/inkwire.js'
import { canMount, hasTool, run } from '../support/privileged.js'
import { createProvider } from '../support/provider.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/** A file, open until the test is over. */
const opened = (path: string, flags: string | number): number => {
  const fd = openSync(path, flags)
  onTestFinished(() => closeSync(fd))
  return fd
}

/** Calls `step` until the operating system says that there is no more. */
const untilRefused = (step: () => void): void => {
  try {
    for (;;) step()
  } catch (error) {
    if (!['EAGAIN', 'ENOSPC'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** A pipe that is full already. What a process that has it writes is read only when `readAll` is called. */
const fullPipe = async () => {
  const path = join(await tempDir(), 'pipe')
  run('mkfifo', path)
  // As whoever starts a server hands it over: blocking. What the test itself does isn't to block.
  const stderr = opened(path, constants.O_RDWR)
  const own = opened(path, constants.O_RDWR | constants.O_NONBLOCK)
  untilRefused(() => writeSync(own, '.'.repeat(4096)))
  let text = ''
  const readAll = (): string => {
    const buffer = Buffer.alloc(65_536)
    untilRefused(() => {
      text += buffer.toString('latin1', 0, readSync(own, buffer))
    })
    return text.replace(/^\.+/, '')
  }
  return { stderr, readAll }
}

/** An edit is saved, and the server says that it is well. */
const works = async ({ url, ws }: { readonly url: string; readonly ws: string }): Promise<void> => {
  const { provider, text } = createProvider(ws, 'notes')
  await provider.whenSynced
  text.insert(0, 'typed')
  await provider.whenSaved({ timeout: 10_000 })
  const { status } = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) })
  expect(status).toBe(200)
}

/** Ends with 0, and not only after a time. */
const endsWell = async ({ child, exited }: Awaited<ReturnType<typeof serveProcess>>): Promise<void> => {
  const since = performance.now()
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
  expect(performance.now() - since).toBeLessThan(5000)
}

const DEBUG = ['--log-level', 'debug']

/** The messages of a log's lines, which must be whole. */
const messages = (log: string): string[] => {
  expect(log.endsWith('}\n')).toBe(true)
  return log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg)
}

describe('serve, when its log can not be written', () => {
  it('on a full disk from the start', async () => {
    const server = await serveProcess(await tempDir(), { args: DEBUG, stderr: opened('/dev/full', 'w') })
    await works(server)
    await endsWell(server)
  })

  it('into a pipe that nobody reads', async () => {
    const { stderr, readAll } = await fullPipe()
    const server = await serveProcess(await tempDir(), { args: DEBUG, stderr })
    await works(server)
    await endsWell(server)
    // It had its time for last words, but no room for any.
    expect(readAll()).toBe('')
  })

  it('into a pipe that is read only later: every line is there', async () => {
    const { stderr, readAll } = await fullPipe()
    const server = await serveProcess(await tempDir(), { stderr })
    await works(server)
    expect(readAll()).toBe('')
    await until('it has been tried again', () => readAll().endsWith('}\n'))
    await endsWell(server)
    expect(messages(readAll())).toEqual(['listening', 'stopping', 'stopped'])
  })

  it('into a pipe whose reader is gone', async () => {
    const server = await serveProcess(await tempDir(), { args: DEBUG })
    server.child.stderr?.destroy()
    await works(server)
    expect(await metric(server, 'inkwire_log_lines_dropped_total')).toBe(0)
    await endsWell(server)
  })

  it('beside a stdout that can not be written either', async () => {
    const data = await tempDir()
    const stdout = opened('/dev/full', 'w')
    const process = runInkwire(['serve', '--port', '0', '--data', data], {}, { stdout })
    const url = await until('it listens', () => /"url":"([^"]+)"/.exec(process.stderr())?.[1])
    const server = { ...process, url, ws: url.replace('http', 'ws'), port: 0 }
    await works(server)
    await endsWell(server)
  })
})

/** `inkwire serve` in a terminal of its own, whose keys are pressed by `press`. */
const serveInTerminal = async (data: string) => {
  const folder = await tempDir()
  const command = `echo $$ > ${folder}/pid; exec ${process.execPath} ${MAIN} serve --port 0 --data ${data} --log-level debug`
  const env = { ...process.env, INKWIRE_NO_WARM_UP: '1' }
  const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: 'pipe', env })
  const exited = once(child, 'close').then(([code]) => code as number)
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  const url = await until('it listens', () => /listens at (http\S+)/.exec(shown)?.[1])
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8'))
  onTestFinished(async () => {
    // It ends with the process in it.
    if (child.exitCode === null) process.kill(pid, 'SIGKILL')
    await exited
  })
  const kill = (signal: NodeJS.Signals) => process.kill(pid, signal)
  const press = (key: string) => void child.stdin.write(key)
  return { url, ws: url.replace('http', 'ws'), kill, press, exited, shown: () => shown }
}

const STOP = '\x13'
const GO_ON = '\x11'

const hasTerminals = hasTool('script')
if (!hasTerminals) console.log('skipped: a log in a terminal needs the tool script')

describe.runIf(hasTerminals)('serve, in a terminal that was stopped by Ctrl-S', () => {
  it('goes on, and shows what it said when the terminal goes on', async () => {
    const { press, kill, exited, shown, ...server } = await serveInTerminal(await tempDir())
    press(STOP)
    // A key takes effect when the terminal gets to it.
    await until('nothing more is shown', async () => {
      const before = shown()
      await works(server)
      return shown() === before
    })
    const before = shown()
    for (let time = 0; time < 3; time++) await works(server)
    expect(shown()).toBe(before)
    press(GO_ON)
    await until('the rest is shown', () => shown().length > before.length && shown().endsWith('}\r\n'))
    press(STOP)
    kill('SIGTERM')
    expect(await exited).toBe(0)
  })
})

const mountable = canMount()
if (!mountable) console.log('skipped: a log on a full disk needs the right to mount a tmpfs')

describe.runIf(mountable)('serve, with its log on a disk that gets full', () => {
  it('leaves no half line, and writes again when there is room', async () => {
    const disk = await tempDir()
    run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk)
    onTestFinished(() => void run('umount', disk))
    const log = join(disk, 'log')
    // Room for half of the first line.
    const before = `${'-'.repeat(4096 - 51)}\n`
    await writeFile(log, before)
    const filler = openSync(join(disk, 'filler'), 'w')
    untilRefused(() => writeSync(filler, '.'.repeat(4096)))
    closeSync(filler)

    const server = await serveProcess(await tempDir(), { stderr: opened(log, 'a') })
    await works(server)
    expect((await readFile(log)).length).toBe(4096)
    await rm(join(disk, 'filler'))
    await until('the log is written again', async () => (await readFile(log)).length > 4096)
    await endsWell(server)
    const said = (await readFile(log, 'utf8')).slice(before.length)
    expect(messages(said)).toEqual(['listening', 'stopping', 'stopped'])
  })
})
