import { readdir } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Level } from 'level'
import { InkwireError } from '../../shared/errors.js'
import { isCorruption, storeFailed } from './errors.js'
import { FolderGuard, type FolderState } from './folder-guard.js'
import { EMPTY_RANGE, type KeyRange } from './keys.js'
import { Logged } from './logged.js'
import { forgetRebuild, isUnfinishedRebuild, rebuild } from './rebuild.js'
import type { Pair, Store, Write } from './store.js'

/** What `classic-level`, which `level` is in Node, has beyond `level`'s types. */
interface RangeCompactor {
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>
}

/** Filling a batch costs 0.3 µs per operation: beyond this many, others get a turn of the event loop. */
const SLICE = 4096
const PAGE_ENTRIES = 1000
const PAGE_BYTES = 1024 * 1024

/** Options of {@link openLevelStore}. */
export interface LevelStoreOptions {
  /** fdatasync every write before it resolves. */
  readonly sync: boolean
  /** Takes damage in the files of the closed store out of LevelDB's way, when it is reopened with `repair`. */
  readonly mend?: () => Promise<void>
  /** LevelDB's cache of uncompressed blocks, bytes. */
  readonly cacheBytes?: number
  /** Whether its log is read before LevelDB does, so that nothing in it gets lost; default true. */
  readonly readsLog?: boolean
  /** LevelDB left out so many writes of its own log when it opened; they have been written again. */
  readonly restored?: (writes: number) => void
  /** Milliseconds from any start; default `performance.now`. */
  readonly elapsed?: () => number
}

/**
 * Opens (or creates) a LevelDB in a folder of its own.
 *
 * @throws InkwireError INKWIRE_STORE_LOCKED when another process or journal has it, INKWIRE_STORE_FAILED.
 */
export const openLevelStore = async (location: string, options: LevelStoreOptions): Promise<LevelStore> => {
  const logged = options.readsLog === false ? null : new Logged(location)
  await logged?.read()
  try {
    return await open(location, options, logged)
  } catch (error) {
    // A process that was killed while it rebuilt the store leaves one that can't be opened.
    if (!isCorruption(error) || !(await isUnfinishedRebuild(location))) throw error
    await rebuild(location)
    return open(location, options, logged)
  }
}

const open = async (
  location: string,
  options: LevelStoreOptions,
  logged: Logged | null,
): Promise<LevelStore> => {
  await checkFiles(location)
  const db = new Level<Uint8Array, Uint8Array>(location, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    ...(options.cacheBytes === undefined ? {} : { cacheSize: options.cacheBytes }),
  })
  await openDatabase(db, location, true)
  const store = new LevelStore(db, location, options, logged)
  try {
    await store.opened()
  } catch (error) {
    await store.close()
    throw error
  }
  return store
}

/** Without the file CURRENT, LevelDB would take the folder for a new store and remove all tables in it. */
const checkFiles = async (location: string): Promise<void> => {
  const files = await readdir(location).catch((): string[] => [])
  if (files.includes('CURRENT') || !files.some((file) => /\.(ldb|sst|log)$/.test(file))) return
  const cause = new Error('CURRENT: No such file')
  throw new InkwireError('INKWIRE_STORE_FAILED', `the store in ${location} can't be opened`, { cause })
}

const openDatabase = async (
  db: Level<Uint8Array, Uint8Array>,
  location: string,
  createIfMissing: boolean,
): Promise<void> => {
  try {
    await db.open({ createIfMissing })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED') {
      const what = `the store in ${location} is in use by another process (or another server in this one)`
      throw new InkwireError('INKWIRE_STORE_LOCKED', what, { cause })
    }
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new InkwireError('INKWIRE_STORE_FAILED', `the store in ${location} can't be opened: ${why}`, {
      cause,
    })
  }
}

/** {@link Store} on LevelDB. */
export class LevelStore implements Store {
  readonly location: string
  readonly #db: Level<Uint8Array, Uint8Array>
  readonly #sync: boolean
  readonly #mend: () => Promise<void>
  readonly #restored: (writes: number) => void
  readonly #guard: FolderGuard
  readonly #logged: Logged | null
  /** Reads that come while the database is being reopened wait for this. Never rejects. */
  #ready: Promise<unknown> = Promise.resolve()

  /** @param logged what its logs held before. */
  constructor(
    db: Level<Uint8Array, Uint8Array>,
    location: string,
    options: LevelStoreOptions,
    logged: Logged | null,
  ) {
    this.#db = db
    this.location = location
    this.#sync = options.sync
    this.#mend = options.mend ?? (() => Promise.resolve())
    this.#restored = options.restored ?? (() => {})
    this.#logged = logged
    this.#guard = new FolderGuard(location, options.elapsed ?? (() => performance.now()))
  }

