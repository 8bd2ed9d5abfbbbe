import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** The size of a bundle, bytes. */
export interface BundleSize {
  readonly minified: number
  readonly gzipped: number
}

/**
 * What a source file of the client adds to an app that has yjs, y-protocols and lib0 already: bundled with
 * all that it imports except these, minified, gzipped.
 *
 * @param entry path from the project's root.
 * @example
 *   (await bundleSize('client/index.ts')).gzipped
 */
export const bundleSize = async (entry: string): Promise<BundleSize> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../../${entry}`, import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['yjs', 'y-protocols', 'y-protocols/*', 'lib0', 'lib0/*'],
    write: false,
    logLevel: 'silent',
  })
  const contents = outputFiles[0]?.contents ?? new Uint8Array()
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length }
}
