/**
 * A process that writes through the journal until it is killed, and says on standard output what it was told is
 * durable. Started by `journal-harness.ts`, which bundles it.
 *
 *     a <document> <generation> <seq>   acknowledged
 *     d <document>                      about to be deleted; `D <document>` when it is
 *     r <document>                      about to be replaced; `R <document> <generation> <seq>` when it is
 *     ready                             all documents are open
 */
import { writeSync } from 'node:fs'
import type { DocumentLog } from '../../server/journal/journal.js'
import { openLevelJournal } from '../../server/journal/level.js'
import { InkwireError } from '../../shared/errors.js'
import { documentName, drawer, snapshotOf, updateOf } from './journal-contents.js'

/** What the process is told, as JSON in its first argument. */
export interface ProcessOptions {
  readonly directory: string
  readonly documents: number
  readonly seed: number
  readonly durability: 'fsync' | 'os'
  /** Kill yourself at the `hits`-th time of this crash point. */
  readonly point?: string
  readonly hits?: number
  /** Delete and replace documents too. */
  readonly changes: boolean
}

const options: ProcessOptions = JSON.parse(process.argv[2] ?? '{}')
const random = drawer(options.seed)
/** Goes straight to the pipe: what was said before a kill arrives. */
const say = (...words: (string | number)[]): void => {
  writeSync(1, `${words.join(' ')}\n`)
}

let hits = 0
const journal = await openLevelJournal({
  directory: options.directory,
  durability: options.durability,
  ballastBytes: 0,
  crashpoint: (name) => {
    if (name === options.point && ++hits === (options.hits ?? 1)) process.kill(process.pid, 'SIGKILL')
  },
})

/** Whether a change was made, and not refused since the store was failing. */
const taken = (change: Promise<void>): Promise<boolean> =>
  change.then(
    () => true,
    (error: unknown) => {
      if (error instanceof InkwireError && error.code === 'INKWIRE_STORE_FAILED') return false
      throw error
    },
  )

/** One document's life: written to, compacted, now and then deleted or replaced. */
const live = async (index: number): Promise<never> => {
  const name = documentName(index)
  let durable = 0
  let compacted = 0
  const open = async (): Promise<DocumentLog> => {
    const opened = await journal.open(name, (seq) => {
      durable = seq
      say('a', index, opened.document.generation, seq)
    })
    durable = opened.document.seq
    compacted = opened.document.snapshot?.seq ?? 0
    return opened
  }
  let log = await open()
  if (index === 0) say('ready')
  for (;;) {
    let last = durable
    for (let count = 1 + random(3); count > 0; count--) {
      last = log.append({ update: updateOf(name, last + 1), time: Date.now(), author: `author ${index}` })
    }
    while (durable < last) await new Promise((resolve) => setImmediate(resolve))
    if (random(8) === 0 && durable > compacted) {
      const seq = durable - random(Math.min(3, durable - compacted))
      if (await taken(log.compact({ seq, update: snapshotOf(name, seq) }))) compacted = seq
    }
    if (!options.changes || random(12) > 0) continue
    log.release()
    if (random(2) === 0) {
      say('d', index)
      await journal.delete(name)
      say('D', index)
    } else {
      say('r', index)
      const seq = 1 + random(20)
      const { generation } = await journal.replace(name, {
        snapshot: { seq, update: snapshotOf(name, seq) },
        tail: [],
      })
      say('R', index, generation, seq)
    }
    log = await open()
  }
}

await Promise.all(Array.from({ length: options.documents }, (_, index) => live(index)))