  /** It has been opened. */
  async opened(): Promise<void> {
    const restored = await this.#logged?.restore({
      getMany: (keys) => this.#db.getMany(keys),
      write: (writes) => this.#write(writes, { sync: true }),
    })
    if (restored) this.#restored(restored)
    await forgetRebuild(this.location)
    await this.#look()
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    await this.#ready
    return this.#db.get(key)
  }

  async first(range: KeyRange): Promise<Pair | undefined> {
    await this.#ready
    const iterator = this.#db.iterator({ gte: range.start, lt: range.end, limit: 1 })
    try {
      return await iterator.next()
    } finally {
      await iterator.close()
    }
  }

  async *pages(range: KeyRange): AsyncGenerator<readonly Pair[], void, void> {
    await this.#ready
    const open = (from: Bound) =>
      this.#db.iterator({ ...from, lt: range.end, highWaterMarkBytes: PAGE_BYTES })
    yield* pagesOf(open, range.start, ([key]) => key)
  }

  async *keyPages(range: KeyRange): AsyncGenerator<readonly Uint8Array[], void, void> {
    await this.#ready
    const open = (from: Bound) => this.#db.keys({ ...from, lt: range.end, highWaterMarkBytes: PAGE_BYTES })
    yield* pagesOf(open, range.start, (key) => key)
  }

  async write(writes: readonly Write[], options = { sync: this.#sync }): Promise<void> {
    // All that was in the log is in memory: written out as a table, it is on disk again.
    if (this.#guard.isDue && (await this.#look()) === 'without log') await this.flush()
    await this.#write(writes, options)
  }

  async #write(writes: readonly Write[], options: { readonly sync: boolean }): Promise<void> {
    // A chained batch, since it costs a quarter of what an array of operations costs.
    const batch = this.#db.batch()
    try {
      for (let i = 0; i < writes.length; i++) {
        const write = writes[i]
        if (!write) continue
        if (write.value) batch.put(write.key, write.value)
        else batch.del(write.key)
        if (i % SLICE === SLICE - 1) await nextTurn()
      }
      await batch.write(options)
    } catch (error) {
      await batch.close()
      throw error
    }
  }

  async flush(): Promise<void> {
    // LevelDB begins every compaction of a range by writing out its memtable, also when the range holds nothing.
    await this.compactRange(EMPTY_RANGE)
  }

  async compactRange(range: KeyRange): Promise<void> {
    await compactorOf(this.#db).compactRange(range.start, range.end)
  }

  async reopen({ repair } = { repair: false }): Promise<void> {
    const reopened = this.#reopen(repair)
    this.#ready = reopened.catch(() => {})
    await reopened
  }

  async #reopen(repair: boolean): Promise<void> {
    // Before it is closed: reads still work.
    await this.#look()
    await this.#logged?.read()
    await this.#db.close()
    if (repair) await this.#mend()
    // Never a new one in its place.
    await openDatabase(this.#db, this.location, false)
    await this.opened()
  }

  /** @throws InkwireError INKWIRE_STORE_FAILED when nobody would find what is written here. */
  async #look(): Promise<FolderState> {
    const state = await this.#guard.look()
    if (state !== 'other') return state
    throw storeFailed(`${this.location} isn't the folder that was opened: it was moved, removed or replaced`)
  }

  async close(): Promise<void> {
    await this.#ready
    await this.#db.close()
  }
}

/** Where a scan begins. */
type Bound = { readonly gte: Uint8Array } | { readonly gt: Uint8Array }

/** The little of an iterator that a scan needs. */
interface Scanner<T> {
  nextv(size: number): Promise<T[]>
  close(): Promise<void>
}

/**
 * Pages of a scan. LevelDB skips a block that it can't read, and tells of it only at the end, in the place of the
 * last page; so then that one is read once more, item by item, before the error is passed on.
 */
async function* pagesOf<T>(
  open: (from: Bound) => Scanner<T>,
  start: Uint8Array,
  keyOf: (item: T) => Uint8Array,
): AsyncGenerator<readonly T[], void, void> {
  let from: Bound = { gte: start }
  let size = PAGE_ENTRIES
  let failure: unknown = null
  let scanner = open(from)
  try {
    for (;;) {
      let page: T[]
      try {
        page = await scanner.nextv(size)
      } catch (error) {
        if (failure !== null || !isCorruption(error)) throw error
        failure = error
        size = 1
        await scanner.close()
        scanner = open(from)
        continue
      }
      const last = page.at(-1)
      if (last === undefined) break
      from = { gt: keyOf(last) }
      yield page
    }
  } finally {
    await scanner.close()
  }
  // The second scan may have begun behind the damage.
  if (failure !== null) throw failure
}

const compactorOf = (db: object): RangeCompactor => {
  if (!isCompactor(db)) throw new TypeError('this build of level has no compactRange')
  return db
}

const isCompactor = (db: object): db is RangeCompactor =>
  'compactRange' in db && typeof db.compactRange === 'function'
