import { describe, expect, it } from 'vitest'
import { type OptionName, parseOptions, problemWith, type ServerOptions } from '../../server/config.js'
import { silentLog } from '../../server/observe/log.js'

/** Options as a JavaScript caller may hand them in. */
const resolveAny = (options: unknown) => parseOptions(options as ServerOptions)

describe('parseOptions', () => {
  it('fills in every default', () => {
    expect(parseOptions()).toMatchObject({
      port: 1234,
      host: '127.0.0.1',
      data: './data',
      pathPrefix: '/',
      demo: true,
      durability: 'fsync',
      maxMessageBytes: 16_777_216,
      shutdownTimeoutMs: 10_000,
      heartbeatMs: 30_000,
      roomLingerMs: 1000,
      workerTimeoutMs: 60_000,
      memoryBudgetMb: 256,
      workerMemoryMb: 1024,
      authorize: expect.any(Function),
      authTimeoutMs: 10_000,
      allowedOrigins: [],
      logLevel: 'silent',
    })
    expect(parseOptions({ port: undefined, logger: undefined })).toMatchObject({ port: 1234 })
  })

  it('keeps what is given', () => {
    const options = { port: 0, host: '::1', data: '/var/lib/x', demo: false, durability: 'os' as const }
    expect(parseOptions({ ...options, logger: silentLog })).toMatchObject({ ...options, logger: silentLog })
  })

  it.each([
    ['/', '/'],
    ['/docs', '/docs/'],
    ['/docs/', '/docs/'],
    ['/a/b//', '/a/b/'],
  ])('ends the path prefix %s with one slash', (given, expected) => {
    expect(parseOptions({ pathPrefix: given }).pathPrefix).toBe(expected)
  })

  it.each([
    ['*', '*'],
    ['https://app.example.com', 'https://app.example.com'],
    ['https://App.Example.com:443', 'https://app.example.com'],
    ['http://app.example.com:80', 'http://app.example.com'],
    ['http://app.example.com:8080', 'http://app.example.com:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['http://[::1]:80', 'http://[::1]'],
    ['HTTPS://App.Example.com', 'https://app.example.com'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['tauri://Localhost', 'tauri://localhost'],
    ['app://.', 'app://.'],
    ['app://bundle:8080', 'app://bundle:8080'],
    ['chrome-extension://abcdefghijklmnop', 'chrome-extension://abcdefghijklmnop'],
    ['file://', 'file://'],
  ])('takes the origin %s as browsers say it, %s', (given, expected) => {
    expect(parseOptions({ allowedOrigins: [given] }).allowedOrigins).toEqual([expected])
  })

  it.each([
    '',
    'app.example.com',
    'https://*.example.com',
    'https://app.example.com/',
    'https://app.example.com?x',
    'https://ada@app.example.com',
    'https://app.example.com:port',
    'ftp://app.example.com',
    'wss://app.example.com',
    'file:///home/ada/app.html',
    'app://',
    'app://./index.html',
    '://app',
    'https://',
    'null',
  ])('takes nothing for an origin that no page has: %j', (given) => {
    expect(() => parseOptions({ allowedOrigins: [given] })).toThrow(
      '"allowedOrigins" must be a list of origins',
    )
  })

  it.each<[unknown, string]>([
    [{ port: 'abc' }, 'option "port" must be a whole number from 0 to 65535, not \'abc\''],
    [{ port: 65_536 }, 'option "port" must be a whole number from 0 to 65535, not 65536'],
    [{ port: 1.5 }, 'option "port" must be a whole number from 0 to 65535, not 1.5'],
    [{ port: Number.NaN }, 'option "port" must be a whole number from 0 to 65535, not NaN'],
    [{ port: null }, 'option "port" must be a whole number from 0 to 65535, not null'],
    [{ host: 'not a host' }, 'option "host" must be a host name or an IP address, not \'not a host\''],
    [{ data: '' }, 'option "data" must be the path of a folder, not \'\''],
    [
      { pathPrefix: 'docs' },
      'option "pathPrefix" must be a path that starts with a slash, without query or blanks, not \'docs\'',
    ],
    [{ demo: 'no' }, 'option "demo" must be true or false, not \'no\''],
    [{ durability: 'memory' }, 'option "durability" must be "fsync" or "os", not \'memory\''],
    [
      { maxMessageBytes: 0 },
      'option "maxMessageBytes" must be a whole number of bytes from 1024 to 1073741824, not 0',
    ],
    [
      { heartbeatMs: 3e9 },
      'option "heartbeatMs" must be a whole number of milliseconds, 100 or more, not 3000000000',
    ],
    [{ logLevel: 'loud' }, 'option "logLevel" must be one of debug, info, warn, error, silent, not \'loud\''],
    [
      { logger: {} },
      'option "logger" must be an object with the methods debug, info, warn, error and child, not {}',
    ],
    [
      { logger: () => 1 },
      'option "logger" must be an object with the methods debug, info, warn, error and child, not [Function: logger]',
    ],
    [{ prot: 1 }, 'there is no option "prot"'],
    ['nonsense', 'options must be an object'],
  ])('refuses %j in one clear line', (options, message) => {
    expect(() => resolveAny(options)).toThrow(
      expect.objectContaining({ code: 'INKWIRE_BAD_OPTION', message }),
    )
  })

  it('shows no more than the start of a long value', () => {
    expect(() => resolveAny({ host: 'x '.repeat(1000) })).toThrow(/^.{1,150}$/)
  })
})

describe('problemWith', () => {
  it.each<[OptionName, unknown, string | null]>([
    ['port', 80, null],
    ['port', 70_000, 'must be a whole number from 0 to 65535'],
    ['pathPrefix', 'x', 'must be a path that starts with a slash, without query or blanks'],
    ['logLevel', 'info', null],
  ])('%s %j → %s', (name, value, problem) => expect(problemWith(name, value)).toBe(problem))
})
