import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { InkwireError } from '../../shared/errors.js'
import type { ServerOptions } from '../config.js'
import { listOf } from './list-of.js'
import { Setting } from './setting.js'

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
  new Setting('--auth-cookie <name>', 'a cookie in which the token may come', { env: true }),
  new Setting('--allow-origin <list>', 'origins of pages that may connect, by commas; * for all', {
    env: true,
  }),
  new Setting('--insecure-public', 'listen at a public address without authorization', { env: true }),
]

/**
 * What these options mean for a server.
 *
 * @throws InkwireError INKWIRE_BAD_OPTION; also when the host is public and nobody would be asked who they are.
 */
export const authOptions = async (settings: AuthSettings, host: string): Promise<ServerOptions> => {
  const { authJwtSecret: secret, authJwksUrl: jwksUrl, authJwtPublicKey: file } = settings
  const wanted = secret !== undefined || jwksUrl !== undefined || file !== undefined
  if (!wanted && !settings.insecurePublic && !isLoopback(host)) {
    throw new InkwireError(
      'INKWIRE_BAD_OPTION',
      `${host} can be reached by others, and without authorization they could read and change every document: ` +
        'set up tokens (--auth-jwt-secret and others), or say --insecure-public',
    )
  }
  // Loaded when it is needed: any other command begins sooner without it.
  const { authorizeByJwt } = wanted ? await import('../auth/jwt.js') : {}
  return {
    ...(authorizeByJwt
      ? {
          authorize: authorizeByJwt({
            secret,
            jwksUrl,
            publicKey: file === undefined ? undefined : await readFile(file, 'utf8'),
            algorithms: listOf(settings.authAlgorithms),
            issuer: settings.authIssuer,
            audience: settings.authAudience,
          }),
        }
      : {}),
    authCookie: settings.authCookie,
    allowedOrigins: listOf(settings.allowOrigin),
  }
}

/** Whether only this machine can reach a host. A name other than localhost may mean anything. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
