import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { InkwireServer, ServerOptions } from '../../server/index.js'
import { tempDir } from './temp.js'

/** The built server, as the package's users get it. */
export const built = (await import(
  new URL('../../dist/server/index.js', import.meta.url).href
)) as typeof import('../../server/index.js')

/** The built command line. */
export const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))

/** A built server that listens in this process, on a free port and a temporary folder; closed after the test. */
export const startServer = async (
  options: ServerOptions = {},
): Promise<{ server: InkwireServer; url: string; ws: string; data: string }> => {
  const data = options.data ?? (await tempDir())
  const server = built.createServer({ port: 0, demo: false, roomLingerMs: 0, ...options, data })
  onTestFinished(async () => {
    await server.close()
  })
  const { url } = await server.listen()
  return { server, url, ws: url.replace('http', 'ws'), data }
}

/** What tests go by (`INKWIRE_SEED` and the like) would be named as no settings. */
const WITHOUT_OURS = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('INKWIRE_')),
)

/** An `inkwire` process. */
export interface Process {
  readonly child: ChildProcess
  /** What it printed so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Ends with its exit code, or the signal that killed it. */
  readonly exited: Promise<number | NodeJS.Signals>
}

/**
 * Runs the built `inkwire` under plain node; killed after the test if it is still there.
 *
 * @param outputs open files that it prints to instead.
 */
export const runInkwire = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  outputs: { readonly stdout?: number; readonly stderr?: number } = {},
): Process => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    // A second for each start is only worth it where it is what a test is about.
    env: { ...WITHOUT_OURS, INKWIRE_NO_WARM_UP: '1', ...env },
    stdio: ['ignore', outputs.stdout ?? 'pipe', outputs.stderr ?? 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, stdout: () => stdout, stderr: () => stderr, exited }
}

/** `inkwire serve` as a process of its own, once it listens. */
export const serveProcess = async (
  data: string,
  { port = 0, args = [] as readonly string[], stderr = undefined as number | undefined } = {},
): Promise<Process & { url: string; ws: string; port: number }> => {
  const command = ['serve', '--port', String(port), '--data', data, ...args]
  const running = runInkwire(command, {}, stderr === undefined ? {} : { stderr })
  const url = await new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const match = /http:\/\/\S+/.exec(running.stdout())
      if (match) resolve(match[0].replace(/[/.,]+$/, ''))
    }
    running.child.stdout?.on('data', look)
    running.exited.then((code) => reject(new Error(`serve ended with ${code}: ${running.stderr()}`)))
  })
  return { ...running, url, ws: url.replace('http', 'ws'), port: Number(new URL(url).port) }
}

/**
 * A number from `/metrics`; of a metric without labels.
 *
 * @example
 *   await metric(server, 'inkwire_rooms')
 */
export const metric = async ({ url }: { readonly url: string }, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  if (value === undefined) throw new Error(`there is no metric ${name}`)
  return Number(value)
}
