import type { IncomingMessage } from 'node:http'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { tokenOf } from '../../server/auth/credentials.js'
import { authorizeByJwt } from '../../server/auth/jwt.js'
import { CASES, damaged, FUZZ_TIMEOUT_MS, fuzz } from '../support/fuzz.js'
import { below, pick } from '../support/random-edits.js'

const SECRET = 'a secret of thirty-two bytes at least'

const sign = (docs: Record<string, string>): Promise<string> =>
  new SignJWT({ docs })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))

const PIECES = [
  'token=',
  'a',
  '&',
  '?',
  '%',
  '%ff',
  '=',
  ';',
  '"',
  ' ',
  'Bearer ',
  'session=',
  'é',
  '\0',
  '+',
  '/',
  '#',
]

const anyText = (random: () => number): string => {
  let text = ''
  for (let i = below(random, 10); i > 0; i--) text += pick(random, PIECES)
  return text
}

describe('tokens from anybody', () => {
  it(
    'A1: a handshake holds a token or none, whatever its target and headers are',
    () =>
      fuzz(CASES, (random) => {
        const headers = { authorization: anyText(random), cookie: anyText(random) }
        const token = tokenOf(
          { url: `/${anyText(random)}`, headers } as unknown as IncomingMessage,
          'session',
        )
        if (token !== null && token === '') throw new Error('an empty token')
      }),
    FUZZ_TIMEOUT_MS,
  )

  it(
    'A2: a token that was tampered with opens nothing',
    async () => {
      const authorize = authorizeByJwt({ secret: SECRET })
      const [token, other] = [await sign({ doc: 'write' }), await sign({ elsewhere: 'admin' })]
      const ask = (text: string) =>
        authorize({ token: text, document: 'doc', origin: null, address: '', headers: {} })
      expect(await ask(token)).toMatchObject({ access: 'write' })
      const valid = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
      // Each is a check of a signature: fewer of them.
      await fuzz(Math.ceil(CASES / 20), async (random) => {
        const [head = '', body = '', signature = ''] = token.split('.')
        const [, otherBody = ''] = other.split('.')
        const text = pick(random, [
          Buffer.from(damaged(random, Buffer.from(token))).toString('latin1'),
          `${head}.${otherBody}.${signature}`,
          `${Buffer.from(`{"alg":"${pick(random, ['none', 'None', 'HS512', 'RS256', ''])}"}`).toString('base64url')}.${body}.${signature}`,
          `${head}.${Buffer.from(damaged(random, Buffer.from(body, 'base64url'))).toString('base64url')}.${signature}`,
        ])
        if (text === token) return
        const answer = await ask(text)
        if (!('refused' in answer)) {
          // The last letter of base64 has bits that say nothing.
          const [sameHead, sameBody, again = ''] = text.split('.')
          if (sameHead === head && sameBody === body && Buffer.from(again, 'base64url').equals(valid)) return
          throw new Error(`${text} was taken`)
        }
      })
    },
    FUZZ_TIMEOUT_MS,
  )
})
