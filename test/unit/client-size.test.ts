import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { bundleSize } from '../support/size.js'

const KB = 1024

/** Most bytes, min+gzip without yjs, y-protocols, lib0 and the frameworks. */
const LIMITS: readonly [entry: string, limit: number][] = [
  ['client/index.ts', 8 * KB],
  ['client/shared/index.ts', 3.5 * KB],
  ['client/textarea/index.ts', 4 * KB],
  ['client/offline/device.ts', 4 * KB],
  ['client/offline/index.ts', 2 * KB],
  ['client/presence/index.ts', 1.5 * KB],
  ['client/undo/index.ts', KB],
  ['client/anchors/index.ts', KB],
  ['client/react/index.ts', 2 * KB],
  ['client/svelte/index.ts', 2 * KB],
  ['client/vue/index.ts', 2 * KB],
]

/** What the hooks, stores and composables work with: an app has that once, whatever it uses of it. */
const BESIDE = ['client/index.ts', 'client/presence/index.ts']

const isThere = ([entry]: readonly [string, number]): boolean =>
  existsSync(fileURLToPath(new URL(`../../${entry}`, import.meta.url)))

it.each(LIMITS.filter(isThere))('%s is at most %i bytes min+gzip', async (entry, limit) => {
  const beside = /react|svelte|vue/.test(entry) ? BESIDE : []
  const { minified, gzipped } = await bundleSize(entry, beside)
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
