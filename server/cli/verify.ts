import { type Finding, verifyTables } from '../journal/verify.js'
import type { OpenDocuments } from '../tools/documents.js'
import { type StartProgress, showProgress } from '../tools/progress.js'
import { verifyContents } from '../tools/verify.js'
import { FAILED, OK } from './context.js'
import type { AddCommand } from './program.js'
import { interruptible, type Via, withExistingDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { counted, printable, table } from './table.js'

/** `inkwire verify`: is everything there, and as it was written? */
export const addVerify: AddCommand = (program, { io, parts }, done) => {
  program
    .command('verify')
    .description('Check every record of every document. Exit code 1, and a table, if anything is wrong.')
    .addOption(dataSetting())
    .option('--json', 'what is wrong as one JSON object a line')
    .action(async ({ data = './data', json = false }: { data?: string; json?: boolean }) => {
      const progress = showProgress(io.stderr, () => performance.now())
      const findings: Finding[] = []
      const documents = await interruptible(io, (signal) =>
        withExistingDocuments(
          parts,
          data,
          async (open, via) => {
            if (via.way === 'server') await addAll(findings, verifyTables(data, true))
            return verify({ documents: open, via, progress, signal, findings })
          },
          // Opening the store takes damage in its files out of the way.
          () => addAll(findings, verifyTables(data, false)),
        ),
      )
      if (json) for (const finding of findings) io.stdout.write(`${JSON.stringify(finding)}\n`)
      else io.stdout.write(tell(findings, documents))
      done(findings.length === 0 ? OK : FAILED)
    })
}

const addAll = async (findings: Finding[], more: AsyncIterable<Finding>): Promise<void> => {
  for await (const finding of more) findings.push(finding)
}

/** What {@link verify} needs. */
interface VerifyParts {
  readonly documents: OpenDocuments
  readonly via: Via
  readonly progress: StartProgress
  readonly signal: AbortSignal
  /** Takes what is wrong. */
  readonly findings: Finding[]
}

/** Returns the number of documents. */
const verify = async ({ documents, via, progress, signal, findings }: VerifyParts): Promise<number> => {
  for await (const finding of via.way === 'server' ? via.server.verify() : via.journal.verify()) {
    signal.throwIfAborted()
    findings.push(finding)
  }
  const damaged = new Set<string>()
  for (const { document } of findings) if (document !== null) damaged.add(document)
  await addAll(findings, verifyContents({ documents, except: damaged, progress, signal }))
  let total = 0
  for await (const _ of documents.list()) total++
  return total
}

const tell = (findings: readonly Finding[], documents: number): string => {
  const all = counted(documents, 'document')
  if (findings.length === 0) return `${all}: nothing is wrong\n`
  const columns = [{ title: 'DOCUMENT' }, { title: 'GENERATION' }, { title: 'PROBLEM' }]
  const rows = findings.map(({ document, generation, problem }) => [
    document === null ? '-' : printable(document),
    generation?.slice(0, 8) ?? '-',
    printable(problem),
  ])
  return `${table(columns, rows)}${counted(findings.length, 'problem')} in a store of ${all}\n`
}
