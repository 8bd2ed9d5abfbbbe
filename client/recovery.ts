import type { Awareness } from 'y-protocols/awareness'
import { Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import { InkwireError } from '../shared/errors.js'
import { forget } from './offline/forget.js'
import type { Closed, InkwireOptions } from './options.js'

/** The provider of the document that takes the old one's place. */
export interface Successor {
  readonly doc: Doc
  readonly awareness: Awareness
  readonly whenSynced: Promise<void>
  connect(): void
  destroy(): void
}

/** The provider whose document is given up. */
export interface Predecessor
  extends Required<Pick<InkwireOptions, 'params' | 'protocols' | 'maxBackoffTime' | 'shouldReconnect'>> {
  readonly doc: Doc
  readonly awareness: Awareness
}

/** What it lets be done to itself. */
export interface RecoveryHost<Next extends Successor> {
  /** Those that it was made with. */
  readonly options: InkwireOptions
  /** @see deviceKey */
  readonly key: string
  /** Aborted when it is destroyed. */
  readonly signal: AbortSignal
  /** Ends the connection, for there are never two, and makes the provider of this document. */
  succeed(doc: Doc, options: InkwireOptions): Next
  /** The successor has what the server has: tells the app, and ends the old one. */
  complete(event: Closed & { readonly provider: Next; readonly doc: Doc; readonly dropped: Uint8Array }): void
  /** Starts to keep the successor's document on the device. */
  keep(next: Next): void
}

/**
 * Gives up a document that holds what the server doesn't take. A Y.Doc forgets nothing, and what is written later
 * builds upon what was refused: so there has to be a new one, with what the server has.
 *
 * @param waitMs so much later.
 * @throws InkwireError INKWIRE_DESTROYED; what the successor's `whenSynced` throws.
 */
export const replace = async <Next extends Successor>(
  old: Predecessor,
  host: RecoveryHost<Next>,
  why: Closed,
  waitMs: number,
): Promise<Next> => {
  await pause(waitMs, host.signal)
  const { doc, params, protocols, maxBackoffTime, shouldReconnect } = old
  const { guid, collectionid, gc, gcFilter, meta } = doc
  // It has a presence of its own, and of which generation it is will turn out.
  const { awareness: _, generation: __, offline = false, ...options } = host.options
  const next = host.succeed(new Doc({ guid, collectionid, gc, gcFilter, meta }), {
    ...options,
    ...{ params, protocols, maxBackoffTime, shouldReconnect },
    connect: false,
  })
  next.awareness.setLocalState(old.awareness.getLocalState())
  try {
    next.connect()
    await next.whenSynced
  } catch (error) {
    next.destroy()
    throw error
  }
  const dropped = encodeStateAsUpdate(doc, encodeStateVector(next.doc))
  host.complete({ ...why, provider: next, doc: next.doc, dropped })
  if (offline) {
    // Only now: had the page gone before, the device would still have had what is dropped.
    forget(host.key).then(() => host.keep(next), reportError)
  }
  return next
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      reject(new InkwireError('INKWIRE_DESTROYED', 'destroyed'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end)
      resolve()
    }, ms)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
