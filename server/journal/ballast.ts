import { open, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { RandomBytes } from './generation.js'
import type { JournalLogger } from './logger.js'

/** What a ballast is made of. */
export interface BallastOptions {
  /** The data folder; the file is `ballast` in it. */
  readonly directory: string
  /** 0: none. */
  readonly bytes: number
  readonly randomBytes: RandomBytes
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly logger: JournalLogger
}

const CHUNK_BYTES = 64 * 1024
/** How often it is tried to have a ballast again, milliseconds. */
const RETRY_MS = 2000

/**
 * A file that does nothing but take up room, so that there is something to let go of when the disk is full: opening
 * a LevelDB again after a failed write takes some free space itself.
 */
export class Ballast {
  readonly #options: BallastOptions
  readonly #path: string
  readonly #stop = new AbortController()
  #restoring: Promise<void> | null = null

  constructor(options: BallastOptions) {
    this.#options = options
    this.#path = join(options.directory, 'ballast')
  }

  /**
   * Sees to it that `needed` bytes are free, letting go of the ballast if that is what it takes.
   *
   * @returns whether they are.
   */
  async makeRoom(needed: number): Promise<boolean> {
    if ((await this.freeBytes()) >= needed) return true
    if (await this.#present()) {
      this.#options.logger.warn({}, 'the disk is full; the ballast file is let go')
      await rm(this.#path, { force: true })
    }
    return (await this.freeBytes()) >= needed
  }

  /** Has the file made anew, now or as soon as there is plenty of room for it. */
  restore(): void {
    if (this.#options.bytes > 0) this.#restoring ??= this.#restore().finally(() => (this.#restoring = null))
  }

  /** Makes no more attempts. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#restoring
  }

  /** What this process may still write on the data folder's file system; infinite when that can't be told. */
  async freeBytes(): Promise<number> {
    try {
      const { bavail, bsize } = await statfs(this.#options.directory)
      return bavail * bsize
    } catch {
      return Number.POSITIVE_INFINITY
    }
  }

  async #restore(): Promise<void> {
    const { signal } = this.#stop
    let told = false
    while (!signal.aborted && !(await this.#present())) {
      // Twice, or making it would fill the disk again.
      if ((await this.freeBytes()) >= 2 * this.#options.bytes && (await this.#tryToMake())) return
      if (!told)
        this.#options.logger.warn({}, 'no room for the ballast file that helps when the disk is full')
      told = true
      await this.#options.wait(RETRY_MS, signal)
    }
  }

  async #tryToMake(): Promise<boolean> {
    try {
      await this.#make()
      return true
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the ballast file could not be made')
      return false
    }
  }

  async #present(): Promise<boolean> {
    try {
      return (await stat(this.#path)).size === this.#options.bytes
    } catch {
      return false
    }
  }

  async #make(): Promise<void> {
    // Random bytes: a file system may store zeros, or what compresses well, without taking up room.
    const chunk = this.#options.randomBytes(CHUNK_BYTES)
    const unfinished = `${this.#path}.new`
    const file = await open(unfinished, 'w', 0o600)
    try {
      for (let left = this.#options.bytes; left > 0; left -= CHUNK_BYTES) {
        await file.write(chunk, 0, Math.min(left, CHUNK_BYTES))
      }
      await file.sync()
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    } finally {
      await file.close()
    }
    await rename(unfinished, this.#path)
  }
}
