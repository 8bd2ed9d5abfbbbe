import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { renewalOf } from '../../client/renewal.js'
import { type TokenSource, Tokens } from '../../client/tokens.js'
import { decodeMessage } from '../../shared/codec.js'

const jwt = (claims: unknown): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')

const NOW = 1_700_000_000_000
const seconds = (fromNow: number): number => NOW / 1_000 + fromNow

describe('when a token is renewed', () => {
  it('after seven to nine tenths of the time that it has left', () => {
    const token = jwt({ exp: seconds(3_600) })
    expect(renewalOf(token, NOW, 0)).toBeCloseTo(0.7 * 3_600_000)
    expect(renewalOf(token, NOW, 1)).toBeCloseTo(0.9 * 3_600_000)
  })

  it('in a payload with any bytes', () => {
    for (const name of ['???>>>', '日本', 'é', '\u{1f600}~~~']) {
      expect(renewalOf(jwt({ name, exp: seconds(100) }), NOW, 0)).toBe(70_000)
    }
  })

  it('not later than it was made for, and not at once, when this clock is wrong', () => {
    const token = jwt({ iat: seconds(0), exp: seconds(600) })
    expect(renewalOf(token, NOW - 3_600_000, 0)).toBe(420_000)
    expect(renewalOf(token, NOW + 3_600_000, 0)).toBe(420_000)
    expect(renewalOf(token, NOW + 300_000, 0)).toBe(210_000)
  })

  it('not more often than every 2 s, and not later than timers can', () => {
    expect(renewalOf(jwt({ exp: seconds(-100) }), NOW, 0)).toBe(2_000)
    expect(renewalOf(jwt({ exp: seconds(1) }), NOW, 0)).toBe(2_000)
    expect(renewalOf(jwt({ exp: seconds(1e9) }), NOW, 0)).toBe(2 ** 31 - 1)
  })

  it('never by itself, if it says nothing of its end', () => {
    const silent = [
      '',
      'opaque',
      'a.b.c',
      '..',
      jwt({}),
      jwt({ exp: '1' }),
      jwt(null),
      jwt([]),
      `.${btoa('{')}.`,
    ]
    for (const token of silent) expect(renewalOf(token, NOW, 0), token).toBe(null)
  })
})

describe('showing tokens', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW })
    vi.spyOn(Math, 'random').mockReturnValue(0)
  })
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  const show = (source: TokenSource) => {
    const sent: string[] = []
    const failures: [error: unknown, first: boolean][] = []
    const tokens = new Tokens(source, {
      send: (bytes) => {
        const message = decodeMessage(bytes)
        if (message.type === 'token') sent.push(message.token)
      },
      failed: (...failure) => void failures.push(failure),
    })
    return { tokens, sent, failures }
  }

  it('a JWT is renewed again and again, until the connection ends', async () => {
    let asked = 0
    const { tokens, sent } = show(() => jwt({ nr: ++asked, exp: Date.now() / 1_000 + 100 }))
    await tokens.show()
    await vi.advanceTimersByTimeAsync(69_000)
    expect(sent.length).toBe(1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(sent.length).toBe(2)
    await vi.advanceTimersByTimeAsync(140_000)
    expect(sent.length).toBe(4)
    tokens.end()
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(asked).toBe(4)
  })

  it('an opaque one is asked for once', async () => {
    const { tokens, sent } = show(async () => 'opaque')
    await tokens.show()
    await vi.advanceTimersByTimeAsync(1e9)
    expect(sent).toEqual(['opaque'])
  })

  it('one that comes after the connection has ended, or for an earlier question, goes nowhere', async () => {
    const answers: ((token: string) => void)[] = []
    const { tokens, sent } = show(() => new Promise((resolve) => answers.push(resolve)))
    const first = tokens.show()
    tokens.end()
    const second = tokens.show()
    const third = tokens.show()
    for (const [i, answer] of answers.entries()) answer(`token ${i}`)
    await Promise.all([first, second, third])
    expect(sent).toEqual(['token 2'])
    tokens.end()
  })

  it('a failure that the server waits for is told, and leaves trying again to the connection', async () => {
    for (const source of [
      () => Promise.reject(new Error('down')),
      (): string => {
        throw new Error('down')
      },
    ]) {
      const { tokens, failures } = show(source)
      await tokens.show()
      expect(failures).toEqual([[new Error('down'), true]])
    }
  })

  it.each([undefined, null, 7, ['secret'], Object.create(null)])(
    'what is no string is a failure, which says so, and is shown to nobody (%j)',
    async (odd) => {
      const { tokens, sent, failures } = show(() => odd as string)
      await tokens.show()
      expect(sent).toEqual([])
      expect(failures).toEqual([[expect.objectContaining({ code: 'INKWIRE_BAD_OPTION' }), true]])
      expect(String(failures[0]?.[0])).toContain(`token gave ${typeof odd}`)
    },
  )

  it('a failure to renew is told and tried again, later each time', async () => {
    let down = false
    const asked: number[] = []
    const { tokens, sent, failures } = show(async () => {
      asked.push(Date.now() - NOW)
      if (down) throw new Error('down')
      return jwt({ exp: Date.now() / 1_000 + 100 })
    })
    await tokens.show()
    down = true
    await vi.advanceTimersByTimeAsync(100_000)
    expect(asked).toEqual([0, 70_000, 71_600, 74_800, 81_200, 94_000])
    expect(failures.map(([, first]) => first)).toEqual([false, false, false, false, false])
    down = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sent.length).toBe(2)
    tokens.end()
  })
})
