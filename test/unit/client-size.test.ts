import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { bundleSize } from '../support/size.js'

const KB = 1024

/** Most bytes, min+gzip without yjs, y-protocols, lib0 and React. */
const LIMITS: readonly [entry: string, limit: number][] = [
  ['client/index.ts', 8 * KB],
  ['client/textarea/index.ts', 4 * KB],
  ['client/offline/device.ts', 4 * KB],
  ['client/offline/index.ts', 2 * KB],
  ['client/react/index.ts', 2 * KB],
]

const isThere = ([entry]: readonly [string, number]): boolean =>
  existsSync(fileURLToPath(new URL(`../../${entry}`, import.meta.url)))

it.each(LIMITS.filter(isThere))('%s is at most %i bytes min+gzip', async (entry, limit) => {
  const { minified, gzipped } = await bundleSize(entry)
  console.log(`${entry}: ${minified} bytes minified, ${gzipped} gzipped`)
  expect(gzipped).toBeGreaterThan(500)
  expect(gzipped).toBeLessThanOrEqual(limit)
})

it('the client brings what keeps documents on the device only when it is asked for', async () => {
  const [core, device] = [await bundleSize('client/index.ts'), await bundleSize('client/offline/device.ts')]
  const both = await bundleSize('test/browser/pages/offline.ts')
  expect(both.gzipped).toBeGreaterThan(core.gzipped)
  expect(core.gzipped + device.gzipped).toBeGreaterThan(8 * KB)
})
