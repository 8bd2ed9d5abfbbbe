import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isCorruption, reasonOf } from './errors.js'
import { asideKey, CATALOG_RANGE, parseKey, purgeKey, untagged, WHOLE_RANGE } from './keys.js'
import { assemble, readCatalog } from './load.js'
import { lookup, stillLost, type Witnessed, witnessed } from './lost.js'
import { nameFromBytes } from './name.js'
import { judge } from './seen.js'
import { checkTable, describeDamage } from './sstable.js'
import type { Store } from './store.js'
import { traces } from './traces.js'
import type { Witness } from './witness.js'

/** One thing that is wrong with a store. */
export interface Finding {
  /** Whose it is; null when that can't be told, or when it concerns none. */
  readonly document: string | null
  /** 32 hex digits, or null. */
  readonly generation: string | null
  readonly problem: string
}

/** How far a verification has come. Counts up while it runs. */
export interface VerifyProgress {
  documents: number
  records: number
}

/**
 * Looks at every record and every document, and yields each thing that is wrong. Changes nothing. Documents may be
 * written to meanwhile; one that is deleted or replaced while it is looked at is not reported.
 */
export async function* verifyStore(
  store: Store,
  witness: Witness | null,
  progress: VerifyProgress = { documents: 0, records: 0 },
): AsyncGenerator<Finding, void, void> {
  const missing = await witnessed(witness)
  yield* verifyKeys(store, progress)
  const damaged = new Set<string>()
  for await (const finding of verifyCatalog(store, witness, missing, progress)) {
    if (finding.generation) damaged.add(finding.generation)
    yield finding
  }
  yield* verifyTraces(store, damaged)
  for (const { seq, generation } of await stillLost(witness, missing)) {
    const problem = `a document of ${seq} updates that was seen is not in the catalog; its name can't be told`
    yield { document: null, generation, problem }
  }
}

/**
 * Checks the tables of the stores in a data folder, block by block. Changes nothing.
 *
 * @param inUse a server has the folder open, so a table may be in the making.
 */
export async function* verifyTables(directory: string, inUse: boolean): AsyncGenerator<Finding, void, void> {
  for (const name of ['journal', 'witness']) {
    const folder = join(directory, name)
    const files = await readdir(folder).catch((): string[] => [])
    for (const file of files.filter((each) => /\.(ldb|sst)$/.test(each)).sort()) {
      const bytes = await readFile(join(folder, file)).catch(() => null)
      const check = bytes && checkTable(bytes)
      if (!check || check.status === 'ok' || (inUse && check.status === 'unfinished')) continue
      yield nobody(`table ${join(name, file)}: ${describeDamage(check)}`)
    }
  }
}

/** Keys that mean nothing, and the number of all. */
async function* verifyKeys(store: Store, progress: VerifyProgress): AsyncGenerator<Finding, void, void> {
  try {
    for await (const page of store.keyPages(WHOLE_RANGE)) {
      for (const key of page) {
        progress.records++
        if (parseKey(key).kind === 'unknown') yield nobody(`an unknown key: ${hex(key)}`)
      }
    }
  } catch (error) {
    if (!isCorruption(error)) throw error
    yield nobody(`LevelDB: ${reasonOf(error)}`)
  }
}

async function* verifyCatalog(
  store: Store,
  witness: Witness | null,
  missing: Witnessed,
  progress: VerifyProgress,
): AsyncGenerator<Finding, void, void> {
  try {
    for await (const page of store.pages(CATALOG_RANGE)) {
      for (const [key] of page) {
        const bytes = untagged(key)
        missing.delete(lookup(bytes))
        progress.documents++
        const name = nameFromBytes(bytes)
        if (name === null) yield nobody(`a name that is not UTF-8: ${hex(bytes)}`)
        else yield* examine(store, witness, name, bytes)
      }
    }
  } catch (error) {
    if (!isCorruption(error)) throw error
    yield nobody(`the catalog: ${reasonOf(error)}`)
  }
}

/** All that is wrong with one document. */
export async function* examine(
  store: Store,
  witness: Witness | null,
  document: string,
  name: Uint8Array,
): AsyncGenerator<Finding, void, void> {
  const seen = (await witness?.recall(name)) ?? null
  const entry = await readCatalog(store, name)
  if (entry.status === 'none') return
  if (entry.status === 'newer') {
    yield { document, generation: null, problem: `its catalog entry is of format ${entry.version}` }
  } else if (entry.status === 'damaged') {
    yield { document, generation: null, problem: `its catalog entry: ${entry.problem}` }
  } else {
    const { generation } = entry
    const { problems, newer, seq } = await assemble(store, name, generation)
    const verdict = judge(seen, { generation, seq })
    const all = newer === null ? [...problems] : [...problems, `a record is of format ${newer}`]
    if (verdict.status === 'damaged') all.push(verdict.problem)
    if (all.length > 0 && (await hasMoved(store, name, generation))) return
    for (const problem of all) yield { document, generation, problem }
  }
}

/** Whether a document has left its generation meanwhile. */
const hasMoved = async (store: Store, name: Uint8Array, generation: string): Promise<boolean> => {
  const entry = await readCatalog(store, name)
  return entry.status === 'none' || (entry.status === 'ok' && entry.generation !== generation)
}

/** Generations that no document is at, and that are neither set aside nor about to be purged. */
async function* verifyTraces(
  store: Store,
  damaged: ReadonlySet<string>,
): AsyncGenerator<Finding, void, void> {
  for await (const { generation, name } of traces(store)) {
    if (damaged.has(generation)) continue
    const entry = name && (await readCatalog(store, name))
    if (entry && entry.status === 'ok' && entry.generation === generation) continue
    if ((await store.get(asideKey(generation))) || (await store.get(purgeKey(generation)))) continue
    yield {
      document: name && nameFromBytes(name),
      generation,
      problem: 'its records are there, but no catalog entry leads to them',
    }
  }
}

const nobody = (problem: string): Finding => ({ document: null, generation: null, problem })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
