import { InkwireError } from '../../shared/errors.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { scanUpdate } from '../update/scan.js'
import { BackupFolder } from './backup-folder.js'
import type { OpenDocuments } from './documents.js'
import { inParallel } from './in-parallel.js'
import type { BackupEntry, Manifest } from './manifest.js'
import type { StartProgress } from './progress.js'

/** Which documents of which backup. */
export interface BackupChoice {
  /** The backup's folder. */
  readonly folder: string
  /** Only these documents. Default: all. */
  readonly names?: readonly string[]
  readonly progress: StartProgress
  readonly signal: AbortSignal
}

/** What {@link restore} needs. */
export interface RestoreOptions extends BackupChoice {
  readonly documents: OpenDocuments
  /** Put the backup's state in the place of whatever there is. */
  readonly force?: boolean
  /** {@link checkBackup} has just found all of it sound. */
  readonly checked?: boolean
}

/** What a restore came to. */
export interface RestoreReport {
  readonly restored: number
  readonly bytes: number
  /** Documents of which the backup had an older state than of the others, with the reason. */
  readonly outdated: readonly { readonly name: string; readonly reason: string }[]
}

/** Documents that are written at a time. */
const WIDTH = 4

/**
 * Checks all files of what is chosen of a backup.
 *
 * @throws InkwireError INKWIRE_BAD_BACKUP when there is no sound backup, INKWIRE_NO_DOCUMENT when it lacks one that was
 *   asked for.
 */
export const checkBackup = async (choice: BackupChoice): Promise<void> => {
  const folder = new BackupFolder(choice.folder)
  await check(folder, await entriesOf(folder, choice), choice)
}

/**
 * Puts documents of a backup in the place of what there is, each under a new generation, so that clients with later
 * history can't merge it back in. All files are checked before anything is written. Documents that aren't in the
 * backup stay as they are.
 *
 * @throws InkwireError as {@link checkBackup}; INKWIRE_NOT_EMPTY when there are documents already, and neither names
 *   nor `force` were given.
 */
export const restore = async (options: RestoreOptions): Promise<RestoreReport> => {
  const { documents, names, force = false, checked = false, signal } = options
  const folder = new BackupFolder(options.folder)
  const entries = await entriesOf(folder, options)
  if (!names && !force) await refuseUnlessEmpty(documents)
  if (!checked) await check(folder, entries, options)

  let bytes = 0
  const progress = options.progress('restore', entries.length)
  const put = async (entry: BackupEntry): Promise<void> => {
    // Read again rather than kept: a backup may be larger than memory.
    const state = await loadSound(folder, entry)
    if (!state) throw damagedFiles([entry.name])
    await documents.replace(entry.name, state)
    bytes += state.length
    progress.advance()
  }
  await inParallel(entries, WIDTH, signal, put).finally(() => progress.end())
  const outdated = entries.flatMap(({ name, outdated: reason }) =>
    reason === undefined ? [] : [{ name, reason }],
  )
  return { restored: entries.length, bytes, outdated }
}

const entriesOf = async (folder: BackupFolder, { names }: BackupChoice): Promise<readonly BackupEntry[]> => {
  const manifest = await folder.manifest()
  if (!manifest) throw new InkwireError('INKWIRE_BAD_BACKUP', `there is no backup in ${folder.path}`)
  return names ? chosen(manifest, names) : manifest.documents
}

const check = async (
  folder: BackupFolder,
  entries: readonly BackupEntry[],
  { progress, signal }: BackupChoice,
): Promise<void> => {
  const checking = progress('checking the backup', entries.length)
  const damaged: string[] = []
  const one = async (entry: BackupEntry): Promise<void> => {
    if (!(await loadSound(folder, entry))) damaged.push(entry.name)
    checking.advance()
  }
  await inParallel(entries, WIDTH, signal, one).finally(() => checking.end())
  if (damaged.length > 0) throw damagedFiles(damaged)
}

const chosen = ({ documents }: Manifest, names: readonly string[]): BackupEntry[] => {
  const entries = new Map(documents.map((entry) => [entry.name, entry]))
  return [...new Set(names)].map((name) => {
    const entry = entries.get(name)
    if (!entry) throw new InkwireError('INKWIRE_NO_DOCUMENT', `the backup has no document "${name}"`)
    return entry
  })
}

const refuseUnlessEmpty = async (documents: OpenDocuments): Promise<void> => {
  for await (const _ of documents.list()) {
    const what = 'there are documents already: name those to restore, or replace them all with --force'
    throw new InkwireError('INKWIRE_NOT_EMPTY', what)
  }
}

const loadSound = async (folder: BackupFolder, entry: BackupEntry): Promise<Uint8Array | null> => {
  const state = await folder.load(entry)
  try {
    return state && scanUpdate(state, TRUSTED_LIMITS).bytes
  } catch (error) {
    if (error instanceof InkwireError && error.code === 'INKWIRE_BAD_UPDATE') return null
    throw error
  }
}

const damagedFiles = (names: readonly string[]): InkwireError => {
  const listed = names.slice(0, 5).map((name) => `"${name}"`)
  if (names.length > listed.length) listed.push(`${names.length - listed.length} more`)
  return new InkwireError(
    'INKWIRE_BAD_BACKUP',
    `the backup's files of ${listed.join(', ')} are damaged or missing; name other documents to restore those`,
  )
}
