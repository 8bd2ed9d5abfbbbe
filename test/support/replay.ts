import * as Y from 'yjs'
import type { Client } from './clients.js'
import { holds } from './documents.js'
import { below } from './random-edits.js'
import type { ConcurrentTrace, Patch, SequentialTrace } from './traces.js'
import { until } from './until.js'

/** How a trace is replayed. */
export interface Pace {
  /** Called between edits with how many were made; makes trouble. */
  readonly onProgress?: (made: number) => void
  /** Transactions of the trace in one update. Default 1: every one is an update of its own. */
  readonly together?: number
}

/** Edits between two looks at the event loop, so that replays take turns and sockets are read. */
const TURN = 50
/** Beyond it, the author waits for the server to read. */
const MOST_BACKLOG_BYTES = 256 * 1024

/** Longer than any reconnect takes. */
const ARRIVAL_TIMEOUT_MS = 30_000

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const patch = (text: Y.Text, patches: readonly Patch[]): void => {
  for (const [position, deleted, inserted] of patches) {
    if (deleted > 0) text.delete(position, deleted)
    if (inserted !== '') text.insert(position, inserted)
  }
}

/** One author types a whole trace, also while the connection is gone. */
export const replaySequential = async (
  author: Client,
  trace: SequentialTrace,
  { onProgress, together = 1 }: Pace = {},
): Promise<void> => {
  if (trace.startContent !== '') author.text.insert(0, trace.startContent)
  for (let made = 0; made < trace.txns.length; made += together) {
    author.doc.transact(() => {
      for (const { patches } of trace.txns.slice(made, made + together)) patch(author.text, patches)
    })
    if ((made / together) % TURN !== 0) continue
    onProgress?.(made)
    await nextTurn()
    if (author.backlog > MOST_BACKLOG_BYTES) {
      await until('the server reads on', () => author.backlog < MOST_BACKLOG_BYTES / 2)
    }
  }
}

/** A transaction of one of several authors, and what it was made upon. */
interface Step {
  readonly patches: readonly Patch[]
  /** How many transactions of each author its author had seen, its own included. */
  readonly seen: readonly number[]
}

/** What each author did, in order: parents, merged, as one number per author. */
export const stepsByAuthor = (trace: ConcurrentTrace): Step[][] => {
  const steps: Step[][] = Array.from({ length: trace.numAgents }, () => [])
  const after: number[][] = []
  for (const { agent, parents, patches } of trace.txns) {
    const own = steps[agent]
    if (!own) throw new RangeError(`no author ${agent}`)
    const seen = steps.map((_, author) => Math.max(0, ...parents.map((each) => after[each]?.[author] ?? 0)))
    if (seen[agent] !== own.length) throw new RangeError('an author forked its own history')
    own.push({ patches, seen })
    after.push(seen.map((count, author) => (author === agent ? count + 1 : count)))
  }
  return steps
}

/**
 * Several authors type a trace at the same time, each upon exactly what its author had seen. What an author sees is
 * a page of its own beside the provider's document: that gets all as it arrives, the page gets another author's
 * transaction when the trace says so, after it has arrived.
 */
export const replayConcurrent = async (
  authors: readonly Client[],
  trace: ConcurrentTrace,
  { onProgress }: Pace = {},
): Promise<void> => {
  let made = 0
  /** What each author's transactions were as updates, in order. */
  const updates: Uint8Array[][] = authors.map(() => [])
  const arrivals = new Arrivals(authors.map(({ doc }) => doc))

  const write = async ({ doc }: Client, self: number, steps: readonly Step[]): Promise<void> => {
    const page = new Y.Doc()
    // At one place two authors do type at the same time, and the trace has the first one's letters first. Between
    // equals Yjs lets the lower id win.
    page.clientID = self + 1
    const own: Uint8Array[] = updates[self] ?? []
    page.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'others') return
      own.push(update)
      Y.applyUpdate(doc, update, 'author')
    })
    const held = authors.map(() => 0)
    for (const [index, { patches, seen }] of steps.entries()) {
      for (const [other, count] of seen.entries()) {
        if (other === self) continue
        for (let next = held[other] ?? 0; next < count; next++) {
          Y.applyUpdate(page, await arrivals.of(doc, () => updates[other]?.[next]), 'others')
        }
        held[other] = Math.max(held[other] ?? 0, count)
      }
      page.transact(() => patch(page.getText('text'), patches))
      if (own.length !== index + 1) throw new Error('a transaction is one update')
      arrivals.look()
      onProgress?.(++made)
      if (made % TURN === 0) await nextTurn()
    }
    page.destroy()
  }
  const steps = stepsByAuthor(trace)
  await Promise.all(authors.map((author, self) => write(author, self, steps[self] ?? [])))
  arrivals.dispose()
}

/** Waits for updates to arrive in documents. */
class Arrivals {
  readonly #docs: readonly Y.Doc[]
  readonly #looks = new Set<() => void>()
  /** Looks again at all that is waited for. */
  readonly look = (): void => {
    for (const each of [...this.#looks]) each()
  }

  constructor(docs: readonly Y.Doc[]) {
    this.#docs = docs
    for (const doc of docs) doc.on('update', this.look)
  }

  /** The update, once it has been made somewhere and what it says is in `doc`. */
  of(doc: Y.Doc, made: () => Uint8Array | undefined): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const update = made()
        if (!update || !holds(doc, update)) return
        this.#looks.delete(look)
        clearTimeout(timer)
        resolve(update)
      }
      const timer = setTimeout(() => reject(new Error('an edit did not arrive')), ARRIVAL_TIMEOUT_MS)
      this.#looks.add(look)
      look()
    })
  }

  dispose(): void {
    for (const doc of this.#docs) doc.off('update', this.look)
  }
}

/** Calls `trouble` at about `times` seeded random moments of `total`. To be called at every edit or so. */
export const atRandomMoments = (
  random: () => number,
  total: number,
  times: number,
  trouble: () => void,
): ((made: number) => void) => {
  const moments = Array.from({ length: times }, () => below(random, total)).sort((a, b) => a - b)
  return (made) => {
    while (moments[0] !== undefined && moments[0] <= made) {
      moments.shift()
      trouble()
    }
  }
}
