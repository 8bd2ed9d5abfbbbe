import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { storeFailed } from './errors.js'
import type { Write } from './store.js'
import { firstLogOf, recordsOf, writesOf } from './write-log.js'

/** The little of LevelDB that it takes to hold a store against its logs. */
export interface Reopened {
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  write(writes: readonly Write[]): Promise<void>
}

/** A folder in the store's: its logs stay there until LevelDB is known to have what they hold. */
const ASIDE = 'unread'
/** Others get a turn of the event loop after so many records or keys. */
const SLICE = 1000

/**
 * What a store's logs held before it was opened. LevelDB takes a log that it can't read to its end for one that ends
 * there, and removes it: an I/O error of a moment would cost what was acknowledged. So they are read before, kept
 * aside, and held against the store when it is open.
 */
export class Logged {
  readonly #location: string
  /** The last that was written of each key. */
  readonly #writes = new Map<string, Write>()

  /** @param location the store's folder. */
  constructor(location: string) {
    this.#location = location
  }

  /**
   * Reads the logs of a store that isn't written to: also those that were kept aside by somebody who didn't get to
   * {@link restore}.
   *
   * @throws InkwireError INKWIRE_STORE_FAILED when a log can't be read: then the store must not be opened.
   */
  async read(): Promise<void> {
    const aside = join(this.#location, ASIDE)
    await this.#take(aside, await logsIn(aside, 0))
    const logs = await logsIn(this.#location, await firstLog(this.#location))
    for (const file of await this.#take(this.#location, logs))
      await keep(join(this.#location, file), aside, file)
  }

  /**
   * Holds the opened store against what was read, and writes again what LevelDB left out.
   *
   * @returns how many writes were missing.
   */
  async restore(store: Reopened): Promise<number> {
    const missing = await missingFrom(store, [...this.#writes.values()])
    if (missing.length > 0) await store.write(missing)
    this.#writes.clear()
    await rm(join(this.#location, ASIDE), { recursive: true, force: true })
    return missing.length
  }

  /** Returns those in which there was anything. */
  async #take(folder: string, logs: readonly string[]): Promise<string[]> {
    const taken: string[] = []
    for (const file of logs) {
      const path = join(folder, file)
      const bytes = await readFile(path).catch((error: unknown) => {
        throw storeFailed(`the log ${path} can't be read`, error)
      })
      if (bytes.length > 0) taken.push(file)
      let records = 0
      for (const record of recordsOf(bytes)) {
        for (const write of writesOf(record))
          this.#writes.set(Buffer.from(write.key).toString('latin1'), write)
        if (++records % SLICE === 0) await nextTurn()
      }
    }
    return taken
  }
}

/** What of these the store doesn't have. */
const missingFrom = async (store: Reopened, writes: readonly Write[]): Promise<Write[]> => {
  const missing: Write[] = []
  for (let at = 0; at < writes.length; at += SLICE) {
    const slice = writes.slice(at, at + SLICE)
    // Where something can't be looked up, all is written again: each is the last word on its key.
    const found = await store.getMany(slice.map(({ key }) => key)).catch(() => null)
    missing.push(...slice.filter(({ value }, i) => found === null || !isSame(value, found[i])))
  }
  return missing
}

const isSame = (wanted: Uint8Array | null, found: Uint8Array | undefined): boolean =>
  wanted === null ? found === undefined : found !== undefined && Buffer.compare(wanted, found) === 0

/** The logs in a folder from number `first` on, in their order. */
const logsIn = async (folder: string, first: number): Promise<string[]> => {
  const files = await readdir(folder).catch((): string[] => [])
  const logs = files.filter((file) => /^\d+\.log$/.test(file) && numberOf(file) >= first)
  return logs.sort((a, b) => numberOf(a) - numberOf(b))
}

const numberOf = (file: string): number => Number.parseInt(file, 10)

/** Which log a store begins with. LevelDB says itself what is wrong with these two files, and opens nothing. */
const firstLog = async (location: string): Promise<number> => {
  const read = (file: string): Promise<Buffer> =>
    readFile(join(location, file)).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
      throw storeFailed(`${join(location, file)} can't be read`, error)
    })
  const manifest = (await read('CURRENT')).toString('latin1').trim()
  return /^MANIFEST-\d+$/.test(manifest) ? firstLogOf(await read(manifest)) : 0
}

/** Another name for a file, which keeps it when this one is removed. Where there are no such, there is none. */
const keep = async (path: string, folder: string, name: string): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true })
    await link(path, join(folder, name))
  } catch {
    // It has one already; or a kill before the end of opening will cost what LevelDB left out.
  }
}
