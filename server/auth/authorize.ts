import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { ACCESS_LEVELS, type Access } from '../../shared/messages.js'

/**
 * Who wants to open what, as far as is known before anybody is trusted.
 *
 * @example
 *   createServer({ authorize: ({ token, document, address }) => decide(token, document, address) })
 */
export interface AuthRequest {
  /** The document's name. */
  readonly document: string
  /**
   * What the client showed: the `token` query parameter, an `Authorization: Bearer` header, the configured cookie, or
   * a token message (PROTOCOL X8); `null` when it showed nothing. Don't log it.
   */
  readonly token: string | null
  /** The page's origin, as a browser states it; `null` for other clients. */
  readonly origin: string | null
  /** The client's address. */
  readonly address: string
  /** All headers of the handshake. They may hold secrets. */
  readonly headers: IncomingHttpHeaders
}

/**
 * Somebody who may come in.
 *
 * @example
 *   const grant: Grant = { user: 'ada', access: 'write', expiresAt: Date.now() + 3_600_000 }
 */
export interface Grant {
  /** Stable id of the user; written beside each of its updates. */
  readonly user: string
  readonly access: Access
  /** When the permission ends, milliseconds since 1970; the connection is closed with 4401 then. Default: never. */
  readonly expiresAt?: number
  /** When the credentials were issued, milliseconds since 1970; revocations spare newer ones. Default: long ago. */
  readonly issuedAt?: number
}

/**
 * Somebody who may not.
 *
 * @example
 *   const refusal: Refusal = { refused: 'forbidden', reason: 'this document is not yours' }
 */
export interface Refusal {
  /** `unauthenticated`: no or bad credentials (4401); `forbidden`: good ones that don't allow this (4403). */
  readonly refused: 'unauthenticated' | 'forbidden'
  /** For the client's developers; goes over the wire. */
  readonly reason: string
}

/**
 * Decides who may do what. May take its time, up to `authTimeoutMs`; when it throws or takes longer, the client is
 * told to try again later (1013), as it is the service that fails and not the client.
 *
 * @example
 *   createServer({
 *     authorize: async ({ token, document }) => {
 *       const user = await sessions.find(token)
 *       if (!user) return { refused: 'unauthenticated', reason: 'sign in first' }
 *       return { user: user.id, access: user.owns(document) ? 'write' : 'read' }
 *     },
 *   })
 */
export type Authorize = (request: AuthRequest) => Grant | Refusal | Promise<Grant | Refusal>

/** Everybody may write: for a server that only trusted people can reach. */
export const everybody: Authorize = () => ({ user: '', access: 'write' })

/** Milliseconds since 1970, `Infinity` for never. */
const moment = z.custom<number>((value) => typeof value === 'number' && !Number.isNaN(value)).optional()

/** An answer that is none of these must never let anybody in, whatever JavaScript makes of it. */
const answers = z.union([
  z.object({
    refused: z.enum(['unauthenticated', 'forbidden']),
    reason: z.string().default('you may not come in'),
  }),
  z.object({
    refused: z.undefined().optional(),
    user: z.string(),
    access: z.enum(ACCESS_LEVELS),
    expiresAt: moment,
    issuedAt: moment,
  }),
])

/** What became of a question. */
export type Verdict =
  | ({ readonly ok: true } & Grant)
  | ({ readonly ok: false; readonly kind: 'refused' } & Refusal)
  | { readonly ok: false; readonly kind: 'failed'; readonly error: unknown }

/** Asks, in bounded time; never rejects. */
export const ask = async (
  authorize: Authorize,
  request: AuthRequest,
  timeoutMs: number,
): Promise<Verdict> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    const answer = answers.safeParse(await Promise.race([authorize(request), late]))
    // Not zod's own words: they may quote what was answered.
    if (!answer.success) throw new TypeError('authorize answered neither a grant nor a refusal')
    const { data } = answer
    if (data.refused !== undefined) return { ok: false, kind: 'refused', ...data }
    const { user, access, expiresAt, issuedAt } = data
    return {
      ok: true,
      user,
      access,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(issuedAt === undefined ? {} : { issuedAt }),
    }
  } catch (error) {
    return { ok: false, kind: 'failed', error }
  } finally {
    clearTimeout(timer)
  }
}
