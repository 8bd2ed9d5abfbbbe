import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'
import { Revocations } from '../auth/revocations.js'
import type { Lost, RollbackReport } from '../documents/rollback.js'
import { OK } from './context.js'
import { dateOf, type Moment, parseMoment } from './moment.js'
import type { AddCommand } from './program.js'
import { withExistingDocuments } from './remote.js'
import { Setting } from './setting.js'
import { dataSetting } from './settings.js'
import { bytes, type Column, counted, moment, printable, quoted, table } from './table.js'

interface RollbackCommandOptions {
  readonly data?: string
  readonly before: Moment
  readonly dryRun?: boolean
  readonly revoke?: string
}

const COLUMNS: readonly Column[] = [
  { title: 'UPDATES', right: true },
  { title: 'SIZE', right: true },
  { title: 'FIRST' },
  { title: 'LAST' },
  { title: 'AUTHOR' },
]

/** `inkwire rollback DOC --before TIME`: a spoiled document as it was. */
export const addRollback: AddCommand = (program, { io, parts }, done) => {
  program
    .command('rollback')
    .description(
      'Put a document back to what it was before a moment, under a new generation: its clients are stopped with ' +
        '4409. It reaches back to the last compaction or restore. No other document is touched.',
    )
    .argument('<doc>', 'name of the document')
    .addOption(
      new Setting('--before <time>', 'how long ago, like 10m (s, m, h, d), or 2026-11-21T10:30:00Z', {
        mandatory: true,
        parse: (text) => {
          const value = parseMoment(text)
          return value ? { value } : { problem: 'must be like 10m or 2026-11-21T10:30:00Z (with its zone)' }
        },
      }),
    )
    .option('--revoke <user>', 'revoke the one who did it, before anybody gets at the document again')
    .option('--dry-run', 'only say what would be lost')
    .addOption(dataSetting())
    .action(
      async (name: string, { data = './data', before, dryRun = false, revoke }: RollbackCommandOptions) => {
        checkName(name)
        const now = Date.now()
        const date = dateOf(before, now)
        if (date.getTime() > now) {
          throw new InkwireError('INKWIRE_BAD_OPTION', `${date.toISOString()} is still to come`)
        }
        const report = await withExistingDocuments(parts, data, async (documents, via) => {
          if (via.way === 'server') return documents.rollback(name, date, { dryRun, revoke })
          if (revoke !== undefined && !dryRun) await (await Revocations.load(data)).revoke(revoke, now)
          return documents.rollback(name, date, { dryRun })
        })
        io.stdout.write(tell(report, date, dryRun))
        if (revoke !== undefined && !dryRun) io.stdout.write(`revoked ${quoted(revoke)}\n`)
        done(OK)
      },
    )
}

const tell = ({ name, generation, lost }: RollbackReport, before: Date, dryRun: boolean): string => {
  const what = quoted(name)
  const when = before.toISOString()
  if (lost === null) return `nothing came to ${what} since ${when}: nothing was done\n`
  const count = counted(lost.updates, 'update')
  const head = dryRun
    ? `${what} back to before ${when} would lose ${count}; nothing was done`
    : `put ${what} back to before ${when}, now of generation ${generation.slice(0, 8)}: ${count} lost`
  return `${head}\n${table(COLUMNS, rowsOf(lost))}`
}

const rowsOf = ({ authors }: Lost): string[][] =>
  authors.map(({ author, updates, bytes: size, first, last }) => [
    String(updates),
    bytes(size),
    moment(first),
    moment(last),
    author === '' ? '(nobody was asked)' : printable(author),
  ])
