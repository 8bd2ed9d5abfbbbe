import { Code } from '../../shared/codes.js'
import { type Authorize, type AuthRequest, ask, type Verdict } from '../auth/authorize.js'
import type { Revocations } from '../auth/revocations.js'
import type { Session } from '../session/session.js'

/** The longest timer, ms: whoever waits for a later moment looks at the clock in between. */
const LOOK_AGAIN_MS = 60_000

/**
 * How long before its end a client is asked to renew its permission, ms; for a short permission, the last tenth of it.
 * Clients that know when their token ends renew it earlier by themselves.
 */
const ASK_AHEAD_MS = 15_000

const EXPIRED = 'the permission has expired'
const REVOKED: Verdict = { ok: false, kind: 'refused', refused: 'forbidden', reason: 'access was revoked' }

/** What admissions of a server share. */
export interface AdmissionDeps {
  readonly authorize: Authorize
  /** How long a client may take to show a token, and the authorizing service to answer, ms. */
  readonly timeoutMs: number
  readonly revocations: () => Promise<Revocations>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The authorizing service failed; its error may hold what the client showed. */
  readonly onFailure: (error: unknown, request: AuthRequest) => void
}

/**
 * Finds out whether a client may come in, and ends its stay when the permission does (PROTOCOL A1, A2, A3). One per
 * connection; owns the timers.
 */
export class Admission {
  readonly #deps: AdmissionDeps
  readonly #session: Session
  readonly #request: AuthRequest
  readonly #admitted: () => void
  #timer: NodeJS.Timeout | null = null
  #inside = false
  /** When the permission ends, milliseconds since 1970. */
  #expiresAt = Number.POSITIVE_INFINITY
  /** Only the answer to the latest question counts. */
  #asked = 0

  /** @param admitted called once, when the client is let in. */
  constructor(session: Session, request: AuthRequest, admitted: () => void, deps: AdmissionDeps) {
    this.#session = session
    this.#request = request
    this.#admitted = admitted
    this.#deps = deps
  }

  /** Asks about what the handshake carried. */
  start(): void {
    void this.#decide(this.#request)
  }

  /** The client shows a token: its first, or a newer one. */
  token(token: string): void {
    void this.#decide({ ...this.#request, token })
  }

  dispose(): void {
    this.#stopWaiting()
    this.#asked = -1
  }

  /**
   * Whether the permission has ended. If it has, the connection is closed: a busy event loop is late with its timers,
   * and what arrives meanwhile must not be taken.
   */
  get over(): boolean {
    if (this.#expiresAt === Number.POSITIVE_INFINITY || this.#deps.now() < this.#expiresAt) return false
    this.#session.close(Code.unauthenticated, EXPIRED)
    return true
  }

  async #decide(request: AuthRequest): Promise<void> {
    const question = ++this.#asked
    const { verdict: asked, revocations } = await this.#ask(request)
    if (question !== this.#asked) return
    // In the same turn in which the client is let in: whoever revokes its user meanwhile either finds the connection,
    // or is found here.
    const revoked = asked.ok && revocations?.isRevoked(asked.user, asked.issuedAt)
    const verdict = revoked ? REVOKED : asked
    if (verdict.ok) {
      this.#let(verdict)
    } else if (verdict.kind === 'failed') {
      this.#deps.onFailure(verdict.error, request)
      this.#session.close(Code.tryLater, 'nobody can say now whether you may come in')
    } else if (verdict.refused === 'forbidden') {
      this.#session.close(Code.forbidden, verdict.reason)
    } else if (request.token === null && this.#session.extended && !this.#inside) {
      this.#session.askForToken()
      this.#closeAt(this.#deps.now() + this.#deps.timeoutMs, verdict.reason)
    } else {
      this.#session.close(Code.unauthenticated, verdict.reason)
    }
  }

  async #ask(
    request: AuthRequest,
  ): Promise<{ readonly verdict: Verdict; readonly revocations: Revocations | null }> {
    const verdict = await ask(this.#deps.authorize, request, this.#deps.timeoutMs)
    if (!verdict.ok || verdict.user === '') return { verdict, revocations: null }
    try {
      return { verdict, revocations: await this.#deps.revocations() }
    } catch (error) {
      return { verdict: { ok: false, kind: 'failed', error }, revocations: null }
    }
  }

  #let(verdict: Verdict & { readonly ok: true }): void {
    this.#expiresAt = verdict.expiresAt ?? Number.POSITIVE_INFINITY
    if (this.over) return
    this.#session.permit({ user: verdict.user, access: verdict.access })
    this.#expire()
    if (this.#inside) return
    this.#inside = true
    this.#admitted()
  }

  #expire(): void {
    this.#stopWaiting()
    const at = this.#expiresAt
    if (at === Number.POSITIVE_INFINITY) return
    if (!this.#session.extended) {
      this.#closeAt(at, EXPIRED)
      return
    }
    this.#wait(at - Math.min(ASK_AHEAD_MS, (at - this.#deps.now()) / 10), () => {
      this.#session.askForToken()
      this.#closeAt(at, EXPIRED)
    })
  }

  #closeAt(at: number, reason: string): void {
    this.#wait(at, () => this.#session.close(Code.unauthenticated, reason))
  }

  /**
   * One timer does for all: whatever comes next takes the place of what was waited for. It looks at the clock now and
   * then, for timers know nothing of a clock that is put forward, nor of a machine that slept, and take no long times.
   */
  #wait(at: number, then: () => void): void {
    this.#stopWaiting()
    const left = at - this.#deps.now()
    const again = (): void => (this.#deps.now() >= at ? then() : this.#wait(at, then))
    this.#timer = setTimeout(again, Math.min(Math.max(0, left), LOOK_AGAIN_MS))
  }

  #stopWaiting(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }
}
