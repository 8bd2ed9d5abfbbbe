import { setTimeout as delay } from 'node:timers/promises'
import type * as Y from 'yjs'
import { openClient } from '../support/clients.js'
import { waitingFor } from '../support/documents.js'
import { serveProcess } from '../support/inkwire.js'
import { type Network, startNetwork } from '../support/network.js'
import { marksOf } from '../support/numbered-edits.js'
import { below, pick, seeded } from '../support/random-edits.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'
import { type Author, type AuthorKind, editsIn, missingEdits, startAuthor } from './kill-authors.js'

/** What a run came to. */
export interface Totals {
  rounds: number
  made: number
  acknowledged: number
  /** Acknowledged edits that were not there after a restart, in words. Must be empty. */
  readonly lost: string[]
}

export interface KillOptions {
  readonly seed: number
  readonly rounds: number
  /** Called after each round. */
  readonly onRound?: (totals: Totals) => void
}

const KINDS: readonly AuthorKind[] = ['ours', 'shared', 'stock', 'raw']
const DOCUMENTS = ['a', 'b', 'c/d']
/** Then authors and documents are new ones, so that documents have all ages and none grows without end. */
const ROUNDS_PER_CAST = 10
const LONGEST_LIFE_MS = 300

/**
 * kill -9 in a loop: authors write as fast as they can, the server dies at a random moment, comes back on the same
 * folder, and before any author is let in again (it would bring back what was lost), a newcomer looks whether every
 * edit is there that was acknowledged before.
 */
export const killLoop = async ({ seed, rounds, onRound }: KillOptions): Promise<Totals> => {
  const random = seeded(seed)
  const data = await tempDir()
  const network = await startNetwork()
  const totals: Totals = { rounds: 0, made: 0, acknowledged: 0, lost: [] }
  // In half of its lives it keeps no snapshot, and is killed while it reads them again.
  const budget = () => String(pick(random, [0, 256]))
  const serve = () =>
    serveProcess(data, { args: ['--no-demo', '--log-level', 'error', '--memory-budget', budget()] })
  let server = await serve()
  for (let from = 0; from < rounds; from += ROUNDS_PER_CAST) {
    const cast = startCast(network, `cast-${from}`)
    for (let round = from; round < Math.min(rounds, from + ROUNDS_PER_CAST); round++) {
      network.setTarget(server.port)
      const writing = new AbortController()
      const busy = Promise.all(cast.map((author) => write(author, random, writing.signal)))
      await delay(below(random, LONGEST_LIFE_MS))
      server.child.kill('SIGKILL')
      await server.exited
      network.setTarget(null)
      writing.abort()
      await busy
      const acknowledged = cast.map((author) => author.acknowledged)
      server = await serve()
      totals.lost.push(...(await inspect(server.ws, cast, acknowledged, random)))
      totals.rounds++
      onRound?.({ ...totals, ...sumsOf(totals, cast) })
    }
    // In the end everybody gets through, and everything is there once.
    network.setTarget(server.port)
    const behind = () => cast.filter(({ made, acknowledged }) => acknowledged < made)
    // A stock author's edit that a peer brought while it was away is there, but nobody tells the author.
    const settled = async (): Promise<boolean> => {
      if (behind().length === 0) return true
      const all = behind()
      const missing = await inspect(
        server.ws,
        all,
        all.map(({ made }) => made),
        random,
      )
      return missing.length === 0
    }
    await until('all is acknowledged', settled, 60_000).catch((cause: Error) => {
      const who = behind().map(
        ({ document, id, made, acknowledged }) => `${document}, ${id}: ${acknowledged} of ${made}`,
      )
      throw new Error(`not acknowledged in the end: ${who.join('; ')}`, { cause })
    })
    network.setTarget(null)
    const all = cast.map((author) => author.made)
    totals.lost.push(...(await inspect(server.ws, cast, all, random)))
    Object.assign(totals, sumsOf(totals, cast))
    for (const author of cast) author.stop()
  }
  return totals
}

const startCast = (network: Network, prefix: string): Author[] =>
  DOCUMENTS.flatMap((document) =>
    KINDS.map((kind) => startAuthor(kind, network.ws, `${prefix}/${document}`, kind)),
  )

const sumsOf = (before: Totals, cast: readonly Author[]): { made: number; acknowledged: number } => ({
  made: cast.reduce((sum, author) => sum + author.made, before.made),
  acknowledged: cast.reduce((sum, author) => sum + author.acknowledged, before.acknowledged),
})

/** Bursts of edits, with random pauses. */
const write = async (author: Author, random: () => number, stop: AbortSignal): Promise<void> => {
  while (!stop.aborted) {
    for (let i = 1 + below(random, 8); i > 0; i--) author.write()
    await delay(below(random, 8))
  }
}

/** What newcomers, one per document, don't find; in words. */
const inspect = async (
  ws: string,
  cast: readonly Author[],
  expected: readonly number[],
  random: () => number,
): Promise<string[]> => {
  const lost: string[] = []
  for (const name of new Set(cast.map((author) => author.document))) {
    const newcomer = openClient(pick(random, ['ours', 'shared', 'stock']), ws, name)
    await newcomer.whenSynced()
    for (const [i, author] of cast.entries()) {
      if (author.document !== name) continue
      const missing = missingEdits(newcomer.doc, author, expected[i] ?? 0)
      author.found?.(editsIn(newcomer.doc, author))
      if (missing.length > 0)
        lost.push(
          `${name}: of ${expected[i]} acknowledged edits of ${author.id} ${missing.length} are missing, from ${missing[0]}${waitingFor(newcomer.doc)}`,
        )
    }
    if (hasTwice(newcomer.doc)) lost.push(`${name}: an edit is there twice`)
    newcomer.destroy()
  }
  return lost
}

const hasTwice = (doc: Y.Doc): boolean => {
  const marks = marksOf(doc).toArray()
  return new Set(marks).size !== marks.length
}
