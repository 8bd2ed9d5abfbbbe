import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { getMimeType } from 'hono/utils/mime'

/** A file of the demo, ready to be sent. */
export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: string
  readonly etag: string
  readonly cacheControl: string
}

/** A build names these files after their contents: a changed file is another file. */
const HASHED = /^\/assets\/.*-[\w-]{8,}\.\w+$/

/**
 * Reads the built demo into memory: some dozens of kilobytes, and a request can only name what is in the map, so
 * there is no path that leads out of the folder.
 *
 * @returns the files by URL path, `/` for `index.html`; `null` when there is no such folder.
 */
export const loadDemo = async (folder: string): Promise<ReadonlyMap<string, Asset> | null> => {
  const assets = new Map<string, Asset>()
  try {
    for (const name of await readdir(folder, { recursive: true })) {
      const file = join(folder, name)
      if (!(await stat(file)).isFile()) continue
      const path = `/${name.replaceAll(sep, '/')}`
      assets.set(path === '/index.html' ? '/' : path, asset(path, await readFile(file)))
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  return assets
}

const asset = (path: string, file: Buffer): Asset => ({
  bytes: new Uint8Array(file),
  contentType: getMimeType(path) ?? 'application/octet-stream',
  etag: `"${createHash('sha256').update(file).digest('base64url').slice(0, 22)}"`,
  cacheControl: HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
})
