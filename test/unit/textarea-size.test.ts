import { expect, it } from 'vitest'
import { bundleSize } from '../support/size.js'

const KB = 1024

it('the textarea binding is at most 4 KB min+gzip without yjs, y-protocols and lib0', async () => {
  const { minified, gzipped } = await bundleSize('client/textarea/index.ts')
  console.log(`inkwire/client/textarea: ${minified} bytes minified, ${gzipped} gzipped`)
  expect(gzipped).toBeGreaterThan(1 * KB)
  expect(gzipped).toBeLessThanOrEqual(4 * KB)
})
