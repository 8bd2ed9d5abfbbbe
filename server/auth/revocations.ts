import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { InkwireError } from '../../shared/errors.js'

/** User ids, and when they were revoked, milliseconds since 1970. Pairs, for a user may be called `__proto__`. */
const fileFormat = z.object({ version: z.literal(1), revoked: z.array(z.tuple([z.string(), z.number()])) })

/**
 * A user who may not come in with what they hold.
 *
 * @example
 *   for (const { user } of await server.revoked()) console.log(user)
 */
export interface Revoked {
  /** The user's id. */
  readonly user: string
  /** What was issued up to then is refused, milliseconds since 1970. */
  readonly since: number
}

/**
 * Users whose credentials from before a moment are refused, kept in a small file in the data folder.
 */
export class Revocations {
  readonly #file: string
  readonly #revoked: Map<string, number>
  #writing: Promise<void> = Promise.resolve()

  /**
   * Reads the file; none is an empty list.
   *
   * @throws InkwireError INKWIRE_STORE_FORMAT when it can't be understood: to go on would let the revoked in.
   */
  static async load(folder: string): Promise<Revocations> {
    const file = join(folder, 'revoked.json')
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Revocations(file, new Map())
      throw error
    }
    try {
      const { revoked } = fileFormat.parse(JSON.parse(text))
      return new Revocations(file, new Map(revoked))
    } catch (cause) {
      throw new InkwireError('INKWIRE_STORE_FORMAT', `${file} can't be understood`, { cause })
    }
  }

  private constructor(file: string, revoked: Map<string, number>) {
    this.#file = file
    this.#revoked = revoked
  }

  /** Whether credentials of this user that were issued then (default: long ago) are refused. */
  isRevoked(user: string, issuedAt = 0): boolean {
    const since = this.#revoked.get(user)
    return since !== undefined && issuedAt <= since
  }

  /**
   * Refuses what the user holds now; resolves when that is on disk. Takes effect at once.
   *
   * @throws InkwireError INKWIRE_BAD_OPTION for '': that is everybody whom nobody asked.
   */
  async revoke(user: string, now: number): Promise<void> {
    if (user === '') throw new InkwireError('INKWIRE_BAD_OPTION', 'a user needs a name to be revoked')
    this.#revoked.set(user, now)
    await this.#save()
  }

  /** Takes it back; whether there was anything to take back. */
  async restore(user: string): Promise<boolean> {
    if (!this.#revoked.delete(user)) return false
    await this.#save()
    return true
  }

  /** All who are revoked, the latest last. */
  list(): Revoked[] {
    return [...this.#revoked].map(([user, since]) => ({ user, since })).sort((a, b) => a.since - b.since)
  }

  /** One write after the other; each holds all that was revoked when it began. */
  #save(): Promise<void> {
    const write = this.#writing.then(() => this.#write())
    this.#writing = write.catch(() => undefined)
    return write
  }

  async #write(): Promise<void> {
    const text = JSON.stringify({ version: 1, revoked: [...this.#revoked] })
    const next = `${this.#file}.new`
    await mkdir(dirname(this.#file), { recursive: true })
    const handle = await open(next, 'w', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(next, this.#file)
    // Otherwise a power cut may bring the old list back.
    const folder = await open(dirname(this.#file), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}
