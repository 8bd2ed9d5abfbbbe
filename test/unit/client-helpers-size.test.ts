import { expect, it } from 'vitest'
import { bundleSize } from '../support/size.js'

const KB = 1024

it.each(['presence', 'undo', 'anchors'])(
  'the helper %s is at most 1.5 KB min+gzip without yjs, y-protocols and lib0',
  async (name) => {
    const { minified, gzipped } = await bundleSize(`client/${name}/index.ts`)
    console.log(`inkwire/client/${name}: ${minified} bytes minified, ${gzipped} gzipped`)
    expect(gzipped).toBeLessThanOrEqual(1.5 * KB)
  },
)
