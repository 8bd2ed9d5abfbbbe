import { describe, it } from 'vitest'
import { originAllowed } from '../../server/auth/origin.js'
import { matches } from '../../server/auth/patterns.js'
import { documentName } from '../../server/gate/name.js'
import { addressKey, clientAddress, proxiesFrom } from '../../server/limits/address.js'
import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'
import { CASES, FUZZ_TIMEOUT_MS, fuzz } from '../support/fuzz.js'
import { below, pick } from '../support/random-edits.js'

const PIECES = [
  'a',
  'b',
  '/',
  '..',
  '.',
  '%',
  '%2F',
  '%00',
  '%ff',
  '%E2%82%AC',
  '?',
  '#',
  '\u{1f600}',
  '\ud800',
  'é',
  ' ',
  '__proto__',
  '\0',
  '\\',
  '%252e',
  '*',
  '**',
]

const anyText = (random: () => number, pieces: readonly string[] = PIECES): string => {
  let text = ''
  for (let i = below(random, 8); i > 0; i--) text += pick(random, pieces)
  return random() < 0.01 ? text.repeat(300) : text
}

const isName = (name: string): boolean => {
  try {
    checkName(name)
    return true
  } catch (error) {
    if (error instanceof InkwireError && error.code === 'INKWIRE_BAD_NAME') return false
    throw error
  }
}

describe('names from anybody', () => {
  it(
    'W2: a target gives a name that can be one, or is refused; each name has a target that gives it',
    () =>
      fuzz(CASES, (random) => {
        const target = `/docs/${anyText(random)}`
        try {
          const name = documentName(target, '/docs')
          if (!isName(name) || Buffer.byteLength(name) > 1024) throw new Error(`${name} is no name`)
        } catch (error) {
          if (!(error instanceof InkwireError) || error.code !== 'INKWIRE_BAD_NAME') throw error
        }
        const name = anyText(random)
        if (!isName(name)) return
        if (documentName(`/docs/${encodeURIComponent(name)}?x=/y`, '/docs') !== name)
          throw new Error(`${name} is lost`)
      }),
    FUZZ_TIMEOUT_MS,
  )

  it(
    'patterns match what the same regular expression does',
    () =>
      fuzz(CASES, (random) => {
        const [pattern, name] = [
          anyText(random, ['a', 'b', '/', '*', '**', '.']),
          anyText(random, ['a', 'b', '/', '.']),
        ]
        if (pattern.length > 12 || name.length > 20) return
        const source = pattern.replace(/\*\*|\*|[^*]/g, (token) =>
          token === '**' ? '[^]*' : token === '*' ? '[^/]*' : token === '.' ? '\\.' : token,
        )
        if (matches(pattern, name) !== new RegExp(`^${source}$`).test(name))
          throw new Error(`${pattern} and ${name}`)
      }),
    FUZZ_TIMEOUT_MS,
  )

  const proxies = proxiesFrom(['10.0.0.0/8', 'fd00::/8'])
  const HOPS = [
    '10.1.2.3',
    '198.51.100.7',
    '::1',
    'fd00::2',
    '[2001:db8::1]:80',
    '::ffff:10.0.0.1',
    ',',
    ', ',
    ':',
    '[',
    'x',
    '1.2.3.4:99',
    '%',
    '-1',
  ]

  it(
    'addresses and origins: an answer, whatever the headers hold; what a client made up is never believed',
    () =>
      fuzz(CASES, (random) => {
        const header = anyText(random, HOPS)
        addressKey(clientAddress(pick(random, HOPS), header, proxies))
        if (clientAddress('198.51.100.9', header, proxies) !== '198.51.100.9')
          throw new Error('a stranger was believed')
        // Our proxy appends the peer that it saw: that is who it is.
        if (clientAddress('10.0.0.1', `${header},198.51.100.9`, proxies) !== '198.51.100.9')
          throw new Error('made up')
        const origin = anyText(random, [
          'http://',
          'https://',
          'a.b',
          'localhost',
          ':80',
          '/',
          '@',
          '[::1]',
          'null',
          '%00',
          '.evil',
        ])
        if (originAllowed(origin, { host: 'app.example' }, []) && !/localhost|\[::1\]/.test(origin))
          throw new Error(origin)
      }),
    FUZZ_TIMEOUT_MS,
  )
})
