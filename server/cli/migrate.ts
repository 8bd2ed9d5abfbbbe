import { mkdir } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Finding, MigrateReport } from '../tools/migrate.js'
import { type StartProgress, showProgress } from '../tools/progress.js'
import { decodeName, type SourceDocument } from '../tools/source.js'
import { findStateFiles } from '../tools/state-files.js'
import { FAILED, type Io, OK } from './context.js'
import type { AddCommand } from './program.js'
import { interruptible, withDocuments } from './remote.js'
import { Setting } from './setting.js'
import { dataSetting } from './settings.js'
import { counted, printable } from './table.js'

interface MigrateOptions {
  readonly from: string
  readonly data?: string
  readonly rawNames?: boolean
}

/** What a migration goes by. */
interface Migration {
  readonly from: string
  readonly data: string
  readonly nameOf: (raw: string) => string
  readonly progress: StartProgress
  readonly signal: AbortSignal
}

/** Opens a source for `use`. */
type WithSource = (
  migration: Migration,
  use: (source: readonly SourceDocument[]) => Promise<void>,
) => Promise<void>

/** `inkwire migrate`: documents from elsewhere. */
export const addMigrate: AddCommand = (program, { io, parts }, done) => {
  const group = program
    .command('migrate')
    .description(
      'Take documents over from elsewhere. Each is compared after writing; run it again at any time to go on.',
    )
  const run = async ({ from, data = './data', rawNames = false }: MigrateOptions, withSource: WithSource) => {
    const names = new NamesTaken()
    const nameOf = rawNames ? (raw: string) => raw : (raw: string) => names.take(raw)
    const progress = showProgress(io.stderr, () => performance.now())
    await interruptible(io, (signal) =>
      withSource({ from, data, nameOf, progress, signal }, (source) =>
        withDocuments(parts, data, async (documents) => {
          // Loaded when it is needed, and Yjs with it: any other command begins sooner without it.
          const { migrate } = await import('../tools/migrate.js')
          done(tell(io, await migrate({ source, documents, progress, signal })))
          if (names.collided) io.stderr.write(`inkwire: ${COLLIDED}\n`)
        }),
      ),
    )
  }

  addSource(
    group,
    'y-leveldb',
    "All documents of a y-leveldb store, in which y-websocket's server keeps them. Stop that server; its store is " +
      'copied, and stays as it is.',
  ).action((options: MigrateOptions) =>
    run(options, async (migration, use) => {
      const { openYLevelDb } = await import('../tools/y-leveldb.js')
      await mkdir(migration.data, { recursive: true })
      const store = await openYLevelDb({ ...migration, scratch: migration.data })
      try {
        await use(store.documents)
      } finally {
        await store.close()
      }
      if (store.withMeta > 0) {
        const had = `${counted(store.withMeta, 'document')} had metadata in that store`
        io.stderr.write(`inkwire: ${had}; there is no place for it here\n`)
      }
    }),
  )
  addSource(
    group,
    'folder',
    'All .yjs and .bin files in a folder and below it: a Yjs update or state (v1) each, called as its path without ' +
      'the ending.',
  ).action((options: MigrateOptions) =>
    run(options, async ({ from, nameOf }, use) => use(await findStateFiles(from, nameOf))),
  )
}

const addSource = (group: Command, name: string, description: string): Command =>
  group
    .command(name)
    .description(description)
    .addOption(new Setting('--from <folder>', 'where they are', { mandatory: true }))
    .option('--raw-names', 'take names as they are, instead of percent-decoding them as clients get them')
    .addOption(dataSetting())

const COLLIDED = 'names that are one when they are decoded are kept apart by --raw-names'

/** Decodes names, and notes when several become one. */
class NamesTaken {
  readonly #raw = new Map<string, string>()
  collided = false

  take(raw: string): string {
    const name = decodeName(raw)
    const first = this.#raw.get(name) ?? raw
    this.#raw.set(name, first)
    if (first !== raw) this.collided = true
    return name
  }
}

const tell = (io: Io, { migrated, present, empty, failed, incomplete }: MigrateReport): number => {
  const line = ({ origin, name, problem }: Finding): string => {
    const where = origin === JSON.stringify(name) ? origin : `${origin} (as ${JSON.stringify(name)})`
    return `${printable(where)}: ${printable(problem)}\n`
  }
  for (const finding of incomplete) io.stderr.write(`inkwire: taken over, but ${line(finding)}`)
  for (const finding of failed) io.stderr.write(`inkwire: not taken over: ${line(finding)}`)
  const counts = [`${counted(migrated, 'document')} migrated and compared`]
  if (present > 0) counts.push(`${wereOf(present)} here already`)
  if (empty > 0) counts.push(`${wereOf(empty)} empty`)
  if (failed.length > 0) counts.push(`${failed.length} failed`)
  io.stdout.write(`${counts.join(', ')}\n`)
  return failed.length === 0 ? OK : FAILED
}

/** @example wereOf(1) // '1 was' */
const wereOf = (count: number): string => `${count} ${count === 1 ? 'was' : 'were'}`
