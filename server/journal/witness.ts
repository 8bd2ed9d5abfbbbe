import { isCorruption } from './errors.js'
import { WHOLE_RANGE } from './keys.js'
import type { JournalLogger } from './logger.js'
import { decodeSeen, encodeSeen, type Found, latest, type Seen, type Witnessed, witnessKey } from './seen.js'
import type { Store, Write } from './store.js'

/**
 * A second, small store beside the journal that remembers how far each document had come.
 *
 * LevelDB drops what it can't read in its log (from a flipped bit to the end of the block, or of the file) and opens
 * as if nothing had been there. Checksums and contiguous numbers notice a hole, but not that a document's *last*
 * updates are gone, nor that a whole document is: nothing is left to look at. A witness elsewhere is.
 *
 * It is written after the commit that it tells of was acknowledged, never before, so it never claims too much; many
 * commits go in one write, and it is not fsynced: it costs a commit nothing. What that means:
 *
 * - it catches: last updates, whole documents, deletions and changes of generation that vanished from the journal's
 *   files by damage to them, by files that are missing, or by older files put in their place;
 * - it does not catch: what was committed in the last moment before the process was killed (20 to 50 ms; under load
 *   that never stops for 50 ms, up to half a second), or in the last half minute or so before a power cut, *if* the
 *   journal's files are damaged there as well; and damage to both stores at once. Its own records carry checksums: a
 *   damaged witness says nothing rather than something wrong.
 *
 * While it can't be written, it keeps the last word on each document in memory and tries again by itself.
 */
export class Witness {
  readonly #deps: WitnessDeps
  /** What is to be written, by document; the newest word counts. */
  readonly #news = new Map<string, Word>()
  /** Runs while there is news: pause, write, and again. */
  #telling: Promise<void> | null = null
  /** When the last of it came, ms of the clock. */
  #heardAt = 0
  /** Until then it has used up its share of the time and rests, ms of the clock. */
  #restUntil = Number.NEGATIVE_INFINITY
  /** Ends a pause. */
  #hurry: (() => void) | null = null
  /** The store does one thing at a time: when what it was given last is done. Never rejects. */
  #turn: Promise<void> = Promise.resolve()
  /** Why the store isn't believed any more; null while it is. */
  #failure: { readonly error: unknown } | null = null
  /** How often it was tried in vain to have it work again. */
  #attempts = 0
  /** Calls off the next time that it is tried. */
  #callOff = (): void => {}
  #closing = false

  constructor(deps: WitnessDeps) {
    this.#deps = deps
  }

  /** Whether it can be written, as far as is known. While not, last updates may vanish unnoticed. */
  get working(): boolean {
    return this.#failure === null
  }

  /** What was last seen under this name; `null` when nothing was, or when the witness can't tell. */
  async recall(name: Uint8Array): Promise<Seen | null> {
    const key = witnessKey(name)
    try {
      const value = await this.#deps.store.get(key)
      return value ? decodeSeen(key, value) : null
    } catch (error) {
      // While it can't be written, all has been said.
      if (this.working) this.#deps.logger.warn({ err: error }, 'the witness can not be read')
      return null
    }
  }

  /** All that was seen, by {@link witnessKey}; for tools. What is damaged is left out. */
  async *all(): AsyncGenerator<readonly [key: Uint8Array, seen: Seen], void, void> {
    // Not until nothing more comes, which may be never.
    await this.#inTurn(() => this.#tellAll())
    for await (const page of this.#deps.store.pages(WHOLE_RANGE)) {
      for (const [key, value] of page) {
        const seen = decodeSeen(key, value)
        if (seen) yield [key, seen]
      }
    }
  }

  /**
   * The document is durable up to `seq`. Written a little later, with all else that was seen meanwhile; or when the
   * store can be written again.
   */
  saw({ witnessKey: key, generation }: Witnessed, seq: number): void {
    if (this.#closing) return
    this.#news.set(toText(key), { key, found: { generation, seq } })
    this.#heardAt = this.#deps.elapsed()
    this.#tellSoon()
  }

  /**
   * The document is about to lose this generation. Resolves when that is on disk.
   *
   * @throws what the store throws: without this word, the change must not be made.
   */
  async leaving(name: Uint8Array, found: Found): Promise<void> {
    if (!this.working) await this.retry()
    await this.#inTurn(() => this.#writeLeaving(name, found))
  }

  /** The document is gone: so is the memory of it, now or when the store can be written again. */
  async forget(name: Uint8Array): Promise<void> {
    const key = witnessKey(name)
    this.#news.set(toText(key), { key, found: null })
    await this.#inTurn(() => this.#tellAll())
  }

  /** Resolves when all that was seen is written, or can't be written for now. */
  async flush(): Promise<void> {
    while (this.#telling) await this.#telling
  }

  /** Tries now, and not only when it is time, to have a store work again that failed. Never rejects. */
  async retry(): Promise<void> {
    if (!this.#closing) await this.#inTurn(() => this.#recover())
  }

  /** Writes what there is to write, if that can be done at once, and closes the store. */
  async close(): Promise<void> {
    this.#closing = true
    this.#callOff()
    this.#hurry?.()
    // The last chance for what it was told since the store failed.
    await this.#inTurn(() => this.#recover())
    await this.flush()
    await this.#inTurn(() => this.#deps.store.close())
  }

  #tellSoon(): void {
    if (this.working) this.#telling ??= this.#tell()
  }

  async #tell(): Promise<void> {
    while (this.#news.size > 0 && this.working) {
      await this.#pause()
      await this.#inTurn(() => this.#tellAll())
    }
    // In one turn with the last look at the news.
    this.#telling = null
  }

  /**
   * Resolves when nothing more has come for a moment, so that the last word before a quiet time is soon told; or when
   * it has rested.
   */
  async #pause(): Promise<void> {
    for (let left = SHORTEST_MS; left > 0 && !this.#closing; ) {
      await this.#sleep(left)
      left = Math.min(this.#restUntil, this.#heardAt + LULL_MS) - this.#deps.elapsed()
    }
  }

  async #sleep(ms: number): Promise<void> {
    let callOff = (): void => {}
    await new Promise<void>((resolve) => {
      this.#hurry = resolve
      callOff = this.#deps.later(ms, resolve)
    })
    this.#hurry = null
    callOff()
  }

