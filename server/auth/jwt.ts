import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { z } from 'zod'
import { InkwireError } from '../../shared/errors.js'
import { ACCESS_LEVELS } from '../../shared/messages.js'
import type { Authorize, Grant, Refusal } from './authorize.js'
import { accessTo, type DocumentPatterns } from './patterns.js'

/**
 * How tokens are checked. Exactly one of `secret`, `publicKey` and `jwksUrl`.
 *
 * @example
 *   authorizeByJwt({ jwksUrl: 'https://id.example.com/keys', issuer: 'https://id.example.com' })
 */
export interface JwtOptions {
  /** Shared secret, for HS256; at least 32 bytes. */
  readonly secret?: string | undefined
  /** Public key in PEM. */
  readonly publicKey?: string | undefined
  /** Where the public keys are published (RFC 7517). */
  readonly jwksUrl?: string | undefined
  /** Algorithms that are taken, each one that fits the key. Default: HS256 with a secret, else what fits the key. */
  readonly algorithms?: readonly string[] | undefined
  /** Required `iss` and `aud`. Default: not looked at. */
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
}

/** Clocks of the issuer and ours may differ by this much, seconds. */
const CLOCK_TOLERANCE_S = 5
/** RFC 7518 §3.2: a key of the same size as the hash output or larger must be used. */
const SMALLEST_SECRET_BYTES = 32
/** Errors of the key service, not of the token. */
const SERVICE_ERRORS = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']

/** The last moment that a `Date` can be, seconds: an end beyond that would be none. */
const LAST_SECOND = 8.64e12
const ENDLESS = 'the token does not say when it ends (exp)'

const isAccess = (value: unknown): boolean => (ACCESS_LEVELS as readonly unknown[]).includes(value)

/** Not zod's record, which leaves out the name `__proto__`: a document may be called that. */
const patterns = z.custom<DocumentPatterns>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isAccess),
)

const claims = z.object({
  sub: z.string().min(1).max(256),
  docs: patterns,
})

/** What they have to be, in words for those who make tokens: a close reason holds 123 bytes. */
const MEANT = {
  sub: 'the user, up to 256 characters',
  docs: 'a map of patterns to read, write or admin',
}

/**
 * Checks JSON Web Tokens (RFC 7519) with the claims `sub` (the user), `exp` (when it ends), `docs` (document patterns
 * to `read`, `write` or `admin`) and, if present, `nbf`, `iat`, `iss`, `aud`.
 *
 * @throws InkwireError INKWIRE_BAD_OPTION for a key that is none, is too short, or not exactly one; for an algorithm
 *   that doesn't fit it.
 * @example
 *   createServer({ authorize: authorizeByJwt({ secret: process.env.JWT_SECRET }) })
 */
export const authorizeByJwt = (options: JwtOptions): Authorize => {
  const { key, algorithms, alsoFitting, coolingDown } = keyOf(options)
  if (options.algorithms) refuseUnfit(options.algorithms, [...algorithms, ...alsoFitting])
  const verify = {
    algorithms: [...(options.algorithms ?? algorithms)],
    clockTolerance: CLOCK_TOLERANCE_S,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  }
  return async ({ token, document }) => {
    if (token === null) return unauthenticated('a token is needed')
    // Then keys that are newer than those we have aren't fetched yet.
    const mayBeNewer = coolingDown()
    let payload: JWTPayload
    try {
      payload = await verified(token, key, verify)
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || SERVICE_ERRORS.includes(error.code)) throw error
      if (error instanceof errors.JWKSNoMatchingKey && mayBeNewer) throw error
      return unauthenticated(
        error instanceof errors.JWTExpired ? 'the token has expired' : 'the token is not valid',
      )
    }
    const { exp, iat } = payload
    // That it is a number, if it is there, has been checked by jose.
    if (exp === undefined || !(exp <= LAST_SECOND)) return unauthenticated(ENDLESS)
    // A revocation refuses what was issued before it: nobody may bring a token from the future.
    if (iat !== undefined && iat > Date.now() / 1000 + CLOCK_TOLERANCE_S) {
      return unauthenticated('the token was issued in the future')
    }
    return grant({ ...payload, exp }, document)
  }
}

