import { constants, copyFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import * as decoding from 'lib0/decoding'
import { InkwireError } from '../../shared/errors.js'
import { decodeStateVector } from '../update/state-vector.js'
import type { StartProgress } from './progress.js'
import type { SourceContent, SourceDocument } from './source.js'
import { DOCUMENT_KEYS, decodeYKey, encodeYKey, STATE_VECTOR_KEYS, updateKeys } from './y-leveldb-keys.js'

/** A store that y-leveldb 0.1 or 0.2 wrote, opened for reading. */
export interface YLevelDb {
  /** In order of the stores' keys. */
  readonly documents: readonly SourceDocument[]
  /** Documents beside which an app put something of its own: Inkwire has no place for that. */
  readonly withMeta: number
  /** Removes the copy. */
  close(): Promise<void>
}

type Database = Level<Uint8Array, Uint8Array>

/** What {@link openYLevelDb} needs. */
export interface YLevelDbOptions {
  /** The store's folder. */
  readonly from: string
  /** A folder with room for a copy. */
  readonly scratch: string
  /** What a document is to be called here, given its name there. */
  readonly nameOf: (raw: string) => string
  readonly progress: StartProgress
  readonly signal: AbortSignal
}

/**
 * Opens a copy of a y-leveldb store: opening a LevelDB writes into its folder, and the source must stay as it is.
 *
 * @throws InkwireError INKWIRE_BAD_OPTION when the folder holds no such store; an Error when it is being written to.
 */
export const openYLevelDb = async (options: YLevelDbOptions): Promise<YLevelDb> => {
  const { scratch, nameOf } = options
  const copy = await mkdtemp(join(scratch, 'migrate-'))
  try {
    await copyStore(copy, options)
    const db: Database = new Level(copy, {
      createIfMissing: false,
      keyEncoding: 'view',
      valueEncoding: 'view',
    })
    await db.open()
    const { names, withMeta } = await scanNames(db)
    const documents = names.map((raw) => ({
      name: nameOf(raw),
      origin: JSON.stringify(raw),
      read: () => readContent(db, raw),
    }))
    const close = async (): Promise<void> => {
      await db.close()
      await rm(copy, { recursive: true, force: true })
    }
    return { documents, withMeta, close }
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    throw error
  }
}

const copyStore = async (to: string, { from, progress, signal }: YLevelDbOptions): Promise<void> => {
  const before = await storeFiles(from)
  const copying = progress('copying the store', before.length)
  try {
    for (const { file } of before) {
      signal.throwIfAborted()
      await copyFile(join(from, file), join(to, file), constants.COPYFILE_FICLONE)
      copying.advance()
    }
  } finally {
    copying.end()
  }
  if (JSON.stringify(await storeFiles(from)) !== JSON.stringify(before)) {
    throw new Error(`${from} is being written to: stop the server that uses it`)
  }
}

/** The files that make a LevelDB, and what changes when they are written to. */
const storeFiles = async (folder: string) => {
  const names = await readdir(folder)
  if (!names.includes('CURRENT')) {
    throw new InkwireError(
      'INKWIRE_BAD_OPTION',
      `${folder} is no store of y-leveldb: there is no LevelDB in it`,
    )
  }
  const files = names.filter((name) => /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|sst|log))$/.test(name)).sort()
  return Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(join(folder, file))
      return { file, size, mtimeMs }
    }),
  )
}

const scanNames = async (db: Database): Promise<{ names: string[]; withMeta: number }> => {
  // With those of the state vectors: y-leveldb writes these apart from the updates.
  const names = new Set<string>()
  const withMeta = new Set<string>()
  for await (const key of db.keys(DOCUMENT_KEYS)) {
    const [, name, what] = decodeYKey(key) ?? []
    if (typeof name !== 'string') continue
    if (what === 'update') names.add(name)
    if (what === 'meta') withMeta.add(name)
  }
  for await (const key of db.keys(STATE_VECTOR_KEYS)) {
    const [, name] = decodeYKey(key) ?? []
    if (typeof name === 'string') names.add(name)
  }
  return { names: [...names], withMeta: withMeta.size }
}

const readContent = async (db: Database, name: string): Promise<SourceContent> => {
  const updates = await db.values(updateKeys(name)).all()
  const counted = await db.get(encodeYKey('v1_sv', name))
  const expected = counted && stateVectorIn(counted)
  return expected ? { updates, expected } : { updates }
}

/** `undefined` for one that is damaged: the updates count, not what is said about them. */
const stateVectorIn = (value: Uint8Array): Uint8Array | undefined => {
  try {
    const decoder = decoding.createDecoder(value)
    decoding.readVarUint(decoder)
    const stateVector = decoding.readVarUint8Array(decoder)
    decodeStateVector(stateVector, Number.POSITIVE_INFINITY)
    return stateVector
  } catch {
    return undefined
  }
}
