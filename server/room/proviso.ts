import { InkwireError } from '../../shared/errors.js'
import type { Journal } from '../journal/journal.js'

/** The part of a journal that says whether anything can be written. */
export type StoreState = Pick<Journal, 'state' | 'onState'>

/** What something that takes its time depends on: a store that takes writes, and somebody who still wants it. */
export class Proviso {
  readonly #store: StoreState
  readonly #signal: AbortSignal | undefined

  /** @param signal aborts when nobody wants it any more. */
  constructor(store: StoreState, signal?: AbortSignal) {
    this.#store = store
    this.#signal = signal
  }

  /** @throws InkwireError INKWIRE_STORE_FAILED, INKWIRE_STORE_CLOSED; the signal's reason. */
  check(): void {
    const error = this.#broken()
    if (error) throw error
  }

  /**
   * What `work` comes to, or at once why it isn't worth waiting for.
   *
   * @throws as {@link check}, and what `work` throws.
   */
  async during<T>(work: Promise<T>): Promise<T> {
    this.check()
    const over = new AbortController()
    const broken = new Promise<never>((_, reject) => {
      const look = (): void => {
        const error = this.#broken()
        if (error) reject(error)
      }
      over.signal.addEventListener('abort', this.#store.onState(look))
      this.#signal?.addEventListener('abort', look, { signal: over.signal })
    })
    try {
      return await Promise.race([work, broken])
    } finally {
      over.abort()
    }
  }

  #broken(): Error | null {
    const signal = this.#signal
    if (!signal?.aborted) return troubleOf(this.#store)
    return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
  }
}

/** Why nothing can be written now; null if it can. */
export const troubleOf = ({ state }: StoreState): InkwireError | null => {
  switch (state.status) {
    case 'ok':
      return null
    case 'failing':
      return new InkwireError('INKWIRE_STORE_FAILED', `the store does not take writes: ${state.reason}`)
    case 'closed':
      return new InkwireError('INKWIRE_STORE_CLOSED', 'the journal is closed')
    default:
      return state satisfies never
  }
}
