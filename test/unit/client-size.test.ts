import { expect, it } from 'vitest'
import { bundleSize } from '../support/size.js'

const KB = 1024

it('the client is at most 8 KB min+gzip without yjs, y-protocols and lib0', async () => {
  const { minified, gzipped } = await bundleSize('client/index.ts')
  console.log(`inkwire/client: ${minified} bytes minified, ${gzipped} gzipped`)
  expect(gzipped).toBeGreaterThan(1 * KB)
  expect(gzipped).toBeLessThanOrEqual(8 * KB)
})
