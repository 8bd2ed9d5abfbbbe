import { InkwireError } from '../../shared/errors.js'
import { planRollback, type RollbackReport } from '../documents/rollback.js'
import type { Journal } from '../journal/journal.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import type { OpenDocuments } from './documents.js'
import { indexOf, isAt } from './state.js'

/** A journal on files: it may be able to tell when what was deleted is gone from them, and what got lost in them. */
export interface LocalJournal extends Journal {
  settled?(): Promise<void>
  lost?(): Promise<number>
}

/** The documents of a folder that this process has open itself. */
export const localDocuments = (journal: LocalJournal): OpenDocuments => ({
  list: () => journal.list(),
  lost: async () => (await journal.lost?.()) ?? 0,
  stats: (name) => journal.stats(name),
  read: (name) => journal.read(name),
  readUnless: async (version, name) => {
    const document = await journal.read(name)
    return document && isAt(document, version) ? 'unchanged' : document
  },
  merge: (name, update) => merge(journal, name, scanUpdate(update, TRUSTED_LIMITS)),
  replace: async (name, update) => {
    scanUpdate(update, TRUSTED_LIMITS)
    return journal.replace(name, { snapshot: { seq: 1, update }, tail: [] })
  },
  delete: async (name) => {
    const deleted = await journal.delete(name)
    // Otherwise its bytes would lie there until a server runs.
    await journal.settled?.()
    return deleted
  },
  rollback: (name, before, { dryRun = false } = {}) => rollback(journal, name, before, dryRun),
})

const rollback = async (
  journal: LocalJournal,
  name: string,
  before: Date,
  dryRun: boolean,
): Promise<RollbackReport> => {
  const [document, stats] = [await journal.read(name), await journal.stats(name)]
  if (!document || !stats) throw new InkwireError('INKWIRE_NO_DOCUMENT', `there is no document "${name}"`)
  const plan = planRollback(document, stats.lastWrite, before.getTime())
  if (!plan || dryRun) return { name, generation: document.generation, lost: plan?.lost ?? null }
  const summary = await journal.replace(name, plan.kept)
  await journal.settled?.()
  return { ...summary, lost: plan.lost }
}

const merge = async (journal: Journal, name: string, update: Scan): Promise<boolean> => {
  let saved: () => void = () => undefined
  let failed: (error: Error) => void = () => undefined
  const outcome = new Promise<void>((resolve, reject) => {
    saved = resolve
    failed = reject
  })
  const log = await journal.open(name, saved)
  if (!indexOf(log.document).news(update)) {
    log.release()
    return false
  }
  // The journal would try for ever; somebody waits for this command.
  const stop = journal.onState((state) => {
    if (state.status === 'failing') failed(new InkwireError('INKWIRE_STORE_FAILED', state.reason))
  })
  try {
    log.append({ update: update.bytes, time: Date.now(), author: '' })
    await outcome
  } finally {
    stop()
  }
  log.release()
  return true
}
