/** `inkwire serve`: its options, the signals that end it, and what it says when it can't listen or save. */
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import type { ServerHandle } from '../../server/cli/context.js'
import { run } from '../../server/cli/run.js'
import type { UnsavedReport } from '../../server/journal/journal.js'
import { FakeProcess, fakeServer } from '../support/cli.js'

/** Runs `serve` until it listens, then sends signals. */
const serveWith = async (
  argv: string[],
  {
    env = {},
    handle = {},
    signals = 1,
  }: { env?: Record<string, string>; handle?: Partial<ServerHandle>; signals?: number } = {},
) => {
  const io = new FakeProcess()
  io.env = env
  const { made, parts } = fakeServer(handle)
  const running = run(['serve', ...argv], io, parts)
  await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < signals; i++) io.signal()
  return { io, made, options: made[0], running }
}

describe('serve', () => {
  it('hands the options on and says where it listens', async () => {
    const argv = ['--port', '0', '--host', '::1', '--data', './x', '--path-prefix', '/docs', '--no-demo']
    const more = [
      '--durability',
      'os',
      '--max-message',
      '2048',
      '--memory-budget',
      '64',
      '--log-level',
      'warn',
    ]
    const { io, options, running } = await serveWith([...argv, ...more])
    expect(await running).toBe(0)
    expect(options).toMatchObject({
      port: 0,
      host: '::1',
      data: './x',
      pathPrefix: '/docs',
      demo: false,
      durability: 'os',
      maxMessageBytes: 2048,
      memoryBudgetMb: 64,
      logLevel: 'warn',
    })
    expect(io.text).toBe('Inkwire listens at http://127.0.0.1:1234 — data in ./x\n')
    expect(io.err).toEqual([])
    expect(io.listeners).toBe(0)
  })

  it('takes them from the environment, where the command line does not say otherwise', async () => {
    const env = {
      INKWIRE_PORT: '8080',
      INKWIRE_HOST: '0.0.0.0',
      INKWIRE_INSECURE_PUBLIC: '1',
      INKWIRE_DATA: '/d',
      INKWIRE_PATH_PREFIX: '/p',
      INKWIRE_NO_DEMO: '1',
      INKWIRE_DURABILITY: '',
      INKWIRE_MAX_MESSAGE: '4096',
      INKWIRE_LOG_LEVEL: 'error',
    }
    const { options, running } = await serveWith(['--port', '0'], { env })
    await running
    expect(options).toMatchObject({
      port: 0,
      host: '0.0.0.0',
      data: '/d',
      pathPrefix: '/p',
      demo: false,
      maxMessageBytes: 4096,
      logLevel: 'error',
    })
    expect(options?.durability).toBeUndefined()
  })

  it('serves the demo when told not to leave it out', async () => {
    const { options, running } = await serveWith([], { env: { INKWIRE_NO_DEMO: '0' } })
    await running
    expect(options).toMatchObject({ demo: true, logLevel: 'info' })
  })

  it.each<[string[], Record<string, string>, string]>([
    [
      ['--auth-issuer', 'acme', '--auth-audience', 'me', '--auth-cookie', 'tok'],
      {},
      '--auth-issuer (INKWIRE_AUTH_ISSUER)',
    ],
    [
      [],
      { INKWIRE_AUTH_AUDIENCE: 'me', INKWIRE_AUTH_JWT_SECRET: '' },
      '--auth-audience (INKWIRE_AUTH_AUDIENCE)',
    ],
    [
      ['--auth-cookie', 'tok', '--insecure-public', '--host', '0.0.0.0'],
      {},
      '--auth-cookie (INKWIRE_AUTH_COOKIE)',
    ],
    [['--auth-algorithms', 'RS256'], {}, '--auth-algorithms (INKWIRE_AUTH_ALGORITHMS)'],
    // Misspelled: it is …_URL.
    [[], { INKWIRE_AUTH_JWKS_URI: 'https://x/' }, 'INKWIRE_AUTH_JWKS_URI'],
    [[], { INKWIRE_JWT_SECRET: 'x'.repeat(32) }, 'INKWIRE_JWT_SECRET'],
  ])(
    'does not start open when something is said of tokens, but not their key: %j %j',
    async (argv, env, setting) => {
      const { io, made, running } = await serveWith(argv, { env })
      expect(await running).toBe(2)
      expect(made).toEqual([])
      expect(io.err.at(-1)).toBe(
        `inkwire: ${setting} is of no use ` +
          'without what tokens are checked with: one of --auth-jwt-secret, --auth-jwt-public-key, --auth-jwks-url ' +
          '(INKWIRE_BAD_OPTION)\n',
      )
    },
  )

  it('names variables that look like settings and are none', async () => {
    const env = { INKWIRE_PROT: '80', INKWIRE_NONE: '', OTHER: '1' }
    const { io, running } = await serveWith(['--port', '0'], { env })
    expect(await running).toBe(0)
    expect(io.err).toEqual(['inkwire: INKWIRE_PROT is not a setting\n'])
  })

  it('does not start open when what tokens are checked with is set to nothing', async () => {
    const env = { INKWIRE_AUTH_JWT_SECRET: '' }
    const { io, made, running } = await serveWith(['--port', '0'], { env })
    expect([await running, made]).toEqual([2, []])
    expect(io.err.join('')).toBe(
      'inkwire: INKWIRE_AUTH_JWT_SECRET is empty: set it, or leave it out and everybody may write ' +
        '(INKWIRE_BAD_OPTION)\n',
    )
  })

  it.each<[string[], string]>([
    [
      ['--allow-origin', 'foo'],
      '--allow-origin must be a list of origins like "https://app.example.com", or "*", not "foo"',
    ],
    [['--auth-cookie', 'a b'], '--auth-cookie must be the name of a cookie, not "a b"'],
    [
      ['--auth-jwt-public-key', '/there/is/none'],
      '--auth-jwt-public-key: /there/is/none: no such file or folder (ENOENT) (INKWIRE_BAD_OPTION)',
    ],
    [
      ['--auth-jwt-public-key', tmpdir()],
      `--auth-jwt-public-key: ${tmpdir()}: a folder, not a file (EISDIR) (INKWIRE_BAD_OPTION)`,
    ],
    [
      ['--auth-jwt-secret', 'x'.repeat(32), '--auth-algorithms', 'RS256'],
      '"RS256" doesn\'t fit the token key: HS256, HS384, HS512 do (INKWIRE_BAD_OPTION)',
    ],
  ])('refuses %j', async (argv, message) => {
    const { io, made, running } = await serveWith(argv)
    expect(await running).toBe(2)
    expect(made).toEqual([])
    expect(io.err.join('')).toBe(`inkwire: ${message}\n`)
  })

  it('reports by name and count what could not be saved, and exits 1', async () => {
    const report: UnsavedReport = {
      unsaved: [
        { name: 'notes', updates: 3 },
        { name: 'a/b', updates: 1 },
        // Clients name documents: a name must neither drive the operator's terminal nor make a line of its own.
        { name: 'a\u001b[2J\nb', updates: 2 },
      ],
    }
    const { io, running } = await serveWith([], { handle: { close: async () => report } })
    expect(await running).toBe(1)
    expect(io.err).toEqual([
      'inkwire: not saved: 3 updates of "notes"\n',
      'inkwire: not saved: 1 update of "a/b"\n',
      'inkwire: not saved: 2 updates of "a\\u001b[2J\\nb"\n',
    ])
  })

  it('ends at once with 1 at the second signal', async () => {
    let finish: (report: UnsavedReport) => void = () => undefined
    const close = () =>
      new Promise<UnsavedReport>((resolve) => {
        finish = resolve
      })
    const { io, running } = await serveWith([], { handle: { close } })
    await new Promise((resolve) => setImmediate(resolve))
    expect(io.exits).toEqual([])
    io.signal()
    expect(io.exits).toEqual([1])
    finish({ unsaved: [] })
    await running
  })

  it('stops at a signal that comes before it listens', async () => {
    let closed = false
    const close = async () => {
      closed = true
      return { unsaved: [] }
    }
    const { io, running } = await serveWith([], {
      handle: { listen: () => new Promise(() => undefined), close },
    })
    expect(await running).toBe(0)
    expect(closed).toBe(true)
    expect(io.text).toBe('')
  })

  it.each([
    [
      { code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1', port: 80 },
      'port 80 is in use at 127.0.0.1: choose another by --port, or 0 for a free one (EADDRINUSE)',
    ],
    [
      { code: 'EACCES', syscall: 'listen', address: '127.0.0.1', port: 80 },
      'port 80 may not be used by this user (EACCES)',
    ],
    [
      { code: 'EADDRNOTAVAIL', syscall: 'listen', address: '10.0.0.1', port: 80 },
      '10.0.0.1 is not an address of this machine (EADDRNOTAVAIL)',
    ],
    [
      { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nowhere' },
      'there is no host "nowhere" to listen at (ENOTFOUND)',
    ],
    [{ code: 'EROFS', syscall: 'mkdir', path: '/ro' }, '/ro: the file system is read-only (EROFS)'],
    [{}, 'first second'],
  ])('says in one line why it can not listen: %j', async (fields, line) => {
    const listen = async () => {
      throw Object.assign(new Error('first\n  second'), fields)
    }
    const { io, running } = await serveWith([], { handle: { listen }, signals: 0 })
    expect(await running).toBe(1)
    expect(io.err).toEqual([`inkwire: ${line}\n`])
    expect(io.listeners).toBe(0)
  })
})
