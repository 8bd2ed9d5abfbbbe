import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

/** A real document's editing history, as updates. */
export interface Typed {
  readonly updates: readonly Uint8Array[]
  readonly text: string
}

interface Trace {
  readonly endContent: string
  readonly txns: readonly { readonly patches: readonly (readonly [number, number, string])[] }[]
}

export const AUTHOR = 77

/** The 259,778 keystrokes of the automerge-paper trace, one update each; made once and kept in a file. */
export const paper = (bench: string): Typed => {
  const cache = `${bench}.build/automerge-paper.updates`
  const trace = JSON.parse(
    gunzipSync(readFileSync(`${bench}../support/traces/automerge-paper.json.gz`)).toString('utf8'),
  ) as Trace
  if (!existsSync(cache)) {
    mkdirSync(dirname(cache), { recursive: true })
    writeFileSync(
      cache,
      encoding.encode((encoder) => {
        const doc = new Y.Doc()
        doc.clientID = AUTHOR
        doc.on('update', (update: Uint8Array) => encoding.writeVarUint8Array(encoder, update))
        const text = doc.getText('text')
        for (const { patches } of trace.txns) {
          doc.transact(() => {
            for (const [at, deleted, inserted] of patches) {
              if (deleted > 0) text.delete(at, deleted)
              if (inserted !== '') text.insert(at, inserted)
            }
          })
        }
      }),
    )
  }
  const decoder = decoding.createDecoder(readFileSync(cache))
  const updates: Uint8Array[] = []
  while (decoding.hasContent(decoder)) updates.push(decoding.readVarUint8Array(decoder))
  return { updates, text: trace.endContent }
}
