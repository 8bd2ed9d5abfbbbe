import { encodeToken } from '../shared/codec.js'
import { InkwireError } from '../shared/errors.js'
import { backoff } from './machine.js'

/**
 * Gives a token that is good now. What isn't a string counts as a failure, as if it had thrown.
 *
 * @example
 *   const token: TokenSource = async () => (await fetch('/api/inkwire-token')).text()
 */
export type TokenSource = () => string | Promise<string>

/** What the tokens of a provider are used for. */
export interface TokenHost {
  /** Sends one message on the present socket. */
  send(bytes: Uint8Array): void
  /**
   * The app's function failed.
   *
   * @param first whether the server waits for this token; otherwise it was to renew one, and will be asked for again.
   */
  failed(error: unknown, first: boolean): void
}

/** Longest time between two attempts to renew, ms. */
const LONGEST_RETRY_MS = 30_000

/**
 * Shows the app's tokens to the server of the present connection, when it asks and before they end (PROTOCOL X7, X8).
 * A token is kept nowhere, and is in no error of ours.
 */
export class Tokens {
  /** Whether one was shown on this connection. */
  shown = false
  readonly #source: TokenSource
  readonly #host: TokenHost
  /** Counts the requests to the app. Only the answer to the latest is used, not one for an earlier connection. */
  #question = 0
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(source: TokenSource, host: TokenHost) {
    this.#source = source
    this.#host = host
  }

  /** The server wants one, or it is time for a new one. */
  async show(): Promise<void> {
    clearTimeout(this.#timer)
    const question = ++this.#question
    let renewal: number | null
    try {
      const token = await this.#source()
      if (question !== this.#question) return
      if (typeof token !== 'string')
        throw new InkwireError('INKWIRE_BAD_OPTION', `token gave ${typeof token}`)
      this.#host.send(encodeToken(token))
      this.shown = true
      this.#failures = 0
      // Loaded when it is needed. Should that fail, the server asks in time, too.
      renewal = await import('./renewal.js').then(
        ({ renewalOf }) => renewalOf(token, Date.now(), Math.random()),
        () => null,
      )
    } catch (error) {
      if (question !== this.#question) return
      // The backoff of connections is too short for somebody's token service.
      renewal = this.shown ? backoff(4 + ++this.#failures, LONGEST_RETRY_MS, Math.random()) : null
      this.#host.failed(error, !this.shown)
    }
    // The connection may have ended meanwhile.
    if (renewal !== null && question === this.#question) {
      this.#timer = setTimeout(() => void this.show(), renewal)
    }
  }

  /** The connection is gone. */
  end(): void {
    clearTimeout(this.#timer)
    this.#question++
    this.#failures = 0
    this.shown = false
  }
}
