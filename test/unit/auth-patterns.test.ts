import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFromHere, originAllowed } from '../../server/auth/origin.js'
import { accessTo, matches } from '../../server/auth/patterns.js'

describe('document patterns', () => {
  const cases: [pattern: string, name: string, match: boolean][] = [
    ['notes', 'notes', true],
    ['notes', 'notes2', false],
    ['team/*', 'team/plan', true],
    ['team/*', 'team/', true],
    ['team/*', 'team/a/b', false],
    ['team/**', 'team/a/b', true],
    ['**', '', true],
    ['**', 'any/thing', true],
    ['*', 'a/b', false],
    ['a*c', 'abbbc', true],
    ['a*c', 'ab/c', false],
    ['**/x', 'a/b/x', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['😀*', '😀x', true],
    ['***', 'a/b', true],
  ]
  for (const [pattern, name, match] of cases) {
    it(`${pattern} ${match ? 'opens' : 'does not open'} ${name}`, () =>
      expect(matches(pattern, name)).toBe(match))
  }

  it('agree with a regular expression that says the same', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 12 })
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '/', '.', '*', '**'), { maxLength: 8 })
      .map((p) => p.join(''))
    fc.assert(
      fc.property(pattern, text, (p, name) => {
        const source = (p.match(/\*\*|\*|[^*]/g) ?? [])
          .map((t) => (t === '**' ? '.*' : t === '*' ? '[^/]*' : t === '.' ? '\\.' : t))
          .join('')
        expect(matches(p, name)).toBe(new RegExp(`^${source}$`, 's').test(name))
      }),
      { numRuns: 2000 },
    )
  })

  it('take no exponential time', () => {
    expect(matches('*a'.repeat(60), `${'a'.repeat(1000)}b`)).toBe(false)
  })

  it('the strongest of the matching ones counts', () => {
    const docs = { '**': 'read', 'team/*': 'write', 'team/secret': 'read' } as const
    expect(accessTo(docs, 'x')).toBe('read')
    expect(accessTo(docs, 'team/plan')).toBe('write')
    expect(accessTo(docs, 'team/secret')).toBe('write')
    expect(accessTo({ a: 'admin' }, 'b')).toBeNull()
  })
})

describe('originAllowed', () => {
  const cases: [origin: string | undefined, host: string | undefined, allowed: string[], ok: boolean][] = [
    [undefined, 'docs.example.com', [], true],
    ['https://docs.example.com', 'docs.example.com', [], true],
    ['https://docs.example.com:8443', 'docs.example.com:8443', [], true],
    ['https://docs.example.com', 'docs.example.com:8443', [], false],
    ['http://localhost:5173', 'docs.example.com', [], true],
    ['http://127.0.0.1:1', 'docs.example.com', [], true],
    ['http://[::1]:1', 'docs.example.com', [], true],
    ['https://evil.example', 'docs.example.com', [], false],
    ['https://localhost.evil.example', 'docs.example.com', [], false],
    ['https://127.0.0.1.evil.example', 'docs.example.com', [], false],
    ['null', 'docs.example.com', [], false],
    ['https://app.example.com', 'docs.example.com', ['https://app.example.com'], true],
    ['https://evil.example', 'docs.example.com', ['*'], true],
    // Who lists where the pages are doesn't mean whatever runs on a visitor's machine.
    ['http://localhost:5173', 'docs.example.com', ['https://app.example.com'], false],
    ['http://localhost:5173', 'docs.example.com', ['http://localhost:5173'], true],
    ['http://localhost:1234', 'localhost:1234', ['https://app.example.com'], true],
    // Apps with a WebView.
    ['capacitor://localhost', 'docs.example.com', [], true],
    ['capacitor://localhost', 'docs.example.com', ['https://app.example.com'], false],
    ['capacitor://localhost', 'docs.example.com', ['capacitor://localhost'], true],
    ['app://.', 'docs.example.com', [], false],
    ['app://.', 'docs.example.com', ['app://.'], true],
    ['app://other', 'docs.example.com', ['app://.'], false],
    ['file://', 'docs.example.com', [], false],
    ['file://', 'docs.example.com', ['file://'], true],
  ]
  for (const [origin, host, allowed, ok] of cases) {
    it(`${origin} at ${host} with [${allowed}]: ${ok}`, () =>
      expect(originAllowed(origin, { host }, allowed)).toBe(ok))
  }

  it.each<[origin: string, host: string, allowed: string[], ok: boolean]>([
    ['http://evil.example:1234', 'evil.example:1234', [], false],
    ['http://evil.example:1234', 'evil.example:1234', ['http://evil.example:1234'], true],
    ['http://127.0.0.1:1234', '127.0.0.1:1234', [], true],
    ['http://192.168.1.7:1234', '192.168.1.7:1234', [], true],
    ['http://[2001:db8::7]:1234', '[2001:db8::7]:1234', [], true],
    ['http://my.localhost:1234', 'my.localhost:1234', [], true],
    ['http://localhost:1234', 'localhost:1234', ['https://app.example.com'], true],
    ['http://127.0.0.1.evil.example', '127.0.0.1.evil.example', [], false],
  ])('%s at %s, which anybody may have pointed here, with [%s]: %s', (origin, host, allowed, ok) => {
    expect(originAllowed(origin, { host, doubtful: true }, allowed)).toBe(ok)
  })
})

describe('isFromHere', () => {
  it.each<[peer: string | undefined, headers: Record<string, string>, here: boolean]>([
    ['127.0.0.1', {}, true],
    ['::1', {}, true],
    ['::ffff:127.0.0.1', {}, true],
    ['127.0.0.1', { 'x-forwarded-for': '203.0.113.9' }, false],
    ['127.0.0.1', { forwarded: 'for=203.0.113.9' }, false],
    ['192.168.1.7', {}, false],
    ['::12', {}, false],
    [undefined, {}, false],
  ])('%s with %o: %s', (peer, headers, here) => expect(isFromHere(peer, headers)).toBe(here))
})
