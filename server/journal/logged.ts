import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { storeFailed } from './errors.js'
import type { Write } from './store.js'
import { firstLogOf, recordsOf, writesOf } from './write-log.js'

/** What a closed store's logs hold: for each key, the last that was written. */
export type Logged = ReadonlyMap<string, Write>

/** The little of LevelDB that it takes to hold a store against its logs. */
export interface Reopened {
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  write(writes: readonly Write[]): Promise<void>
}

const SLICE = 1000

/**
 * Reads the logs of a closed store. LevelDB itself would take one that it can't read to its end for one that ends there,
 * and remove it: an I/O error of a moment would cost what was acknowledged.
 *
 * @throws InkwireError INKWIRE_STORE_FAILED when a log can't be read: then the store must not be opened.
 */
export const readLogged = async (location: string): Promise<Logged> => {
  const logged = new Map<string, Write>()
  const files = await readdir(location).catch((): string[] => [])
  const first = await firstLog(location)
  const logs = files.filter((file) => /^\d+\.log$/.test(file) && numberOf(file) >= first)
  for (const file of logs.sort((a, b) => numberOf(a) - numberOf(b))) {
    const path = join(location, file)
    const bytes = await readFile(path).catch((error: unknown) => {
      throw storeFailed(`the log ${path} can't be read`, error)
    })
    for (const record of recordsOf(bytes)) {
      for (const write of writesOf(record)) logged.set(Buffer.from(write.key).toString('latin1'), write)
    }
  }
  return logged
}

const numberOf = (file: string): number => Number.parseInt(file, 10)

/** LevelDB says what is wrong with these two files itself, and opens nothing. */
const firstLog = async (location: string): Promise<number> => {
  try {
    const manifest = (await readFile(join(location, 'CURRENT'), 'latin1')).trim()
    return firstLogOf(await readFile(join(location, manifest)))
  } catch {
    return 0
  }
}

/**
 * Holds a store that was opened against what its logs held before, and writes again what LevelDB left out: it goes on to
 * the next block after damage, and ends at an error.
 *
 * @returns how many writes were missing.
 */
export const restoreLogged = async (store: Reopened, logged: Logged): Promise<number> => {
  const all = [...logged.values()]
  const missing: Write[] = []
  for (let at = 0; at < all.length; at += SLICE) {
    const slice = all.slice(at, at + SLICE)
    // What can't be read is damage of another kind, that concerns some documents.
    const found = await store.getMany(slice.map(({ key }) => key)).catch(() => null)
    if (found) missing.push(...slice.filter(({ value }, i) => !isSame(value, found[i])))
  }
  if (missing.length > 0) await store.write(missing)
  return missing.length
}

const isSame = (wanted: Uint8Array | null, found: Uint8Array | undefined): boolean =>
  wanted === null ? found === undefined : found !== undefined && Buffer.compare(wanted, found) === 0
