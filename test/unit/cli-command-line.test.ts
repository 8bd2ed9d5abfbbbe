/** What a command line that is wrong is answered, and what `--help` and `--version` say. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { command } from '../support/cli.js'

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
    [['rollback'], "missing required argument 'doc'"],
    [['rollback', 'a'], "required option '--before <time>' not specified"],
    [['migrate', 'folder'], "required option '--from <folder>' not specified"],
    [['token', 'a=write', '--sub', ''], '--sub must have from 1 to 256 characters, not ""'],
    [
      ['token', 'a=write', '--expires', '0s'],
      '--expires must be a number above 0 and one of s m h d w y, not "0s"',
    ],
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

  it.each([
    [['rollback'], '2026-11-21T10:30:00Z (required)'],
    [['migrate', 'folder'], 'where they are (required)'],
    [
      ['token'],
      'the user (default: developer) --expires <time> when it ends, like 2h or 30d (default: 1h) -h',
    ],
    [['serve'], 'snapshots of open documents; 0 keeps none (default: 256'],
  ])('of %j says %j', async (argv, words) => {
    expect((await command([...argv, '--help'])).out.replace(/\s+/g, ' ')).toContain(words)
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
