import { isIP } from 'node:net'
import { InkwireError } from '../../shared/errors.js'
import type { Authorize } from '../auth/authorize.js'
import { problemWith, type ServerOptions } from '../config.js'
import { explain } from './explain.js'
import { readGivenFile } from './given-file.js'
import { listOf } from './list-of.js'
import { type Parsed, Setting, variableOf } from './setting.js'

/** Commander's names of the options that say who may come in. */
export interface AuthSettings {
  readonly authJwtSecret?: string
  readonly authJwtPublicKey?: string
  readonly authJwksUrl?: string
  readonly authAlgorithms?: string
  readonly authIssuer?: string
  readonly authAudience?: string
  readonly authCookie?: string
  readonly allowOrigin?: string
  readonly insecurePublic?: boolean
}

/** The options; a secret belongs into the environment, where other users of the machine don't see it. */
export const authSettings = (): Setting[] => [
  new Setting('--auth-jwt-secret <secret>', 'take tokens signed with this secret (HS256, 32 bytes or more)', {
    env: true,
  }),
  new Setting('--auth-jwt-public-key <file>', 'take tokens signed with the private key to this one (PEM)', {
    env: true,
  }),
  new Setting('--auth-jwks-url <url>', 'take tokens signed with a key published there', { env: true }),
  new Setting(
    '--auth-algorithms <list>',
    'signature algorithms, by commas; by default those that fit the key',
    {
      env: true,
    },
  ),
  new Setting('--auth-issuer <name>', 'the issuer that tokens must name', { env: true }),
  new Setting('--auth-audience <name>', 'the audience that tokens must name', { env: true }),
  new Setting('--auth-cookie <name>', 'a cookie in which the token may come', {
    env: true,
    parse: (text) => checked(text, problemWith('authCookie', text)),
  }),
  new Setting('--allow-origin <list>', 'origins of pages that may connect, by commas; * for all', {
    env: true,
    parse: (text) => checked(text, problemWith('allowedOrigins', listOf(text))),
  }),
  new Setting('--insecure-public', 'listen at a public address without authorization', { env: true }),
]

const checked = (text: string, problem: string | null): Parsed =>
  problem === null ? { value: text } : { problem }

type Flag = readonly [setting: keyof AuthSettings, flag: string]

/** What says which tokens are genuine: without one of these, no token is ever looked at. */
const KEYS: readonly Flag[] = [
  ['authJwtSecret', '--auth-jwt-secret'],
  ['authJwtPublicKey', '--auth-jwt-public-key'],
  ['authJwksUrl', '--auth-jwks-url'],
]
/** What only means something where tokens are looked at. */
const ABOUT_TOKENS: readonly Flag[] = [
  ['authAlgorithms', '--auth-algorithms'],
  ['authIssuer', '--auth-issuer'],
  ['authAudience', '--auth-audience'],
  ['authCookie', '--auth-cookie'],
]

/**
 * A variable that would say what tokens are checked with, and is set to nothing: an unset `${SECRET}` somewhere, say.
 */
const emptyKey = (env: Environment): string | undefined =>
  KEYS.map(([, flag]) => variableOf(flag)).find((name) => env[name] === '')

type Environment = Readonly<Record<string, string | undefined>>

/** What there is besides the settings. */
interface Surroundings {
  readonly env: Environment
  /** Variables that look like settings and are none. */
  readonly unknown: readonly string[]
}

/**
 * What these options mean for a server.
 *
 * @param env the environment, and which of its variables are no settings (`unknown`): one about tokens that is empty or
 *   misspelled must not lead to a server without.
 * @throws InkwireError INKWIRE_BAD_OPTION; also when something is said about tokens but not how they are checked, and
 *   when the host is public and nobody would be asked who they are.
 */
export const authOptions = async (
  settings: AuthSettings,
  host: string,
  { env, unknown }: Surroundings,
): Promise<ServerOptions> => {
  const keyed = firstGiven(KEYS, settings) !== null
  if (!keyed) refuseToStartOpen(settings, host, { env, unknown })
  return {
    ...(keyed ? { authorize: await authorizeBy(settings) } : {}),
    authCookie: settings.authCookie,
    allowedOrigins: listOf(settings.allowOrigin),
  }
}

/** The flag of the first of these settings that is given. */
const firstGiven = (flags: readonly Flag[], settings: AuthSettings): string | null =>
  flags.find(([setting]) => settings[setting] !== undefined)?.[1] ?? null

const refuseToStartOpen = (settings: AuthSettings, host: string, { env, unknown }: Surroundings): void => {
  const keyless = firstGiven(ABOUT_TOKENS, settings)
  const misspelled = unknown.find((name) => /AUTH|JWT|JWKS|TOKEN|SECRET/.test(name))
  // Somebody wants tokens to be checked, and the setting that says how is missing or misspelled.
  const without = keyless === null ? misspelled : `${keyless} (${variableOf(keyless)})`
  if (without !== undefined) {
    const flags = KEYS.map(([, flag]) => flag).join(', ')
    throw bad(`${without} is of no use without what tokens are checked with: one of ${flags}`)
  }
  const empty = emptyKey(env)
  if (empty !== undefined) throw bad(`${empty} is empty: set it, or leave it out and everybody may write`)
  if (settings.insecurePublic || isLoopback(host)) return
  throw bad(
    `${host} can be reached by others, and without authorization they could read and change every document: ` +
      'set up tokens (--auth-jwt-secret and others), or say --insecure-public',
  )
}

const authorizeBy = async (settings: AuthSettings): Promise<Authorize> => {
  // Loaded when it is needed: any other command begins sooner without it.
  const { authorizeByJwt } = await import('../auth/jwt.js')
  const { authJwtPublicKey: file } = settings
  return authorizeByJwt({
    secret: settings.authJwtSecret,
    jwksUrl: settings.authJwksUrl,
    publicKey: file === undefined ? undefined : await readKey(file),
    algorithms: listOf(settings.authAlgorithms),
    issuer: settings.authIssuer,
    audience: settings.authAudience,
  })
}

const readKey = async (file: string): Promise<string> => {
  try {
    return (await readGivenFile(file)).toString()
  } catch (cause) {
    throw new InkwireError('INKWIRE_BAD_OPTION', `--auth-jwt-public-key: ${explain(cause).line}`, { cause })
  }
}

const bad = (what: string): InkwireError => new InkwireError('INKWIRE_BAD_OPTION', what)

/** Whether only this machine can reach a host. A name other than localhost may mean anything. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
