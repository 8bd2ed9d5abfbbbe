import { use, useMemo } from 'react'
import { documents } from '../frameworks/documents.js'
import { documentSource } from '../frameworks/sources.js'
import type { DocumentState, LiveDocument } from '../frameworks/state.js'
import type { InkwireOptions } from '../index.js'
import { useSource } from './source.js'

/**
 * Opens a document as long as the component is there. All components that name the same document share one provider
 * and one socket, which outlive the last of them by half a second, and until its edits are saved.
 *
 * @param options of the provider; those of whoever comes first count
 * @returns `doc` and `provider` are null while a server renders, and in the first render
 * @throws InkwireError INKWIRE_BAD_NAME
 * @example
 *   const { doc, provider, synced } = useDocument('wss://example.com', 'notes')
 *   const text = useText(doc?.getText('body'))
 */
export const useDocument = (serverUrl: string, name: string, options?: InkwireOptions): DocumentState => {
  // biome-ignore lint/correctness/useExhaustiveDependencies: options count for whoever comes first
  const source = useMemo(() => documentSource(serverUrl, name, options), [serverUrl, name])
  return useSource(source)
}

/**
 * The same, and suspends until all that the server holds is here, or until it refused (`closed`): the nearest
 * `<Suspense>` shows its fallback meanwhile. While a server renders, that is all there is to show: it throws, which
 * React takes as "render this in the browser" (and reports to `onRecoverableError` there).
 *
 * @example
 *   const { doc } = useSyncedDocument('wss://example.com', 'notes') // never null
 */
export const useSyncedDocument = (
  serverUrl: string,
  name: string,
  options?: InkwireOptions,
): LiveDocument => {
  if (typeof document === 'undefined') throw new Error(`"${name}" is rendered in the browser`)
  const opened = documents.open(serverUrl, name, options)
  use(opened.settled)
  const state = useDocument(serverUrl, name, options)
  return state.doc ? state : opened.state
}
