import type { DocumentSummary } from './journal.js'
import { CATALOG_RANGE, type KeyRange, untagged } from './keys.js'
import { nameFromBytes } from './name.js'
import { readRecord } from './records.js'
import type { Pair, Store } from './store.js'

/**
 * All documents of the catalog, in order of name bytes. An iterator of LevelDB is held for one page only, however
 * slowly the caller goes: old ones keep compactions from dropping what was deleted.
 */
export async function* listDocuments(store: Store): AsyncGenerator<DocumentSummary, void, void> {
  let range: KeyRange = CATALOG_RANGE
  for (;;) {
    const page = await firstPage(store, range)
    for (const [key, value] of page) {
      const summary = summarize(key, value)
      if (summary) yield summary
    }
    const last = page.at(-1)
    if (!last) return
    range = { start: justAfter(last[0]), end: CATALOG_RANGE.end }
  }
}

const firstPage = async (store: Store, range: KeyRange): Promise<readonly Pair[]> => {
  for await (const page of store.pages(range)) return page
  return []
}

const summarize = (key: Uint8Array, value: Uint8Array): DocumentSummary | null => {
  const name = nameFromBytes(untagged(key))
  if (name === null) return null
  const reading = readRecord(key, value)
  const known = reading.status === 'ok' && reading.record.kind === 'catalog'
  return { name, generation: known ? reading.record.generation : '' }
}

const justAfter = (key: Uint8Array): Uint8Array => {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}
