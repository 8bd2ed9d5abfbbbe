import { InkwireError } from '../../shared/errors.js'
import { type StoreState, troubleOf } from './proviso.js'

/**
 * How long the outcome of a write is waited for that had begun when the store failed, ms: the journal knows it once it
 * has the store open again, in a moment or never.
 */
const OUTCOME_MS = 3000

/** A document is somebody's own. */
interface Turn {
  /** It is over, and all before it. Never rejects. */
  readonly over: Promise<void>
  /** The same for those who wait for it; rejects when it can't be told when that will be. */
  readonly free: Promise<void>
}

/** Documents that something is done to while nobody else gets at them: one thing after the other. */
export class Exclusive {
  /** The last turn of each document. */
  readonly #turns = new Map<string, Turn>()

  has(name: string): boolean {
    return this.#turns.has(name)
  }

  /**
   * Resolves when what is being done to a document by now is done.
   *
   * @throws InkwireError INKWIRE_STORE_FAILED when that can't be told, since the store fails.
   */
  async free(name: string): Promise<void> {
    await this.#turns.get(name)?.free
  }

  /**
   * Takes the next turn with a document, until `work` has ended.
   *
   * @param work is given what {@link free} gives those who come before it.
   * @param late is called when `work` ends after all though its caller was told that nobody knows: with why it failed,
   *   or null.
   * @throws what `work` throws; InkwireError INKWIRE_STORE_FAILED when the store fails meanwhile and nobody knows what
   *   becomes of it.
   */
  async take<T>(
    name: string,
    store: StoreState,
    work: (free: Promise<void>) => Promise<T>,
    late: (error: unknown) => void,
  ): Promise<T> {
    const before = this.#turns.get(name)
    const result = work(before?.free ?? Promise.resolve())
    const ended = result.then(nothing, nothing)
    const known = knownInTime(store, ended)
    const over = Promise.all([before?.over, ended]).then(() => {
      if (this.#turns.get(name) === turn) this.#turns.delete(name)
    })
    const turn: Turn = { over, free: Promise.all([before?.free, known]).then(nothing) }
    // There may be nobody who waits.
    turn.free.catch(nothing)
    this.#turns.set(name, turn)
    try {
      await known
    } catch (error) {
      result.then(() => late(null), late)
      throw error
    }
    return result
  }
}

const nothing = (): void => undefined

/** Resolves with `ended`, unless the store fails for too long before. */
const knownInTime = async (store: StoreState, ended: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  let stop = nothing
  const tooLong = new Promise<never>((_, reject) => {
    const look = (): void => {
      if (troubleOf(store)) {
        timer ??= setTimeout(() => reject(unknown(store)), OUTCOME_MS)
        return
      }
      clearTimeout(timer)
      timer = undefined
    }
    stop = store.onState(look)
    look()
  })
  try {
    await Promise.race([ended, tooLong])
  } finally {
    stop()
    clearTimeout(timer)
  }
}

const unknown = (store: StoreState): InkwireError => {
  const why = troubleOf(store)?.message ?? 'the store fails'
  return new InkwireError(
    'INKWIRE_STORE_FAILED',
    `${why}; this had begun, and whether it is done shows only when the store works again`,
  )
}
