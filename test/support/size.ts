import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

/** The size of a bundle, bytes. */
export interface BundleSize {
  readonly minified: number
  readonly gzipped: number
}

/**
 * What a source file of the client adds to an app that has yjs, y-protocols and lib0 already: bundled with
 * all that it imports except these, by Vite, as it would be for production.
 *
 * @param entry path from the project's root.
 * @example
 *   (await bundleSize('client/index.ts')).gzipped
 */
export const bundleSize = async (entry: string): Promise<BundleSize> => {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL(`../../${entry}`, import.meta.url)),
        external: /^(yjs|y-protocols|lib0)(\/|$)/,
        preserveEntrySignatures: 'strict',
      },
    },
  })
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) =>
    'output' in one ? one.output : [],
  )
  const code = outputs.map((file) => (file.type === 'chunk' ? file.code : '')).join('')
  return { minified: code.length, gzipped: gzipSync(code, { level: 9 }).length }
}
