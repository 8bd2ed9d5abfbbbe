/** I/O errors that the kernel reports when the store's files are read, injected by strace into a command. */
import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLevelJournal } from '../../server/journal/level.js'
import { hasTool } from '../support/privileged.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'
import { documentName, updateOf } from './journal-contents.js'

const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))
const UPDATES = 2000
const traceable = hasTool('strace')
if (!traceable) console.log('skipped: injecting I/O errors needs strace')

describe.runIf(traceable)('an I/O error of a read', () => {
  let root: string
  /** As a process that was killed left it: all is in the log. */
  let killed: string
  /** Closed: all is in a table. */
  let closed: string

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'inkwire-'))
    const live = join(root, 'live')
    killed = join(root, 'killed')
    closed = join(root, 'closed')
    const journal = await openLevelJournal({ directory: live, ballastBytes: 0 })
    const name = documentName(1)
    const log = await journal.open(name, () => {})
    for (let seq = 1; seq <= UPDATES; seq++) {
      log.append({ update: updateOf(name, seq), time: seq, author: '' })
      if (seq % 50 === 0) await until('all is durable', () => journal.queuedBytes === 0)
    }
    log.release()
    await cp(live, killed, { recursive: true })
    await journal.close()
    await cp(live, closed, { recursive: true })
  })

  afterAll(() => rm(root, { recursive: true }))

  const fileOf = async (store: string, kind: RegExp): Promise<string> =>
    join(store, 'journal', (await readdir(join(store, 'journal'))).find((file) => kind.test(file)) ?? '')

  /** Runs a command in which reads of one file fail; strace counts them by thread. */
  const inkwire = (file: string, injections: readonly string[], ...args: string[]) => {
    const inject = injections.flatMap((each) => ['-e', `inject=${each}`])
    const strace = ['-f', '-qq', '-o', '/dev/null', '-P', file, ...inject]
    return spawnSync('strace', [...strace, process.execPath, MAIN, ...args], { encoding: 'utf8' })
  }

  const held = async (directory: string): Promise<number> => {
    const journal = await openLevelJournal({ directory, ballastBytes: 0 })
    try {
      const document = await journal.read(documentName(1))
      for (const { update, seq } of document?.tail ?? []) {
        expect(Buffer.compare(update, updateOf(documentName(1), seq))).toBe(0)
      }
      return document?.seq ?? 0
    } finally {
      await journal.close()
    }
  }

  test.each(['1', '2', '3', '4', '1+'])(
    'of the log (read %s): nothing that was acknowledged is lost',
    async (when) => {
      const data = join(await tempDir(), 'data')
      await cp(killed, data, { recursive: true })
      const log = await fileOf(data, /\.log$/)
      const { status, stderr } = inkwire(log, [`read,pread64:error=EIO:when=${when}`], 'list', '--data', data)
      if (when === '1+') {
        expect(stderr).toMatch(/log.*can't be read/)
        expect(status).not.toBe(0)
      }
      expect(await held(data)).toBe(UPDATES)
    },
  )

  test.each([
    ['once: nothing is lost', ['read:error=EIO:when=1']],
    [
      'in some places: what lay there is damage of its documents',
      ['read:error=EIO:when=1', 'pread64:error=EIO:when=2'],
    ],
  ])('of a table, %s, and the process doesn’t die of it', async (_, injections) => {
    const data = join(await tempDir(), 'data')
    await cp(closed, data, { recursive: true })
    const table = await fileOf(data, /\.ldb$/)
    const original = await readFile(table)
    const { status, stdout } = inkwire(table, injections, 'list', '--data', data)
    expect(status).toBe(0)
    expect(stdout).toContain(documentName(1))
    const [kept = ''] = await readdir(join(data, 'journal', 'lost'))
    expect(Buffer.compare(await readFile(join(data, 'journal', 'lost', kept)), original)).toBe(0)
    if (injections.length === 1) expect(await held(data)).toBe(UPDATES)
    else await expect(held(data)).rejects.toMatchObject({ code: 'INKWIRE_DOCUMENT_DAMAGED' })
  })
})
