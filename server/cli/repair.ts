import { join } from 'node:path'
import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'
import { isCorruption, reasonOf } from '../journal/errors.js'
import type { LevelJournal } from '../journal/level.js'
import { repairFiles } from '../journal/repair-files.js'
import { localDocuments } from '../tools/local.js'
import { noProgress } from '../tools/progress.js'
import type { Repaired } from '../tools/repair.js'
import { verifyContents } from '../tools/verify.js'
import { FAILED, type Io, OK, type Parts } from './context.js'
import type { AddCommand } from './program.js'
import { interruptible, withExistingDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { counted, printable, quoted } from './table.js'

/** `inkwire repair [DOC…]`: what can be saved of damaged documents. */
export const addRepair: AddCommand = (program, { io, parts }, done) => {
  program
    .command('repair')
    .description(
      'Put what can be saved of damaged documents in their place, under a new generation. The damaged originals ' +
        'are kept aside until their documents are deleted. A store that can’t be opened is put together again ' +
        'first. The server must not be running.',
    )
    .argument('[docs...]', 'names of the documents; all that are damaged if they are left out')
    .addOption(dataSetting())
    .action(async (names: string[], { data = './data' }: { data?: string }) => {
      for (const name of names) checkName(name)
      await withExistingDocuments(mending(parts, io), data, (_, via) => {
        if (via.way === 'server') {
          throw new InkwireError(
            'INKWIRE_STORE_LOCKED',
            `a server is running on ${data}: stop it for a repair`,
          )
        }
        return interruptible(io, async (signal) => {
          if (names.length > 0) done(await repairNamed(via.journal, names, io))
          else done(await repairAll(via.journal, io, signal))
        })
      })
    })
}

/** The same parts, but a store that damage keeps from being opened is put together again, and opened then. */
const mending = (parts: Parts, io: Io): Parts => ({
  ...parts,
  openJournal: async (options) => {
    try {
      return await parts.openJournal(options)
    } catch (error) {
      if (!isCorruption(error)) throw error
      const { directory } = options
      if (await repairFiles(directory)) io.stdout.write(tellFiles(directory, error))
      return parts.openJournal(options)
    }
  },
})

const tellFiles = (directory: string, error: unknown): string => {
  const reason = reasonOf(error instanceof InkwireError ? error.cause : error)
  return (
    `the store was put together again from what is readable in its files\n  ${printable(reason)}\n` +
    `  files that were replaced are kept in ${printable(join(directory, 'journal', 'lost'))}\n`
  )
}

/** Loaded when it is needed, and Yjs with it: any other command begins sooner without it. */
const repair = async (journal: LevelJournal, name: string): Promise<Repaired> =>
  (await import('../tools/repair.js')).repair(journal, name)

const repairNamed = async (journal: LevelJournal, names: readonly string[], io: Io): Promise<number> => {
  let code = OK
  for (const name of names) {
    const repaired = await repair(journal, name)
    if (repaired.outcome === 'missing') code = FAILED
    const to = repaired.outcome === 'missing' ? io.stderr : io.stdout
    to.write(tell(name, repaired))
  }
  return code
}

/** In the end it looks again: what is left is what no repair can help. */
const repairAll = async (journal: LevelJournal, io: Io, signal: AbortSignal): Promise<number> => {
  const { damaged } = await findDamage(journal, signal)
  for (const name of damaged) {
    signal.throwIfAborted()
    io.stdout.write(tell(name, await repair(journal, name)))
  }
  const { problems } = await findDamage(journal, signal)
  if (damaged.size === 0 && problems.length === 0) io.stdout.write('no document is damaged\n')
  for (const problem of problems) io.stderr.write(`inkwire: can't be repaired: ${printable(problem)}\n`)
  return problems.length === 0 ? OK : FAILED
}

/** The damaged documents that have a name, and all that is wrong, in words. */
const findDamage = async (journal: LevelJournal, signal: AbortSignal) => {
  const damaged = new Set<string>()
  const problems: string[] = []
  const add = (document: string | null, problem: string): void => {
    problems.push(document === null ? problem : `"${document}": ${problem}`)
    if (document !== null) damaged.add(document)
  }
  for await (const { document, problem } of journal.verify()) {
    signal.throwIfAborted()
    add(document, problem)
  }
  const options = {
    documents: localDocuments(journal),
    except: new Set(damaged),
    progress: noProgress,
    signal,
  }
  for await (const { document, problem } of verifyContents(options)) add(document, problem)
  return { damaged, problems }
}

const tell = (name: string, repaired: Repaired): string => {
  const what = quoted(name)
  switch (repaired.outcome) {
    case 'missing':
      return `inkwire: there is no document ${what} (INKWIRE_NO_DOCUMENT)\n`
    case 'sound':
      return `nothing is wrong with ${what}\n`
    case 'repaired': {
      const { generation, snapshot, updates, leftOut, problems } = repaired
      const kept = [...(snapshot ? ['the compacted state'] : []), counted(updates, 'update')].join(' and ')
      const head = generation
        ? `repaired ${what}, now of generation ${generation.slice(0, 8)}: ${kept} kept`
        : `nothing of ${what} can be saved: it is no document any more`
      const lines = problems.map((problem) => `  ${printable(problem)}\n`)
      if (leftOut > 0)
        lines.push(
          `  ${counted(leftOut, 'readable update')} left out, which ${leftOut === 1 ? 'needs' : 'need'} what is lost\n`,
        )
      return `${head}\n${lines.join('')}`
    }
  }
}
