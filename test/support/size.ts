import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** The size of a bundle, bytes. */
export interface BundleSize {
  readonly minified: number
  readonly gzipped: number
}

/** What an app has already that uses Yjs, with a framework or without. */
const THERE = ['yjs', 'lib0', 'y-protocols', 'react', 'react-dom', 'svelte', 'vue'].flatMap((name) => [
  name,
  `${name}/*`,
])

/**
 * What a source file of the client adds to an app that has yjs, y-protocols and lib0 already: bundled with
 * all that it imports except these, and minified. What it imports dynamically is for later and doesn't count.
 * `test/bench/sizes.mjs` measures other clients in the same way.
 *
 * @param entry path from the project's root.
 * @param beside other entries that the app has already, and that are measured for themselves.
 * @example
 *   (await bundleSize('client/index.ts')).gzipped
 */
export const bundleSize = async (entry: string, beside: readonly string[] = []): Promise<BundleSize> => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('../../', import.meta.url)),
    entryPoints: [entry],
    external: [...THERE, ...beside.map((path) => `./${path}`)],
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    outdir: '/',
  })
  const outputs = Object.entries(metafile.outputs)
  const needed = new Set(outputs.filter(([, { entryPoint }]) => entryPoint === entry).map(([path]) => path))
  for (const path of needed) {
    for (const other of metafile.outputs[path]?.imports ?? []) {
      if (other.kind === 'import-statement' && !other.external) needed.add(other.path)
    }
  }
  const sizes = outputFiles.flatMap(({ contents }, index) =>
    needed.has(outputs[index]?.[0] ?? '')
      ? [{ minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length }]
      : [],
  )
  return sizes.reduce((sum, { minified, gzipped }) => ({
    minified: sum.minified + minified,
    gzipped: sum.gzipped + gzipped,
  }))
}
