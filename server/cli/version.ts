import { createRequire } from 'node:module'

/** The package's version; it is found by its own name, from the sources and from the build alike. */
export const packageVersion = (): string => {
  const manifest: unknown = createRequire(import.meta.url)('inkwire/package.json')
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version)
  throw new TypeError('package.json has no version')
}
