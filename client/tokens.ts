import { encodeToken } from '../shared/codec.js'
import { backoff } from './machine.js'

/** Gives a token that is good now. */
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

/** setTimeout takes no more, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** Whatever a token says of its end, it isn't renewed more often than that. */
const SHORTEST_RENEWAL_MS = 2_000
/** Longest time between two attempts to renew, ms. */
const LONGEST_RETRY_MS = 30_000

/**
 * When to renew a token, in ms from now: after seven to nine tenths of the time that it has left, the rest is for
 * failures. What says how long it is good for is the claim `exp` of a JWT (RFC 7519), which is read and not checked;
 * other tokens tell nothing. Where the token says how long it was made for, this device's clock may be wrong.
 *
 * @returns null for a token that doesn't tell.
 * @example
 *   renewalOf(jwtThatEndsInAnHour, Date.now(), 0) // 2520000
 */
export const renewalOf = (token: string, now: number, random: number): number | null => {
  try {
    const payload = (token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/')
    const { exp, iat } = JSON.parse(atob(payload)) as { readonly exp?: unknown; readonly iat?: unknown }
    if (typeof exp !== 'number') return null
    const left = exp * 1_000 - now
    const whole = typeof iat === 'number' ? (exp - iat) * 1_000 : left
    const good = left > 0 && left < whole ? left : whole
    return Math.min(Math.max(good * (0.7 + 0.2 * random), SHORTEST_RENEWAL_MS), LONGEST_TIMER_MS)
  } catch {
    return null
  }
}

/**
 * Shows the app's tokens to the server of the present connection, when it asks and before they end (PROTOCOL X7, X8).
 * A token is kept nowhere, and is in no error of ours.
 */
export class Tokens {
  /** Whether one was shown on this connection. */
  shown = false
  readonly #source: TokenSource
  readonly #host: TokenHost
  /** What was asked of the app for an earlier connection, or twice, doesn't count any more. */
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
      this.#host.send(encodeToken(token))
      this.shown = true
      this.#failures = 0
      renewal = renewalOf(token, Date.now(), Math.random())
    } catch (error) {
      if (question !== this.#question) return
      // The backoff of connections is too short for somebody's token service.
      renewal = this.shown ? backoff(4 + ++this.#failures, LONGEST_RETRY_MS, Math.random()) : null
      this.#host.failed(error, !this.shown)
    }
    // The app may have hung up meanwhile.
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
