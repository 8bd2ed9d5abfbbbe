import { readdir, stat } from 'node:fs/promises'

/** How often it looks at most, ms. */
const EVERY_MS = 1000

/**
 * What has become of a store's folder: `same`, it is as it was; `other`, it is another one, gone, or no store's;
 * `without log`, its log is gone.
 */
export type FolderState = 'same' | 'other' | 'without log'

/**
 * Notices that the folder of an open store was removed, moved away or replaced, or its log removed: LevelDB would go on
 * for ever to write into files that have no name any more, and say that it is done.
 */
export class FolderGuard {
  readonly #location: string
  readonly #elapsed: () => number
  #folder: string | null = null
  #looked = Number.NEGATIVE_INFINITY

  /** @param elapsed milliseconds from any start. */
  constructor(location: string, elapsed: () => number) {
    this.#location = location
    this.#elapsed = elapsed
  }

  /** It is time to look again. */
  get isDue(): boolean {
    return this.#elapsed() - this.#looked >= EVERY_MS
  }

  /** The first time, it learns which folder it is. */
  async look(): Promise<FolderState> {
    this.#looked = this.#elapsed()
    const folder = await folderAt(this.#location)
    this.#folder ??= folder
    if (folder === null || folder !== this.#folder) return 'other'
    const files = await readdir(this.#location).catch(() => null)
    // That it can't be read just now, for want of file descriptors say, means nothing.
    if (files === null) return 'same'
    if (!files.includes('CURRENT')) return 'other'
    return files.some((file) => file.endsWith('.log')) ? 'same' : 'without log'
  }
}

const folderAt = async (location: string): Promise<string | null> => {
  try {
    const { dev, ino } = await stat(location, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return null
  }
}
