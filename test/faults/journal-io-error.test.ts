/** I/O errors that the kernel reports to LevelDB's fdatasync, injected by strace. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasTool } from '../support/privileged.js'
import { tempDir } from '../support/temp.js'
import { bundleProcess, Ledger, live } from './journal-harness.js'

const traceable = hasTool('strace')
if (!traceable) console.log('skipped: injecting I/O errors needs strace')

describe.runIf(traceable)('an I/O error of fdatasync', () => {
  let script: string
  let dispose: () => Promise<void>

  beforeAll(async () => {
    ;({ script, dispose } = await bundleProcess())
  })

  afterAll(() => dispose())

  test.each([
    ['once', '30'],
    ['twice in a row on each thread', '30..31'],
    ['every now and then', '20+15'],
  ])(
    '%s: what was acknowledged is there',
    async (_, when) => {
      const directory = await tempDir()
      const ledger = new Ledger()
      const options = { directory, documents: 4, seed: 1, durability: 'fsync', changes: false } as const
      const inject = `inject=fdatasync:error=EIO:when=${when}`
      const strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', inject]
      await live(script, { ...options, point: 'append.after', hits: 120 }, ledger, undefined, strace)
      // It went on after the errors.
      expect(ledger.acknowledged).toBeGreaterThan(120)
      await ledger.check(directory)
    },
    60_000,
  )
})
