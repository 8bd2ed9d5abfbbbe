import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ServerOptions } from '../config.js'
import type { InkwireServer } from '../inkwire-server.js'
import { Extra } from './extra.js'

/** Documents, and how many are in each: half of them type. */
const DOCUMENTS = 8
const IN_EACH = 5
const AUTHORS_IN_EACH = 2
/** Everybody who types has typed so many letters when the next one comes in, and leaves. */
const ROUNDS_A_GUEST = 8

const PREFIX = 'inkwire-warm-up-'
/** A folder that hasn't changed for so long, ms, is one of a server that was killed. */
const LEFT_BEHIND_MS = 60_000

/** What a warm-up needs. */
export interface WarmUpDeps {
  /** Makes the server that is played with. */
  readonly createServer: (options: ServerOptions) => InkwireServer
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  /** How long it takes, ms. */
  readonly ms: number
  /** Ends it early. */
  readonly signal: AbortSignal
}

/**
 * Has a server of its own, on a folder that is removed afterwards and a socket that nobody else can reach, served by the
 * same code as the real one, do what servers do: let clients in, take what they type, write it down, pass it on.
 *
 * A program that has just started runs code that V8 has yet to compile, many times slower than it will be: just when
 * all clients come back at once after a restart.
 *
 * @throws whatever keeps it from that; the real server is none the worse for it.
 */
export const warmUp = async ({ createServer, clock, ms, signal }: WarmUpDeps): Promise<void> => {
  const end = clock() + ms
  await removeLeftovers()
  // Only this user can look into it (mkdtemp(3)): so nobody else comes.
  const folder = await mkdtemp(join(tmpdir(), PREFIX))
  const server = createServer({ data: folder, durability: 'os', demo: false, shutdownTimeoutMs: 1000 })
  const http = createHttpServer(server.requestHandler)
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head))
  const extras: Extra[] = []
  try {
    const path = pathIn(folder)
    await once(http.listen(path), 'listening')
    const enter = (): Promise<Extra> => {
      const number = extras.length
      return Extra.enter(path, `document-${number % DOCUMENTS}`, number + 1, number % 2 === 0)
    }
    const going = (): boolean => clock() < end && !signal.aborted
    while (going() && extras.length < DOCUMENTS * IN_EACH) extras.push(await enter())
    for (let round = 0; going(); round++) {
      for (const author of extras.slice(0, DOCUMENTS * AUTHORS_IN_EACH)) author.type()
      for (const mover of extras.slice(-DOCUMENTS)) mover.move()
      if (round % ROUNDS_A_GUEST === 0) (await enter()).leave()
      // What was said is read, passed on, and the disk's answer comes in.
      for (let turns = 0; turns < 3; turns++) await nextTurn()
    }
  } finally {
    for (const extra of extras) extra.leave()
    http.close()
    http.closeAllConnections()
    await server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const removeLeftovers = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    // Another user's can't be removed, and needn't be.
    if (Date.now() - mtimeMs > LEFT_BEHIND_MS)
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Where a server can listen for this machine only. */
const pathIn = (folder: string): string =>
  process.platform === 'win32' ? join('\\\\.\\pipe', folder) : join(folder, 'socket')
