import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'
import type { DocumentStats } from '../journal/journal.js'
import { isOfDocument } from '../tools/backup.js'
import type { OpenDocuments } from '../tools/documents.js'
import { inParallel } from '../tools/in-parallel.js'
import { showProgress } from '../tools/progress.js'
import { FAILED, type Io, OK } from './context.js'
import type { AddCommand } from './program.js'
import { interruptible, withExistingDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { bytes, type Column, counted, moment, printable, quoted, table } from './table.js'

/** A document that can't be read has no numbers. */
type Row = DocumentStats | { readonly name: string; readonly problem: string }

/** Documents that are read at a time. */
const WIDTH = 4

const COLUMNS: readonly Column[] = [
  { title: 'SIZE', right: true },
  { title: 'UPDATES', right: true },
  { title: 'IN TAIL', right: true },
  { title: 'TAIL', right: true },
  { title: 'GENERATION' },
  { title: 'LAST WRITE' },
  { title: 'DOCUMENT' },
]

/** `inkwire stats [DOC]`: what documents take, and when they were last written to. */
export const addStats: AddCommand = (program, { io, parts }, done) => {
  program
    .command('stats')
    .description(
      'Print what each document takes on disk, its generation and its last write. Exit code 1 if one is damaged.',
    )
    .argument('[doc]', 'name of the document; all if it is left out')
    .addOption(dataSetting())
    .option('--json', 'one JSON object a line')
    .action(async (name: string | undefined, { data = './data', json = false }: StatsOptions) => {
      if (name !== undefined) checkName(name)
      const rows = await withExistingDocuments(parts, data, (documents) =>
        interruptible(io, (signal) => collect(documents, name, io, signal)),
      )
      io.stdout.write(json ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : tableOf(rows))
      done(rows.some((row) => 'problem' in row) ? FAILED : OK)
    })
}

interface StatsOptions {
  readonly data?: string
  readonly json?: boolean
}

const collect = async (
  documents: OpenDocuments,
  only: string | undefined,
  io: Io,
  signal: AbortSignal,
): Promise<Row[]> => {
  const names: string[] = []
  if (only !== undefined) names.push(only)
  else for await (const { name } of documents.list()) names.push(name)
  const rows: (Row | null)[] = []
  const progress = showProgress(io.stderr, () => performance.now())('reading', names.length)
  await inParallel(names.entries(), WIDTH, signal, async ([i, name]) => {
    rows[i] = await rowOf(documents, name)
    progress.advance()
  }).finally(() => progress.end())
  if (only !== undefined && rows[0] === null) {
    throw new InkwireError('INKWIRE_NO_DOCUMENT', `there is no document ${quoted(only)}`)
  }
  // One may have been deleted meanwhile.
  return rows.filter((row) => row !== null)
}

const rowOf = async (documents: OpenDocuments, name: string): Promise<Row | null> => {
  try {
    return await documents.stats(name)
  } catch (error) {
    if (!isOfDocument(error)) throw error
    return { name, problem: error.message }
  }
}

const tableOf = (rows: readonly Row[]): string => {
  const total = rows.reduce((sum, row) => sum + ('problem' in row ? 0 : sizeOf(row)), 0)
  const damaged = rows.flatMap((row) => ('problem' in row ? [`${printable(row.problem)}\n`] : []))
  const sum = `${counted(rows.length, 'document')}, ${bytes(total)}\n`
  return table(COLUMNS, rows.map(cellsOf)) + sum + damaged.join('')
}

const cellsOf = (row: Row): string[] => {
  if ('problem' in row) return ['damaged', '', '', '', '', '', printable(row.name)]
  const { name, seq, tailUpdates, tailBytes, generation, lastWrite } = row
  const sizes = [bytes(sizeOf(row)), String(seq), String(tailUpdates), bytes(tailBytes)]
  return [...sizes, generation.slice(0, 8), moment(lastWrite), printable(name)]
}

const sizeOf = ({ snapshotBytes, tailBytes }: DocumentStats): number => snapshotBytes + tailBytes
