import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Io, Parts, ServerHandle } from '../../server/cli/context.js'
import { run } from '../../server/cli/run.js'
import type { ServerOptions } from '../../server/config.js'
import type { UnsavedReport } from '../../server/journal/journal.js'
import { openLevelJournal } from '../../server/journal/level.js'

let folder: string
let data: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inkwire-cli-'))
  data = join(folder, 'data')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

/** A process around a command. */
class FakeProcess implements Io {
  readonly out: Uint8Array[] = []
  readonly err: string[] = []
  readonly exits: number[] = []
  input = new Uint8Array()
  isTTY = false
  env: Record<string, string> = {}
  readonly #listeners = new Set<() => void>()

  get stdout() {
    return { isTTY: this.isTTY, write: (chunk: string | Uint8Array) => this.out.push(Buffer.from(chunk)) }
  }
  readonly stderr = { write: (chunk: string | Uint8Array) => this.err.push(String(chunk)) }
  readInput = async () => this.input
  onSignal = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  exit = (code: number) => void this.exits.push(code)
  signal(): void {
    for (const listener of this.#listeners) listener()
  }
  get listeners(): number {
    return this.#listeners.size
  }
  get text(): string {
    return Buffer.concat(this.out).toString()
  }
}

/** A server that does as it is told, and what it was made with. */
const fakeServer = (handle: Partial<ServerHandle> = {}) => {
  const made: ServerOptions[] = []
  const parts: Parts = {
    openJournal: openLevelJournal,
    createServer: async (options) => {
      made.push(options)
      return {
        listen: async () => ({ url: 'http://127.0.0.1:1234' }),
        close: async () => ({ unsaved: [] }),
        ...handle,
      }
    },
  }
  return { made, parts }
}

const command = async (argv: string[], setup: (io: FakeProcess) => void = () => undefined) => {
  const io = new FakeProcess()
  setup(io)
  const code = await run(argv, io, fakeServer().parts)
  return { code, out: io.text, bytes: Buffer.concat(io.out), err: io.err.join('') }
}

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

const state = (text: string, root = 'text'): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText(root).insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const store = async (name: string, ...updates: Uint8Array[]): Promise<void> => {
  const journal = await openLevelJournal({ directory: data })
  const log = await journal.open(name, () => undefined)
  for (const update of updates) log.append({ update, time: 1, author: '' })
  await journal.close()
}

describe('a command line that can not be understood ends with one line on stderr and exit 2', () => {
  it.each<[string[], string | RegExp]>([
    [['serve', '--port', 'abc'], '--port must be a whole number from 0 to 65535, not "abc"'],
    [['serve', '--port', '65536'], '--port must be a whole number from 0 to 65535, not "65536"'],
    [['serve', '--port', '-1'], '--port must be a whole number from 0 to 65535, not "-1"'],
    [['serve', '--port', '1e3'], '--port must be a whole number from 0 to 65535, not "1e3"'],
    [['serve', '--port'], "option '--port <number>' argument missing"],
    [['serve', '--host', 'a b'], '--host must be a host name or an IP address, not "a b"'],
    [
      ['serve', '--path-prefix', 'x'],
      '--path-prefix must be a path that starts with a slash, without query or blanks, not "x"',
    ],
    [['serve', '--durability', 'maybe'], '--durability must be "fsync" or "os", not "maybe"'],
    [
      ['serve', '--max-message', '16M'],
      '--max-message must be a whole number of bytes from 1024 to 1073741824, not "16M"',
    ],
    [
      ['serve', '--memory-budget', '512M'],
      '--memory-budget must be a whole number of MiB from 0 to 1048576, not "512M"',
    ],
    [
      ['serve', '--log-level', 'loud'],
      '--log-level must be one of debug, info, warn, error, silent, not "loud"',
    ],
    [['serve', '--prot', '1'], "unknown option '--prot' (Did you mean --port?)"],
    [['serve', 'now'], "too many arguments for 'serve'. Expected 0 arguments but got 1."],
    [['sevre'], "unknown command 'sevre' (Did you mean serve?)"],
    [['export'], "missing required argument 'doc'"],
    [['export', 'a', '--format', 'pdf'], '--format must be one of update, text, json, not "pdf"'],
    [['export', 'a', '--root', 'b'], '--root goes with --format text or json (INKWIRE_BAD_OPTION)'],
    [['export', ''], 'the document name is empty (INKWIRE_BAD_NAME)'],
    [['import', 'a'], "missing required argument 'file'"],
  ])('%j', async (argv, message) => {
    expect(await command(argv)).toMatchObject({ code: 2, out: '', err: `inkwire: ${message}\n` })
  })

  it.each([
    ['INKWIRE_PORT', 'abc', 'must be a whole number from 0 to 65535'],
    ['INKWIRE_NO_DEMO', 'perhaps', 'must be 1 or 0'],
    ['INKWIRE_DURABILITY', 'x', 'must be "fsync" or "os"'],
  ])('%s=%s', async (variable, value, problem) => {
    const { code, err } = await command(['serve'], (io) => {
      io.env = { [variable]: value }
    })
    expect({ code, err }).toEqual({ code: 2, err: `inkwire: ${variable} ${problem}, not "${value}"\n` })
  })

  it('no command at all shows the help', async () => {
    const { code, err } = await command([])
    expect(code).toBe(2)
    expect(err).toContain('Usage: inkwire')
  })
})

describe('--version and --help', () => {
  it('print on stdout and exit 0', async () => {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await command(['--version'])).toMatchObject({ code: 0, out: `${manifest.version}\n`, err: '' })
    const help = await command(['--help'])
    expect(help).toMatchObject({ code: 0, err: '' })
    for (const name of ['serve', 'list', 'export', 'import']) expect(help.out).toContain(name)
  })

  it('of serve names each option with its default and its variable', async () => {
    const { out } = await command(['serve', '--help'])
    const text = out.replace(/\s+/g, ' ')
    for (const words of [
      '(default: 1234, env: INKWIRE_PORT)',
      '(default: 127.0.0.1, env: INKWIRE_HOST)',
      '(default: ./data, env: INKWIRE_DATA)',
      '(default: /, env: INKWIRE_PATH_PREFIX)',
      '(env: INKWIRE_NO_DEMO)',
      '(default: fsync, env: INKWIRE_DURABILITY)',
      '(default: 16777216, env: INKWIRE_MAX_MESSAGE)',
      '(default: info, env: INKWIRE_LOG_LEVEL)',
    ]) {
      expect(text).toContain(words)
    }
  })
})

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

  it('reports by name and count what could not be saved, and exits 1', async () => {
    const report: UnsavedReport = {
      unsaved: [
        { name: 'notes', updates: 3 },
        { name: 'a/b', updates: 1 },
      ],
    }
    const { io, running } = await serveWith([], { handle: { close: async () => report } })
    expect(await running).toBe(1)
    expect(io.err).toEqual([
      'inkwire: not saved: 3 updates of "notes"\n',
      'inkwire: not saved: 1 update of "a/b"\n',
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

describe('list', () => {
  it('prints the names, one a line', async () => {
    await store('b', state('x'))
    await store('a/b 🙂', state('x'))
    await store('two\nlines\u001b[31m\u2028', state('x'))
    const { code, out } = await command(['list', '--data', data])
    expect({ code, lines: out.split('\n') }).toEqual({
      code: 0,
      lines: ['a/b 🙂', 'b', '"two\\nlines\\u001b[31m\\u2028"', ''],
    })
  })

  it('prints JSON when asked to', async () => {
    await store('a', state('x'))
    const { out } = await command(['list', '--json', '--data', data])
    expect(JSON.parse(out)).toEqual({ name: 'a', generation: expect.stringMatching(/^[0-9a-f]{32}$/) })
  })

  it('takes the folder from the environment', async () => {
    await store('a', state('x'))
    const { out } = await command(['list'], (io) => {
      io.env = { INKWIRE_DATA: data }
    })
    expect(out).toBe('a\n')
  })
})

describe('export', () => {
  it('gives the whole state as an update by default', async () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (const [at, character] of [...'hello'].entries()) doc.getText('text').insert(at, character)
    await store('a', ...updates)
    const { code, bytes } = await command(['export', 'a', '--data', data])
    const copy = new Y.Doc()
    Y.applyUpdate(copy, bytes)
    expect({ code, text: copy.getText('text').toString() }).toEqual({ code: 0, text: 'hello' })
  })

  it('gives text and JSON, of all roots or of one', async () => {
    await store('a', state('hello', 'body'), state('Title', 'title'))
    const out = async (...argv: string[]) => (await command(['export', 'a', '--data', data, ...argv])).out
    expect(JSON.parse(await out('--format', 'json'))).toEqual({ body: 'hello', title: 'Title' })
    expect(await out('--format', 'text', '--root', 'body')).toBe('hello')
    expect(await out('--format', 'text')).toBe('=== body ===\nhello\n\n=== title ===\nTitle\n')
  })

  it('writes into a file', async () => {
    await store('a', state('hello'))
    const output = join(folder, 'out.txt')
    const { code, out } = await command([
      'export',
      'a',
      '--format',
      'text',
      '--output',
      output,
      '--data',
      data,
    ])
    expect({ code, out, file: await readFile(output, 'utf8') }).toEqual({ code: 0, out: '', file: 'hello' })
  })

  it('does not print an update on a terminal', async () => {
    await store('a', state('hello'))
    const { code, out, err } = await command(['export', 'a', '--data', data], (io) => {
      io.isTTY = true
    })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('--output <file>')
  })

  it('fails for a document that is not there', async () => {
    await store('a', state('hello'))
    expect(await command(['export', 'b', '--data', data])).toMatchObject({
      code: 1,
      out: '',
      err: 'inkwire: there is no document "b" (INKWIRE_NO_DOCUMENT)\n',
    })
  })
})

describe.each([['list'], ['export', 'a']])('%s on a folder without documents', (...argv) => {
  it('fails and creates nothing when there is no folder', async () => {
    const { code, err } = await command([...argv, '--data', data])
    expect({ code, err }).toEqual({
      code: 1,
      err: `inkwire: there is no data folder ${data} (INKWIRE_NO_DOCUMENT)\n`,
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('fails and creates nothing when the folder holds something else', async () => {
    const { code, err } = await command([...argv, '--data', folder])
    expect({ code, err }).toEqual({
      code: 1,
      err: `inkwire: there are no documents in ${folder} (INKWIRE_NO_DOCUMENT)\n`,
    })
    expect(await readdir(folder)).toEqual([])
  })
})

describe('import', () => {
  const file = async (bytes: Uint8Array): Promise<string> => {
    const path = join(folder, 'state.bin')
    await writeFile(path, bytes)
    return path
  }
  const text = async (name: string) =>
    (await command(['export', name, '--format', 'text', '--data', data])).out

  it('creates a document, and the folder, from a state', async () => {
    const bytes = state('hello')
    const { code, out } = await command(['import', 'new/one', await file(bytes), '--data', data])
    expect({ code, out }).toEqual({ code: 0, out: `merged ${bytes.length} bytes into "new/one"\n` })
    expect(await text('new/one')).toBe('hello')
  })

  it('merges into what is there', async () => {
    await store('a', state('hello'))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, (await command(['export', 'a', '--data', data])).bytes)
    doc.getText('text').insert(5, ' world')
    await command(['import', 'a', await file(Y.encodeStateAsUpdate(doc)), '--data', data])
    expect(await text('a')).toBe('hello world')
  })

  it('writes nothing that is there already', async () => {
    await store('a', state('hello'))
    const { bytes } = await command(['export', 'a', '--data', data])
    const { code, out } = await command(['import', 'a', await file(bytes), '--data', data])
    expect({ code, out }).toEqual({ code: 0, out: '"a" has all of it already\n' })
    const journal = await openLevelJournal({ directory: data })
    expect((await journal.read('a'))?.seq).toBe(1)
    await journal.close()
  })

  it('reads stdin for -', async () => {
    const { code } = await command(['import', 'a', '-', '--data', data], (io) => {
      io.input = new Uint8Array(state('from stdin'))
    })
    expect(code).toBe(0)
    expect(await text('a')).toBe('from stdin')
  })

  it('says so when something before it is missing', async () => {
    const doc = new Y.Doc()
    doc.getText('text').insert(0, 'a')
    const before = Y.encodeStateVector(doc)
    doc.getText('text').insert(1, 'b')
    const { code, out } = await command([
      'import',
      'a',
      await file(Y.encodeStateAsUpdate(doc, before)),
      '--data',
      data,
    ])
    expect(code).toBe(0)
    expect(out).toContain('parts of it wait for updates that are missing')
  })

  it.each<[string, Uint8Array, string]>([
    ['text', Buffer.from('just text'), 'is not a Yjs update (v1)'],
    ['nothing', new Uint8Array(), 'is not a Yjs update (v1)'],
    ['a v2 update', Y.encodeStateAsUpdateV2(new Y.Doc()), 'v2'],
  ])('refuses %s and creates nothing', async (_, bytes, message) => {
    const { code, err } = await command(['import', 'a', await file(bytes), '--data', data])
    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err).toContain('(INKWIRE_BAD_UPDATE)')
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['state.bin'])
  })

  it('says when there is no such file', async () => {
    const missing = join(folder, 'missing')
    const { code, err } = await command(['import', 'a', missing, '--data', data])
    expect({ code, err }).toEqual({ code: 1, err: `inkwire: ${missing}: no such file or folder (ENOENT)\n` })
  })
})

describe('a folder that is in use', () => {
  it.each([['list'], ['export', 'a'], ['import', 'a', '-']])(
    '%s fails with one clear line',
    async (...argv) => {
      const journal = await openLevelJournal({ directory: data })
      const { code, err } = await command([...argv, '--data', data], (io) => {
        io.input = new Uint8Array(state('x'))
      })
      await journal.close()
      expect(code).toBe(1)
      expect(err).toMatch(/^inkwire: .* in use .*\(INKWIRE_STORE_LOCKED\)\n$/)
    },
  )
})
