/** Runs `journal-process.ts` until it dies, and holds what it said against what it left. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect } from 'vitest'
import type { StoredDocument } from '../../server/journal/journal.js'
import { openLevelJournal } from '../../server/journal/level.js'
import { documentName, snapshotOf, updateOf } from './journal-contents.js'
import type { ProcessOptions } from './journal-process.js'

/** Inside node_modules, so that the bundle finds the native packages that can't be in it. */
const OUT = join(
  fileURLToPath(new URL('../../node_modules/.cache', import.meta.url)),
  `inkwire-${process.pid}`,
)

/** The process as one JavaScript file; `dispose` removes it. */
export const bundleProcess = async (): Promise<{ script: string; dispose: () => Promise<void> }> => {
  await mkdir(OUT, { recursive: true })
  const script = join(OUT, 'journal-process.mjs')
  const entry = fileURLToPath(new URL('journal-process.ts', import.meta.url))
  await build({
    entryPoints: [entry],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    target: 'node20',
  })
  return { script, dispose: () => rm(OUT, { recursive: true, force: true }) }
}

/** What a document must be after the process died. */
type Expected =
  | { readonly state: 'unknown' }
  /** At this generation, with at least so many updates. */
  | { readonly state: 'there'; readonly generation: string; readonly seq: number }
  /** Deleted, and what comes after it is of another generation. */
  | { readonly state: 'gone'; readonly generation: string }
  /** It was being deleted or replaced: as before, or as after. */
  | { readonly state: 'changing'; readonly before: Expected; readonly to: 'gone' | 'another generation' }

/** What the processes said so far, over several lives on one store. */
export class Ledger {
  readonly #documents = new Map<number, Expected>()
  /** Updates that were acknowledged. */
  acknowledged = 0

  hear(line: string): void {
    const [verb, index, generation = '', seq] = line.split(' ')
    const document = Number(index)
    const before = this.#documents.get(document) ?? { state: 'unknown' }
    switch (verb) {
      case 'a': {
        const known = before.state === 'there' && before.generation === generation ? before.seq : 0
        this.acknowledged += Number(seq) - known
        this.#documents.set(document, { state: 'there', generation, seq: Number(seq) })
        break
      }
      case 'd':
        this.#documents.set(document, { state: 'changing', before, to: 'gone' })
        break
      case 'r':
        this.#documents.set(document, { state: 'changing', before, to: 'another generation' })
        break
      case 'D':
        this.#documents.set(document, { state: 'gone', generation: generationOf(before) })
        break
      case 'R':
        this.#documents.set(document, { state: 'there', generation, seq: Number(seq) })
        break
      default:
    }
  }

  /** Opens the store and checks every document: all that was acknowledged is there, and nothing is wrong with it. */
  async check(directory: string): Promise<void> {
    const journal = await openLevelJournal({ directory, ballastBytes: 0 })
    try {
      for (const [index, expected] of this.#documents) {
        const document = await journal.read(documentName(index))
        if (document) checkContents(document)
        const problem = mismatch(expected, document)
        expect(problem, `document ${index}`).toBeNull()
        this.#documents.set(
          index,
          document
            ? { state: 'there', generation: document.generation, seq: document.seq }
            : { state: 'gone', generation: generationOf(expected) },
        )
      }
      expect([...journal.quarantined]).toEqual([])
    } finally {
      await journal.close()
    }
  }
}

const generationOf = (expected: Expected): string => {
  switch (expected.state) {
    case 'unknown':
      return ''
    case 'changing':
      return generationOf(expected.before)
    case 'there':
    case 'gone':
      return expected.generation
  }
}

const mismatch = (expected: Expected, found: StoredDocument | null): string | null => {
  switch (expected.state) {
    case 'unknown':
      return null
    case 'gone':
      // It may have been written to again, by a process that died before it could say so.
      return found?.generation === expected.generation ? 'deleted, but there' : null
    case 'there':
      if (!found) return `gone, but ${expected.seq} updates were acknowledged`
      if (found.generation !== expected.generation) return 'of another generation'
      return found.seq < expected.seq ? `${found.seq} updates, ${expected.seq} were acknowledged` : null
    case 'changing':
      if (mismatch(expected.before, found) === null) return null
      if (expected.to === 'gone') return found ? 'half deleted' : null
      if (!found) return 'lost while it was replaced'
      return found.generation === generationOf(expected) ? 'half replaced' : null
  }
}

const checkContents = (document: StoredDocument): void => {
  const { name, snapshot, tail } = document
  if (snapshot) expect([...snapshot.update]).toEqual([...snapshotOf(name, snapshot.seq)])
  const first = (snapshot?.seq ?? 0) + 1
  tail.forEach((entry, i) => {
    expect(entry.seq).toBe(first + i)
    expect(Buffer.compare(entry.update, updateOf(name, entry.seq))).toBe(0)
    expect(entry.author).toBe(`author ${name.split(' ')[1]}`)
  })
  expect(document.seq).toBe(first + tail.length - 1)
}

/** Runs the process until it is dead; `kill` is called with it once all its documents are open. */
export const live = async (
  script: string,
  options: ProcessOptions,
  ledger: Ledger,
  kill?: (child: ChildProcess) => void,
  /** A command that runs the process, with its arguments. */
  under: readonly string[] = [],
): Promise<void> => {
  const [command = '', ...args] = [...under, process.execPath, script, JSON.stringify(options)]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => {
    ledger.hear(line)
    if (line === 'ready') kill?.(child)
  })
  const ended = new Promise<void>((resolve) => reader.once('close', resolve))
  const exited = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_, signal) => resolve(signal)),
  )
  const signal = await exited
  await ended
  if (signal !== 'SIGKILL') throw new Error(`the process ended by itself: ${complaints}`)
}
