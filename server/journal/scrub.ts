import { constants, copyFile, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkTable, mend, type Patch, type TableCheck } from './sstable.js'

/** What is read at once around what can't be. */
const SECTOR_BYTES = 4096

/** A table that isn't whole. */
export interface DamagedTable {
  readonly path: string
  readonly check: Exclude<TableCheck, { status: 'ok' }>
}

/**
 * Checks the tables of a store, and takes what is damaged in them out of LevelDB's way before it meets it. LevelDB
 * would abort the process over some damage, stop all writing over other, and read the rest as if nothing were wrong.
 * Once the damaged blocks are empty, the documents that had records in them are the only ones that notice: by their
 * checksums, their numbers and the witness. The original of a table is kept in the store's folder `lost`.
 *
 * It takes two or three seconds per gigabyte. It is safe on a store that another process has open: only tables that are
 * complete, and so never written to again, are changed, and only where they can't be read anyway.
 */
export class Scrub {
  readonly #location: string
  readonly #elapsed: () => number
  #left: string[] = []

  constructor(location: string, elapsed: () => number) {
    this.#location = location
    this.#elapsed = elapsed
  }

  /** Lists the tables there are, in an order that differs from start to start. */
  async start(random: (below: number) => number): Promise<void> {
    const files = await readdir(this.#location).catch((): string[] => [])
    this.#left = files.filter((file) => /\.(ldb|sst)$/.test(file))
    for (let i = this.#left.length - 1; i > 0; i--) {
      const j = random(i + 1)
      const [a = '', b = ''] = [this.#left[i], this.#left[j]]
      this.#left[i] = b
      this.#left[j] = a
    }
  }

  /** Checks tables for about `budgetMs`, yields the event loop after each, and tells what it found. */
  async run(budgetMs: number, signal?: AbortSignal): Promise<DamagedTable[]> {
    const until = this.#elapsed() + budgetMs
    const found: DamagedTable[] = []
    while (!signal?.aborted && this.#elapsed() < until) {
      const file = this.#left.pop()
      if (file === undefined) break
      const damaged = await checkAndMend(join(this.#location, file))
      if (damaged) found.push(damaged)
      await nextTurn()
    }
    return found
  }
}

const checkAndMend = async (path: string): Promise<DamagedTable | null> => {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    // Else LevelDB has removed it meanwhile; or it can't be read at all, which LevelDB will say as well.
    if (!isUnreadable(error)) return null
    bytes = await readAround(path)
    await keepOriginal(path, link)
    await replace(path, bytes)
  }
  const check = checkTable(bytes)
  if (check.status === 'ok') return null
  const patches = mend(bytes, check)
  if (patches.length > 0) {
    await keepOriginal(path, copy)
    await patch(path, patches)
  }
  return { path, check }
}

/** @param keep a copy of what is patched in place, another name for what is replaced. */
const keepOriginal = async (
  path: string,
  keep: (path: string, kept: string) => Promise<void>,
): Promise<void> => {
  const lost = join(dirname(path), 'lost')
  try {
    await mkdir(lost, { recursive: true })
    await keep(path, join(lost, basename(path)))
  } catch {
    // There is one already, or no room for it: what is overwritten could not be read anyway.
  }
}

const copy = (path: string, kept: string): Promise<void> =>
  copyFile(path, kept, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)

/** The disk can't read a part of it. LevelDB maps tables into memory, and would die of that by a signal, SIGBUS. */
const isUnreadable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EIO'

/** What of a file can be read, zeros for the rest. */
const readAround = async (path: string): Promise<Buffer> => {
  const file = await open(path, 'r')
  try {
    const bytes = Buffer.alloc((await file.stat()).size)
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      const length = Math.min(SECTOR_BYTES, bytes.length - at)
      await file.read(bytes, at, length, at).catch((error: unknown) => {
        if (!isUnreadable(error)) throw error
      })
    }
    return bytes
  } finally {
    await file.close()
  }
}

const replace = async (path: string, bytes: Uint8Array): Promise<void> => {
  const whole = `${path}.whole`
  try {
    const file = await open(whole, 'w', 0o600)
    try {
      await file.writeFile(bytes)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(whole, path)
  } catch (error) {
    await rm(whole, { force: true })
    throw error
  }
}

const patch = async (path: string, patches: readonly Patch[]): Promise<void> => {
  const file = await open(path, 'r+')
  try {
    for (const { at, bytes } of patches) await file.write(bytes, 0, bytes.length, at)
    await file.datasync()
  } finally {
    await file.close()
  }
}
