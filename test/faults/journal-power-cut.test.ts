/**
 * A power cut: an ext4 file system on a loop device, whose backing file is copied while it is mounted and written to.
 * What the kernel had not been told to write is not in the copy.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canMount, hasTool, run } from '../support/privileged.js'
import { until } from '../support/until.js'
import { bundleProcess, Ledger, live } from './journal-harness.js'

const possible = canMount() && hasTool('mkfs.ext4') && hasTool('losetup')
if (!possible) console.log('skipped: a power cut needs the right to mount, mkfs.ext4 and losetup')

describe.runIf(possible)('a power cut', () => {
  let script: string
  let dispose: () => Promise<void>

  beforeAll(async () => {
    ;({ script, dispose } = await bundleProcess())
  })

  afterAll(() => dispose())

  test.each([1, 2, 3])(
    'under load: every edit acknowledged before it is there (%i)',
    async (seed) => {
      const root = await mkdtemp(join(tmpdir(), 'inkwire-power-'))
      const image = join(root, 'image')
      const mounted = join(root, 'mounted')
      run('mkdir', mounted)
      run('truncate', '-s', '64M', image)
      run('mkfs.ext4', '-q', '-F', image)
      run('mount', '-o', 'loop', image, mounted)
      const ledger = new Ledger()
      try {
        const directory = join(mounted, 'data')
        const options = { directory, documents: 6, seed, durability: 'fsync', changes: seed === 3 } as const
        await live(script, options, ledger, async (child) => {
          await until('it has written a while', () => ledger.acknowledged > 150 * seed, 60_000)
          // Nothing new while the copy is made; what is in flight stays so.
          child.kill('SIGSTOP')
          await cp(image, `${image}-cut`)
          child.kill('SIGKILL')
        })
      } finally {
        run('umount', mounted)
      }
      expect(ledger.acknowledged).toBeGreaterThan(0)
      run('mount', '-o', 'loop', `${image}-cut`, mounted)
      try {
        await ledger.check(join(mounted, 'data'))
      } finally {
        run('umount', mounted)
        await rm(root, { recursive: true })
      }
    },
    90_000,
  )
})
