import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InkwireError } from '../../shared/errors.js'
import type { Version } from './documents.js'
import { isMissing, replaceFile, syncFolder, writeSynced } from './files.js'
import { type BackupEntry, decodeManifest, encodeManifest, type Manifest, sha256 } from './manifest.js'

const MANIFEST = 'manifest.json'
const DOCUMENTS = 'documents'
const LOCK = 'lock'
const OURS = new Set([MANIFEST, `${MANIFEST}.new`, DOCUMENTS, LOCK])

/** A readable part of a file's name is at most so long; what makes it unique follows. */
const READABLE_CHARS = 100

/**
 * A backup's folder:
 *
 *     manifest.json                                what is in the backup; see `Manifest`
 *     documents/NAME.GENERATION.SEQ.yjs            one document's state, a Yjs update (v1), for `Y.applyUpdate`
 *     lock                                         while a backup is being made
 *
 * A file is never written over: another version of a document is another file, and the manifest turns from the old
 * ones to the new ones in one step. So the folder holds a whole backup at every moment.
 */
export class BackupFolder {
  readonly path: string
  readonly #documents: string

  constructor(path: string) {
    this.path = path
    this.#documents = join(path, DOCUMENTS)
  }

  /**
   * Makes the folder unless it is there, and keeps other backups out of it.
   *
   * @returns what lets them in again.
   * @throws InkwireError INKWIRE_BAD_OPTION when something else is in it; an Error while another backup is made.
   */
  async claim(): Promise<() => Promise<void>> {
    // Before anything is made: it may be anybody's folder.
    const foreign = (await this.#files()).find((file) => !OURS.has(file))
    if (foreign !== undefined) {
      const what = `${this.path} is no folder of backups: "${foreign}" is in it. Choose an empty or a new one`
      throw new InkwireError('INKWIRE_BAD_OPTION', what)
    }
    await mkdir(this.path, { recursive: true })
    await mkdir(this.#documents, { recursive: true })
    const lock = join(this.path, LOCK)
    await takeLock(lock)
    return () => rm(lock, { force: true })
  }

  /**
   * The manifest; `null` when there is none.
   *
   * @throws InkwireError INKWIRE_BAD_BACKUP, INKWIRE_STORE_FORMAT
   */
  async manifest(): Promise<Manifest | null> {
    try {
      return decodeManifest(await readFile(join(this.path, MANIFEST), 'utf8'))
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** Whether a document's file is there and of its size. Its contents are checked by {@link load}. */
  async has({ file, bytes }: BackupEntry): Promise<boolean> {
    try {
      return (await stat(join(this.#documents, file))).size === bytes
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** A document's state; `null` when its file is missing or isn't what was written. */
  async load({ file, sha256: expected }: BackupEntry): Promise<Uint8Array | null> {
    try {
      const state = await readFile(join(this.#documents, file))
      return sha256(state) === expected ? state : null
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  /** Writes and fsyncs a document's state. It counts once the manifest names it. */
  async save(name: string, version: Version, state: Uint8Array): Promise<BackupEntry> {
    const file = fileName(name, version)
    await writeSynced(join(this.#documents, file), state)
    const { generation, seq } = version
    return { name, generation, seq, file, bytes: state.length, sha256: sha256(state) }
  }

  /** What is in the folder, if it is there. */
  async #files(): Promise<string[]> {
    try {
      return await readdir(this.path)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
  }

  /** Makes this the backup, in one step, and removes the files that are in it no more. */
  async commit(manifest: Manifest): Promise<void> {
    await syncFolder(this.#documents)
    await replaceFile(this.path, join(this.path, MANIFEST), encodeManifest(manifest))
    const named = new Set(manifest.documents.map(({ file }) => file))
    for (const file of await readdir(this.#documents)) {
      if (file.endsWith('.yjs') && !named.has(file)) await rm(join(this.#documents, file), { force: true })
    }
  }
}

/**
 * What people recognize a document by, and what makes the file's name unique whatever the file system thinks of case
 * and length: generations are random.
 *
 * @example fileName('a/b', version) // 'a%2Fb.0123456789abcdef.7.yjs'
 */
export const fileName = (name: string, { generation, seq }: Version): string => {
  const escaped = encodeURIComponent(name).replace(/[!'()*]|^\./g, percentEncoded)
  const readable = escaped.slice(0, READABLE_CHARS).replace(/%.?$/, '')
  return `${readable}.${generation.slice(0, 16)}.${seq}.yjs`
}

const percentEncoded = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/**
 * A lock of a process that is gone counts for nothing, and so does one of our own number: it's an earlier process's.
 */
const takeLock = async (path: string): Promise<void> => {
  for (;;) {
    try {
      const file = await open(path, 'wx')
      await file.writeFile(`${process.pid}\n`)
      return await file.close()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''))
    if (holder !== process.pid && isAlive(holder)) {
      const where = `${basename(path)} in the folder of the backup`
      throw new Error(
        `another backup (process ${holder}) is being made there; if not, remove the file ${where}`,
      )
    }
    await rm(path, { force: true })
  }
}

const isAlive = (pid: number): boolean => {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
