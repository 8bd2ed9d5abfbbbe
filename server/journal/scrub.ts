import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkTable, fencesOf, type TableCheck } from './sstable.js'

/** A table that isn't whole. */
export interface DamagedTable {
  readonly path: string
  readonly check: Exclude<TableCheck, { status: 'ok' }>
}

/**
 * Checks the tables of a store, and fences off what is damaged in them before LevelDB meets it: it would abort the
 * process over some of it, and read the rest as if nothing were wrong. What is fenced off is an error of those
 * documents that lie there, and of no others.
 *
 * It takes a second or so per gigabyte. It is safe on a store that another process has open: only tables that are
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

  /** All tables are checked. */
  get finished(): boolean {
    return this.#left.length === 0
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
      const damaged = await fence(join(this.#location, file))
      if (damaged) found.push(damaged)
      await nextTurn()
    }
    return found
  }
}

const fence = async (path: string): Promise<DamagedTable | null> => {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch {
    // LevelDB has removed it meanwhile; or it can't be read, which LevelDB will say as well.
    return null
  }
  const check = checkTable(bytes)
  if (check.status === 'ok') return null
  const file = await open(path, 'r+')
  try {
    for (const { at, byte } of fencesOf(bytes, check)) await file.write(Uint8Array.of(byte), 0, 1, at)
    await file.datasync()
  } finally {
    await file.close()
  }
  return { path, check }
}
