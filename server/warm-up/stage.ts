import { randomUUID } from 'node:crypto'
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerOptions } from '../config.js'
import type { InkwireServer } from '../inkwire-server.js'

const PREFIX = 'inkwire-warm-up-'
/** A folder that hasn't changed for so long, ms, is one of a process that was killed. */
const LEFT_BEHIND_MS = 60_000

/** A server to play with, on a folder that is removed afterwards. */
export class Stage {
  readonly #server: InkwireServer
  readonly #folder: string
  readonly #pathPrefix: string
  #port = 0

  private constructor(server: InkwireServer, folder: string, pathPrefix: string) {
    this.#server = server
    this.#folder = folder
    this.#pathPrefix = pathPrefix
  }

  /** @throws when there is no temporary folder, or nothing can be bound. */
  static async set(createServer: (options: ServerOptions) => InkwireServer): Promise<Stage> {
    // Only this user can look into it (mkdtemp(3)).
    const data = await mkdtemp(join(tmpdir(), PREFIX))
    // Whoever finds the port doesn't know the path.
    const pathPrefix = `/${randomUUID()}/`
    // Real sockets, since theirs is the code that matters.
    const place = { data, host: '127.0.0.1', port: 0, pathPrefix }
    const server = createServer({ ...place, durability: 'os', demo: false, shutdownTimeoutMs: 0 })
    const stage = new Stage(server, data, pathPrefix)
    try {
      stage.#port = (await server.listen()).port
    } catch (error) {
      await stage.clear()
      throw error
    }
    return stage
  }

  get port(): number {
    return this.#port
  }

  /** The target of a request for a document. */
  target(document: string): string {
    return this.#pathPrefix + document
  }

  async clear(): Promise<void> {
    try {
      await this.#server.close()
    } finally {
      await rm(this.#folder, { recursive: true, force: true })
    }
  }
}

/** Removes what a process left that was killed while it warmed up. */
export const removeLeftovers = async (): Promise<void> => {
  const user = process.getuid?.()
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    const found = await lstat(folder).catch(() => null)
    // In another user's, something else may be in its place by the time that it is removed.
    if (!found?.isDirectory() || (user !== undefined && found.uid !== user)) continue
    if (Date.now() - found.mtimeMs > LEFT_BEHIND_MS)
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}
