import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** At `position`, delete so many characters and insert the text. */
export type Patch = readonly [position: number, deleted: number, inserted: string]

/** One author, one edit after the other. */
export interface SequentialTrace {
  readonly startContent: string
  readonly endContent: string
  readonly txns: readonly { readonly time: string; readonly patches: readonly Patch[] }[]
}

/** Several authors at once; a transaction applies to what its parents (indexes, merged) left. */
export interface ConcurrentTrace {
  readonly endContent: string
  readonly numAgents: number
  readonly txns: readonly {
    readonly parents: readonly number[]
    readonly agent: number
    readonly patches: readonly Patch[]
  }[]
}

const load = (name: string): unknown =>
  JSON.parse(gunzipSync(readFileSync(new URL(`./traces/${name}.json.gz`, import.meta.url))).toString('utf8'))

/** One author's 259,778 edits of a paper, or a source file's (traces/README.md). */
export const loadSequentialTrace = (name: 'automerge-paper' | 'sveltecomponent'): SequentialTrace =>
  load(name) as SequentialTrace

/**
 * Two authors at once (traces/README.md). It ends at `endContent` if author 0 has the lower Yjs client id: at one
 * place they do insert side by side, and Yjs orders such text by client id.
 */
export const loadConcurrentTrace = (name: 'friendsforever'): ConcurrentTrace => load(name) as ConcurrentTrace
