import { describe, expect, it } from 'vitest'
import { createLog, silentLog } from '../../server/observe/log.js'
import type { LogLevel } from '../../server/observe/log-levels.js'
import { describeWithout, redactLine } from '../../server/observe/redact.js'

const record = (level: LogLevel = 'debug') => {
  const lines: string[] = []
  const log = createLog(level, { write: (line) => lines.push(line) })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') }
}

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

describe('createLog', () => {
  it('writes one JSON object per line with time, level, message and ids', () => {
    const { log, lines, last } = record()
    log.child({ connection: 7 }).child({ document: 'a/b' }).warn({ bytes: 12 }, 'too big')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.endsWith('}\n')).toBe(true)
    expect(last()).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      connection: 7,
      document: 'a/b',
      bytes: 12,
      msg: 'too big',
    })
  })

  it('writes an error with its message, code and stack', () => {
    const { log, last } = record()
    log.error({ err: Object.assign(new Error('broken'), { code: 'EIO' }) }, 'x')
    expect(last().err).toMatchObject({ message: 'broken', code: 'EIO', stack: expect.any(String) })
  })

  it('writes only its level and worse', () => {
    const { log, lines } = record('warn')
    log.debug({}, '1')
    log.info({}, '2')
    log.warn({}, '3')
    log.error({}, '4')
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['3', '4'])
  })

  it('is silent as silent', () => {
    expect(createLog('silent')).toBe(silentLog)
    expect(silentLog.child({ connection: 1 })).toBe(silentLog)
  })
})

describe('secrets never reach a line', () => {
  it.each<[string, object]>([
    ['a token', { token: 's3cret' }],
    ['an authorization header', { headers: { authorization: 'Bearer s3cret' } }],
    ['a cookie deep in a request', { req: { headers: { cookie: 'session=s3cret' } } }],
    ['a cookie to set', { headers: { 'set-cookie': 'session=s3cret' } }],
    ['a subprotocol that carries a token', { headers: { 'sec-websocket-protocol': 's3cret' } }],
    ['a query string', { url: '/notes?token=s3cret&x=1' }],
    ['a query string in an error', { err: new Error('no such page: /notes?access_token=s3cret') }],
    ['an array of headers', { raw: ['Authorization', 'Basic s3crets3cret'] }],
  ])('%s in the fields', (_, fields) => {
    const { log, lines } = record()
    log.info({ ...fields }, 'x')
    log.child({ ...fields }).info({}, 'x')
    expect(lines).toHaveLength(2)
    for (const line of lines) {
      expect(line).not.toContain('s3cret')
      expect(line).toContain('[redacted]')
      expect(() => JSON.parse(line)).not.toThrow()
    }
  })

  it('in the message', () => {
    const { log, last } = record()
    log.info({}, `refused /a?token=${JWT} with Bearer ${JWT} and ${JWT}`)
    expect(last().msg).toBe('refused /a?[redacted] with Bearer [redacted] and [redacted]')
  })

  it('leaves the rest as it is', () => {
    const line = '{"msg":"really? yes: a=b, basic things, eyJ","document":"what?"}'
    expect(redactLine(line)).toBe(line)
  })
})

describe('describeWithout', () => {
  it('says what went wrong and why, without the secret in any form, and nothing else of the error', () => {
    const secret = 'opaque/token+1'
    const cause = new Error(`no session ${encodeURIComponent(secret)}`)
    const error = Object.assign(new TypeError(`asking about ${secret} failed`, { cause }), {
      code: 'E_AUTH',
      config: { headers: { 'X-Api-Key': secret }, data: secret },
    })
    const described = describeWithout(error, [secret, undefined, null])
    expect(described).toEqual({
      type: 'TypeError',
      message: 'asking about [redacted] failed: no session [redacted]',
      code: 'E_AUTH',
      stack: expect.stringContaining('log-redaction.test'),
    })
    expect(JSON.stringify(described)).not.toContain('token')
  })

  it('takes whatever was thrown', () => {
    expect(describeWithout('a b', ['a b']).message).toBe('[redacted]')
    expect(describeWithout(undefined, []).message).toBe('undefined')
    const circle = new Error('round')
    circle.cause = circle
    expect(describeWithout(circle, []).message).toContain('round')
    for (const odd of [Object.create(null), { toString: () => ({}) }])
      expect(describeWithout(odd, ['secret'])).toMatchObject({ type: 'object', stack: '' })
    const structured = Object.assign(new Error('odd'), { stack: ['at secret', 'at b'] })
    expect(describeWithout(structured, ['secret'])).toMatchObject({
      message: 'odd',
      stack: 'at [redacted],at b',
    })
  })
})
