import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { getMimeType } from 'hono/utils/mime'

/** A file of the demo, ready to be sent. */
export interface Asset {
  readonly contentType: string
  readonly cacheControl: string
  readonly plain: Form
  /** Null where it would be no smaller. */
  readonly gzipped: Form | null
}

/** Bytes to send for a file. Each form has a tag of its own, since to a cache they are different bytes. */
export interface Form {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly etag: string
}

/** A build names these files after their contents: a changed file is another file. */
const HASHED = /^\/assets\/.*-[\w-]{8,}\.\w+$/

/**
 * Reads the built demo into memory, half a megabyte, and compresses it: once here, rather than for each request. A
 * request can only name what is in the map, so there is no path that leads out of the folder.
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
      assets.set(path === '/index.html' ? '/' : path, await asset(path, await readFile(file)))
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  return assets
}

const compress = promisify(gzip)

const asset = async (path: string, file: Buffer): Promise<Asset> => {
  const tag = createHash('sha256').update(file).digest('base64url').slice(0, 22)
  const gzipped = await compress(file, { level: 9 })
  return {
    contentType: getMimeType(path) ?? 'application/octet-stream',
    cacheControl: HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    plain: { bytes: new Uint8Array(file), etag: `"${tag}"` },
    gzipped: gzipped.length < file.length ? { bytes: new Uint8Array(gzipped), etag: `"${tag}-gzip"` } : null,
  }
}