/** What a token says, if it is signed as it has to be. */
const verified = async (
  token: string,
  key: KeyObject | JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> => {
  // jose has an overload for each kind of key.
  if (typeof key !== 'function') return (await jwtVerify(token, key, options)).payload
  try {
    return (await jwtVerify(token, key, options)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    // It doesn't say by which one (RFC 7515 §4.1.4: `kid` is optional): while keys change, there are two.
    for await (const each of error) {
      try {
        return (await jwtVerify(token, each, options)).payload
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

const grant = (payload: JWTPayload & { readonly exp: number }, document: string): Grant | Refusal => {
  const parsed = claims.safeParse(payload)
  if (!parsed.success) {
    const wrong = parsed.error.issues[0]?.path[0] === 'sub' ? 'sub' : 'docs'
    const is = payload[wrong] === undefined ? 'lacks the claim' : 'has a wrong claim'
    return unauthenticated(`the token ${is} ${wrong}: ${MEANT[wrong]}`)
  }
  const { sub, docs } = parsed.data
  const access = accessTo(docs, document)
  if (access === null) return { refused: 'forbidden', reason: 'the token does not open this document' }
  return {
    user: sub,
    access,
    expiresAt: payload.exp * 1000,
    // The issuer's clock may be ahead of ours: rather refuse one that is a little newer than a revocation.
    ...(payload.iat === undefined ? {} : { issuedAt: (payload.iat - CLOCK_TOLERANCE_S) * 1000 }),
  }
}

interface Keys {
  readonly key: KeyObject | JWTVerifyGetKey
  /** What is taken unless told otherwise, and what could be. */
  readonly algorithms: readonly string[]
  readonly alsoFitting: readonly string[]
  /** Whether published keys were fetched so recently that they aren't fetched again for a key that is missing. */
  readonly coolingDown: () => boolean
}

const never = (): boolean => false

const LONGER_RSA: readonly string[] = ['RS384', 'RS512', 'PS384', 'PS512']

const keyOf = (options: JwtOptions): Keys => {
  const { secret, publicKey, jwksUrl } = options
  if ([secret, publicKey, jwksUrl].filter((each) => each !== undefined).length !== 1) {
    throw bad('tokens need exactly one of a secret, a public key and a JWKS address')
  }
  if (secret !== undefined) {
    if (Buffer.byteLength(secret) < SMALLEST_SECRET_BYTES) {
      throw bad(`the token secret must have at least ${SMALLEST_SECRET_BYTES} bytes`)
    }
    const key = createSecretKey(Buffer.from(secret))
    return { key, algorithms: ['HS256'], alsoFitting: ['HS384', 'HS512'], coolingDown: never }
  }
  if (publicKey !== undefined) {
    const key = publicKeyOf(publicKey)
    return { key, ...algorithmsFor(key), coolingDown: never }
  }
  const url = jwksUrl !== undefined && URL.canParse(jwksUrl) ? new URL(jwksUrl) : null
  if (!url || !/^https?:$/.test(url.protocol)) throw bad('the JWKS address is no URL of http or https')
  // Fetching would fail, with the whole address in its words.
  if (url.username || url.password) throw bad('the JWKS address may not hold a user name or password')
  const key = createRemoteJWKSet(url)
  return {
    key,
    // Never a symmetric one: the keys are public.
    algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
    alsoFitting: [...LONGER_RSA, 'ES512', 'Ed25519', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'],
    coolingDown: () => key.coolingDown,
  }
}

const publicKeyOf = (pem: string): KeyObject => {
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new InkwireError('INKWIRE_BAD_OPTION', 'the public key is not in PEM format', { cause })
  }
}

/** A key fits few algorithms; naming them keeps a token from choosing (RFC 8725 §3.1). */
const algorithmsFor = (key: KeyObject): Pick<Keys, 'algorithms' | 'alsoFitting'> => {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { algorithms: ['RS256', 'PS256'], alsoFitting: LONGER_RSA }
    case 'ed25519':
      return { algorithms: ['EdDSA'], alsoFitting: ['Ed25519'] }
    case 'ec':
      switch (key.asymmetricKeyDetails?.namedCurve) {
        case 'prime256v1':
          return { algorithms: ['ES256'], alsoFitting: [] }
        case 'secp384r1':
          return { algorithms: ['ES384'], alsoFitting: [] }
        case 'secp521r1':
          return { algorithms: ['ES512'], alsoFitting: [] }
      }
  }
  throw bad(`tokens can't be signed with a key of type ${key.asymmetricKeyType}`)
}

/** A server that could take no token, or none of some that it should, must not even start. */
const refuseUnfit = (named: readonly string[], fitting: readonly string[]): void => {
  if (named.length === 0) throw bad('no signature algorithm is named: no token could be taken')
  const unfit = named.find((each) => !fitting.includes(each))
  if (unfit === undefined) return
  const what =
    unfit.toLowerCase() === 'none' ? `"${unfit}" is no algorithm` : `"${unfit}" doesn't fit the token key`
  throw bad(`${what}: ${fitting.join(', ')} ${fitting.length === 1 ? 'does' : 'do'}`)
}

const unauthenticated = (reason: string): Refusal => ({ refused: 'unauthenticated', reason })

const bad = (what: string): InkwireError => new InkwireError('INKWIRE_BAD_OPTION', what)
