import { Code } from '../shared/codes.js'
import { type Authorize, type AuthRequest, ask, type Verdict } from './auth/authorize.js'
import type { Revocations } from './auth/revocations.js'
import type { Session } from './session.js'

/** The longest delay that Node's timers take, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * A client that can renew its permission is asked to this long before it ends, ms; of a shorter one, for its last
 * tenth. Clients that know when their token ends come before that by themselves.
 */
const ASK_AHEAD_MS = 15_000

/** What admissions of a server share. */
export interface AdmissionDeps {
  readonly authorize: Authorize
  /** How long a client may take to show a token, and the authorizing service to answer, ms. */
  readonly timeoutMs: number
  readonly revocations: () => Promise<Revocations>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The authorizing service failed. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Finds out whether a client may come in, and ends its stay when the permission does (PROTOCOL A1–A3). One per
 * connection; owns the timers.
 */
export class Admission {
  readonly #deps: AdmissionDeps
  readonly #session: Session
  readonly #request: AuthRequest
  readonly #admitted: () => void
  #timer: NodeJS.Timeout | null = null
  #inside = false
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

  async #decide(request: AuthRequest): Promise<void> {
    const question = ++this.#asked
    const verdict = await this.#verdict(request)
    if (question !== this.#asked) return
    if (verdict.ok) {
      this.#let(verdict)
    } else if (verdict.kind === 'failed') {
      this.#deps.onFailure(verdict.error)
      this.#session.close(Code.tryLater, 'nobody can say now whether you may come in')
    } else if (verdict.refused === 'forbidden') {
      this.#session.close(Code.forbidden, verdict.reason)
    } else if (request.token === null && this.#session.extended && !this.#inside) {
      this.#session.askForToken()
      this.#after(this.#deps.timeoutMs, verdict.reason)
    } else {
      this.#session.close(Code.unauthenticated, verdict.reason)
    }
  }

  async #verdict(request: AuthRequest): Promise<Verdict> {
    const verdict = await ask(this.#deps.authorize, request, this.#deps.timeoutMs)
    if (!verdict.ok || verdict.user === '') return verdict
    try {
      const revocations = await this.#deps.revocations()
      if (!revocations.isRevoked(verdict.user, verdict.issuedAt)) return verdict
      return { ok: false, kind: 'refused', refused: 'forbidden', reason: 'access was revoked' }
    } catch (error) {
      return { ok: false, kind: 'failed', error }
    }
  }

  #let(verdict: Verdict & { readonly ok: true }): void {
    this.#session.permit({ user: verdict.user, access: verdict.access })
    this.#expire(verdict.expiresAt ?? Number.POSITIVE_INFINITY)
    if (this.#inside) return
    this.#inside = true
    this.#admitted()
  }

  #expire(at: number): void {
    this.#stopWaiting()
    if (at === Number.POSITIVE_INFINITY) return
    const left = at - this.#deps.now()
    const ahead = this.#session.extended ? Math.min(ASK_AHEAD_MS, left / 10) : 0
    this.#wait(left - ahead, () => {
      if (ahead > 0) this.#session.askForToken()
      this.#after(ahead, 'the permission has expired')
    })
  }

  #after(ms: number, reason: string): void {
    this.#wait(ms, () => this.#session.close(Code.unauthenticated, reason))
  }

  /** One timer does for all: whatever comes next takes the place of what was waited for. */
  #wait(ms: number, then: () => void): void {
    this.#stopWaiting()
    const rest = ms - LONGEST_TIMER_MS
    this.#timer =
      rest > 0
        ? setTimeout(() => this.#wait(rest, then), LONGEST_TIMER_MS)
        : setTimeout(then, Math.max(0, ms))
  }

  #stopWaiting(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }
}
