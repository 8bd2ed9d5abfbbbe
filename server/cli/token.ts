import { InkwireError } from '../../shared/errors.js'
import { ACCESS_LEVELS } from '../../shared/messages.js'
import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { Setting } from './setting.js'

interface TokenOptions {
  readonly authJwtSecret?: string
  readonly sub?: string
  readonly expires?: string
}

/** `inkwire token`: mints a token for development, with the secret that the server checks with. */
export const addToken: AddCommand = (program, { io }, done) => {
  program
    .command('token')
    .description('Mint a token for development.')
    .argument('<docs...>', 'documents and access, like "notes=write" or "team/**=read"')
    .addOption(
      new Setting('--auth-jwt-secret <secret>', 'the secret that the server checks with', { env: true }),
    )
    .addOption(
      new Setting('--sub <user>', 'the user', {
        byDefault: 'developer',
        // As the server has it.
        parse: (text) =>
          text.length > 0 && text.length <= 256
            ? { value: text }
            : { problem: 'must have from 1 to 256 characters' },
      }),
    )
    .addOption(
      new Setting('--expires <time>', 'when it ends, like 2h or 30d', {
        byDefault: '1h',
        parse: (text) =>
          /^0*[1-9]\d* ?[smhdwy]$/.test(text)
            ? { value: text }
            : { problem: 'must be a number above 0 and one of s m h d w y' },
      }),
    )
    .action(async (docs: string[], { authJwtSecret, sub = 'developer', expires = '1h' }: TokenOptions) => {
      if (!authJwtSecret) throw bad('--auth-jwt-secret or INKWIRE_AUTH_JWT_SECRET is needed')
      // Loaded when they are needed: any other command begins sooner without them.
      const [{ SignJWT }, { authorizeByJwt }] = await Promise.all([import('jose'), import('../auth/jwt.js')])
      // As the server does: a token that none would take helps nobody.
      authorizeByJwt({ secret: authJwtSecret })
      const token = await new SignJWT({ docs: Object.fromEntries(docs.map(parsePattern)) })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(sub)
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(new TextEncoder().encode(authJwtSecret))
      io.stdout.write(`${token}\n`)
      done(OK)
    })
}

const parsePattern = (text: string): [pattern: string, access: string] => {
  const [, pattern, access] = /^(.+)=(\w+)$/s.exec(text) ?? []
  if (pattern === undefined || !(ACCESS_LEVELS as readonly (string | undefined)[]).includes(access)) {
    throw bad(`"${text}" must be a document pattern, "=" and one of ${ACCESS_LEVELS.join(', ')}`)
  }
  return [pattern, access ?? '']
}

const bad = (what: string): InkwireError => new InkwireError('INKWIRE_BAD_OPTION', what)