  /** Does it when the store has done all that it was given before. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(task)
    this.#turn = done.catch(() => {})
    return done
  }

  async #tellAll(): Promise<void> {
    if (!this.working) return
    try {
      await this.#writeNews()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** What could not be written stays news, unless there is a newer word on the document. */
  async #writeNews(): Promise<void> {
    if (this.#news.size === 0) return
    const { store, elapsed } = this.#deps
    const words = [...this.#news]
    this.#news.clear()
    const began = elapsed()
    try {
      await store.write(words.map(([, { key, found }]) => this.#record(key, found, false)))
    } catch (error) {
      for (const [id, word] of words) if (!this.#news.has(id)) this.#news.set(id, word)
      throw error
    }
    const ended = elapsed()
    this.#restUntil = ended + Math.min(LONGEST_MS, (ended - began) * SHARE)
  }

  async #writeLeaving(name: Uint8Array, found: Found): Promise<void> {
    // What a store that failed says of a write is not believed.
    if (this.#failure) throw this.#failure.error
    const key = witnessKey(name)
    const id = toText(key)
    const written = await this.recall(name)
    const word = this.#news.get(id)
    // Nothing older may be written after it.
    this.#news.delete(id)
    const record = this.#record(key, latest(found, written, word?.found), true)
    try {
      await this.#deps.store.write([record], { sync: true })
    } catch (error) {
      // The change is not made, so it is as it was.
      if (word) this.#news.set(id, word)
      this.#failed(error)
      throw error
    }
  }

  /**
   * After a failed write only a store that was opened again is believed: LevelDB may report success for lost writes.
   */
  async #recover(): Promise<void> {
    if (!this.#failure) return
    const { store, hasRoom, logger } = this.#deps
    this.#callOff()
    try {
      // It can still be read: not closed before there is a chance.
      if (!(await hasRoom())) return this.#failed(this.#failure.error)
      await store.reopen({ repair: isCorruption(this.#failure.error) })
      await this.#writeNews()
    } catch (error) {
      return this.#failed(error)
    }
    logger.info({ attempts: this.#attempts }, 'the witness works again')
    this.#failure = null
    this.#attempts = 0
    // What came during the write.
    if (this.#news.size > 0) this.#tellSoon()
  }

  /** It is tried again by and by, also when nothing more is written. */
  #failed(error: unknown): void {
    const { logger, later } = this.#deps
    if (!this.#failure) {
      logger.warn({ err: error }, 'the witness can not be written; until it can, losses may go unnoticed')
    }
    this.#failure = { error }
    if (this.#closing) return
    const ms = Math.min(FIRST_BACKOFF_MS * 2 ** this.#attempts++, LONGEST_BACKOFF_MS)
    this.#callOff = later(ms, () => void this.retry())
  }

  #record(key: Uint8Array, found: Found | null, leaving: boolean): Write {
    return { key, value: found && encodeSeen(key, { ...found, leaving, synced: this.#deps.synced }) }
  }
}

/** What a witness is made of. */
export interface WitnessDeps {
  readonly store: Store
  /** The journal fsyncs its commits. */
  readonly synced: boolean
  /** Whether there is room to open the store again. */
  readonly hasRoom: () => Promise<boolean>
  /** Runs a task after so many ms; what it returns calls it off. */
  readonly later: (ms: number, task: () => void) => () => void
  /** Milliseconds from any start. */
  readonly elapsed: () => number
  readonly logger: JournalLogger
}

/** What is to be remembered of a document; `null`: nothing any more. */
interface Word {
  readonly key: Uint8Array
  readonly found: Found | null
}

/** Commits within this time are witnessed together, ms, in any case. */
const SHORTEST_MS = 20
/**
 * After this long without news, ms, what came before is witnessed: longer than the time between two flushes of a busy
 * room.
 */
const LULL_MS = 50
/** While there is always more, the witness takes one part in so many of the time. */
const SHARE = 300
/** Later than that it isn't in any case, ms. */
const LONGEST_MS = 500
/** How soon it is tried again after a failure, ms; doubled after each further one, up to the longest. */
const FIRST_BACKOFF_MS = 1000
const LONGEST_BACKOFF_MS = 60_000

/** A key as a Map can look it up. */
const toText = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
