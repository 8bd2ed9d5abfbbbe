import { constants, copyFile, mkdir, open, readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkTable, mend, type Patch, type TableCheck } from './sstable.js'

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
  } catch {
    // LevelDB has removed it meanwhile; or it can't be read, which LevelDB will say as well.
    return null
  }
  const check = checkTable(bytes)
  if (check.status === 'ok') return null
  const patches = mend(bytes, check)
  if (patches.length > 0) {
    await keepOriginal(path)
    await patch(path, patches)
  }
  return { path, check }
}

const keepOriginal = async (path: string): Promise<void> => {
  const lost = join(dirname(path), 'lost')
  try {
    await mkdir(lost, { recursive: true })
    await copyFile(path, join(lost, basename(path)), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  } catch {
    // There is one already, or no room for it: what is overwritten could not be read anyway.
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
