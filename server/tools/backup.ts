import { InkwireError } from '../../shared/errors.js'
import { BackupFolder } from './backup-folder.js'
import type { OpenDocuments } from './documents.js'
import { inParallel } from './in-parallel.js'
import type { BackupEntry } from './manifest.js'
import type { StartProgress } from './progress.js'
import { stateOf } from './state.js'

/** What {@link backup} needs. */
export interface BackupOptions {
  readonly documents: OpenDocuments
  /** Where the backup goes; a folder of its own, which may hold an earlier one. */
  readonly folder: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly progress: StartProgress
  /** Gives up; the earlier backup stays as it is. */
  readonly signal: AbortSignal
}

/** What a backup came to. */
export interface BackupReport {
  /** Documents in the backup. */
  readonly documents: number
  /** Files written, and their bytes. */
  readonly written: number
  readonly bytes: number
  /** Documents that were in the earlier backup and are in no more, for they were deleted. */
  readonly removed: number
  /** Documents that could not be read. `kept`: the backup still has what an earlier one had of it. */
  readonly failed: readonly { readonly name: string; readonly problem: string; readonly kept: boolean }[]
  /** Documents that nobody deleted and that are gone: of these there is no more than an earlier backup had. */
  readonly lost: number
  /** Why the earlier backup counted for nothing, if it was damaged. */
  readonly anew: string | null
}

/** Files that are written and fsynced at a time. */
const WIDTH = 8

/**
 * Backs all documents up into a folder, while authors write or not: each is in it as it was at one moment between
 * start and end, so every edit that was acknowledged before the start is in it. Of documents that are at the version
 * of the earlier backup nothing is written. When it resolves, all of it is on disk.
 *
 * @throws InkwireError as `BackupFolder.claim`, and as `OpenDocuments` when the store fails.
 */
export const backup = async (options: BackupOptions): Promise<BackupReport> => {
  const folder = new BackupFolder(options.folder)
  const release = await folder.claim()
  try {
    return await make(folder, options)
  } finally {
    await release()
  }
}

const make = async (folder: BackupFolder, options: BackupOptions): Promise<BackupReport> => {
  const { documents, now, signal } = options
  const started = new Date(now()).toISOString()
  const { earlier, anew } = await readEarlier(folder)
  // With those of the earlier backup: one that damage took out of the catalog is not to be taken for deleted.
  const names = new Set(earlier.keys())
  for await (const { name } of documents.list()) names.add(name)

  const entries: BackupEntry[] = []
  const failed: { name: string; problem: string; kept: boolean }[] = []
  let written = 0
  let bytes = 0
  const progress = options.progress('backup', names.size)
  const one = async (name: string): Promise<void> => {
    const before = earlier.get(name)
    const known = before && (await folder.has(before)) ? before : undefined
    try {
      const document = known ? await documents.readUnless(known, name) : await documents.read(name)
      if (document === 'unchanged') {
        if (known) entries.push(upToDate(known))
      } else if (document !== null) {
        const entry = await folder.save(name, document, stateOf(document))
        entries.push(entry)
        written++
        bytes += entry.bytes
      }
    } catch (error) {
      if (!isOfDocument(error)) throw error
      failed.push({ name, problem: error.message, kept: known !== undefined })
      if (known) entries.push({ ...known, outdated: error.message })
    }
    progress.advance()
  }
  try {
    await inParallel(names, WIDTH, signal, one)
  } finally {
    progress.end()
  }

  entries.sort(byName)
  await folder.commit({ started, finished: new Date(now()).toISOString(), documents: entries })
  // Only now: what is there is safe, whatever comes of this.
  const lost = await documents.lost()
  const removed = names.size - entries.length - failed.filter(({ kept }) => !kept).length
  return { documents: entries.length, written, bytes, removed, failed: failed.sort(byName), lost, anew }
}

const readEarlier = async (folder: BackupFolder) => {
  try {
    const manifest = await folder.manifest()
    return { earlier: new Map(manifest?.documents.map((entry) => [entry.name, entry])), anew: null }
  } catch (error) {
    if (!(error instanceof InkwireError) || error.code !== 'INKWIRE_BAD_BACKUP') throw error
    return { earlier: new Map<string, BackupEntry>(), anew: error.message }
  }
}

const upToDate = ({ outdated: _, ...entry }: BackupEntry): BackupEntry => entry

/** Whether one document is the matter, and not the store. */
export const isOfDocument = (error: unknown): error is InkwireError =>
  error instanceof InkwireError &&
  (error.code === 'INKWIRE_DOCUMENT_DAMAGED' ||
    error.code === 'INKWIRE_STORE_FORMAT' ||
    error.code === 'INKWIRE_BAD_UPDATE')

const byName = (left: { readonly name: string }, right: { readonly name: string }): number =>
  Buffer.compare(Buffer.from(left.name), Buffer.from(right.name))
