import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { documentUrl, encodeName } from '../../client/address.js'

/** What a server makes of the path, after what a browser makes of the URL (PROTOCOL W2). */
const arrives = (name: string): string =>
  decodeURIComponent(
    new URL(documentUrl('ws://h:1/prefix', name, { a: 'b' })).pathname.slice('/prefix/'.length),
  )

describe('W2: a name arrives as it is', () => {
  it.each([
    'plain',
    'notes/today',
    'why?',
    'a#b',
    '100%',
    'a%2Fb',
    '%2e%2e',
    'a b',
    ' ',
    'tab\there',
    'back\\slash',
    'café 😀',
    '__proto__',
    'a//b',
    '/a/',
    'a/../b',
    '../a',
    'a/.',
    './a/..',
    'a/.../b',
    'x[1]|y',
  ])('%j', (name) => {
    expect(arrives(name)).toBe(name)
  })

  it('whatever it is', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('.', '..', '/', '%', '?', '#', '\\', '%2e'),
    )
    const name = fc
      .array(part, { minLength: 1 })
      .map((parts) => parts.join(''))
      .filter((one) => one !== '.' && one !== '..')
    fc.assert(
      fc.property(name, (one) => {
        expect(arrives(one)).toBe(one)
      }),
    )
  })

  it.each(['.', '..', 'half \ud83d'])('%j can not be a name', (name) => {
    expect(() => encodeName(name)).toThrow(expect.objectContaining({ code: 'INKWIRE_BAD_NAME' }))
  })
})

it('names that y-websocket sends as they are stay so, for servers that do not decode', () => {
  for (const name of ['room:1@x', 'a+b=c&d,e;f', "it's(1)!*~", 'x[1]|y', '$-_.'])
    expect(encodeName(name)).toBe(name)
})

it('parameters become the query, and http becomes ws', () => {
  expect(documentUrl('https://h', 'd', { token: 'a b&c', x: '1' })).toBe('wss://h/d?token=a%20b%26c&x=1')
  expect(documentUrl('ws://h', 'd', {})).toBe('ws://h/d')
})
