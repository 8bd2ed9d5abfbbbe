import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Dialect, hocuspocus, yWebsocket } from './dialect.js'

export type Name = 'inkwire' | 'y-websocket-server' | 'hocuspocus' | 'naive' | 'floor'

/** A server under load. */
export interface Running {
  readonly name: Name
  readonly url: string
  readonly pid: number
  readonly dialect: Dialect
  /** Speaks `inkwire.1`. */
  readonly extended: boolean
  /** Keeps what it gets. */
  readonly stores: boolean
  /** Stops it as an operator would, and starts it again on the same data. */
  restart(): Promise<Running>
  /** Stops it and removes its data. */
  stop(): Promise<void>
}

/** Where things are. */
export interface Places {
  /** The folder of the benchmark. */
  readonly bench: string
  readonly peers: string
  readonly node: string
  /** Where CPU profiles are written to, if they are wanted. */
  readonly profile?: string
}

const STOPS_WITHIN_MS = 20_000

/** Starts a server as a process of its own, on a core of its own if there are several. */
export const start = async (name: Name, places: Places, data?: string): Promise<Running> => {
  const folder = data ?? (await mkdtemp(join(tmpdir(), 'inkwire-bench-')))
  const profile = places.profile ? ['--cpu-prof', `--cpu-prof-dir=${places.profile}`] : []
  const command = [places.node, ...profile, ...scriptOf(name, places, folder)]
  const pinned = process.platform === 'linux' && availableParallelism() > 1
  const [program = '', ...args] = pinned ? ['taskset', '-c', '0', ...command] : command
  // Ours would say that it is no setting.
  const { INKWIRE_BENCH: _, ...others } = process.env
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...others,
      ...(name === 'inkwire' ? {} : { INKWIRE_PEERS: places.peers, INKWIRE_BENCH_DATA: folder }),
      NODE_ENV: 'production',
      NODE_NO_WARNINGS: '1',
    },
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} could not be started`)
  const exited = once(child, 'close')
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      const match = /http:\/\/[\w.]+:\d+/.exec(text)
      if (match) resolve(match[0])
    })
    exited.then(() => reject(new Error(`${name} ended: ${text}`)))
  })
  const end = async (): Promise<void> => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS)
    await exited
    clearTimeout(late)
  }
  return {
    name,
    url,
    pid,
    dialect: name === 'hocuspocus' ? hocuspocus : yWebsocket,
    extended: name === 'inkwire',
    stores: name !== 'naive' && name !== 'floor',
    restart: async () => {
      await end()
      return start(name, places, folder)
    },
    stop: async () => {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const scriptOf = (name: Name, { bench }: Places, data: string): string[] => {
  switch (name) {
    case 'inkwire': {
      const main = join(bench, '../../dist/server/main.js')
      return [main, 'serve', '--port', '0', '--data', data, '--no-demo', '--log-level', 'warn']
    }
    case 'y-websocket-server':
      return [join(bench, 'servers/y-websocket.mjs')]
    case 'hocuspocus':
      return [join(bench, 'servers/hocuspocus.mjs')]
    case 'naive':
      return [join(bench, 'servers/naive.mjs')]
    case 'floor':
      return [join(bench, 'servers/floor.mjs')]
    default:
      return name satisfies never
  }
}
