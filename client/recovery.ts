import { Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import { InkwireError } from '../shared/errors.js'
import { forget } from './offline/forget.js'
import type { Closed, InkwireOptions, Reset } from './options.js'

type Provider = Reset['provider']

/**
 * Shortest time between two resets, ms: an app that writes what is refused into every new document must not get new
 * ones without end.
 */
const BETWEEN_RESETS_MS = 10_000

/** What the provider whose document is given up lets be done, beside what any app may do to it. */
export interface RecoveryHost {
  /** Those that it was made with. */
  readonly options: InkwireOptions
  /** @see deviceKey */
  readonly key: string
  /** Makes the provider of this document. */
  succeed(doc: Doc, options: InkwireOptions): Provider
  /** Starts to keep the successor's document on the device. */
  keep(next: Provider): void
}

/** The document that is given up, and how far that is. */
export interface Handover {
  readonly old: Provider
  readonly host: RecoveryHost
  /** Aborted when the old provider is destroyed: so is its successor then, unless that has taken over. */
  readonly end: AbortController
  /** Whether a successor is coming up, which has the connection now. */
  active: boolean
}

/**
 * Gives up a document that holds what the server doesn't take. A Y.Doc forgets nothing, and what is written later
 * builds upon what was refused: so there has to be a new one, with what the server has.
 *
 * @param since when the last document was given up by itself, ms since 1970; 0: never, or the app wants it now.
 * @throws InkwireError INKWIRE_DESTROYED; what the successor's `whenSynced` throws.
 */
export const replace = async (handover: Handover, why: Closed, since: number): Promise<Provider> => {
  const { old, host } = handover
  const { signal } = handover.end
  // Nor longer, if the clock was set back since.
  const wait = Math.min(since + BETWEEN_RESETS_MS - Date.now(), BETWEEN_RESETS_MS)
  await pause(Math.max(0, wait), signal)
  const { doc, params, protocols, maxBackoffTime, shouldReconnect } = old
  const { guid, collectionid, gc, gcFilter, meta } = doc
  // It has a presence of its own, and of which generation it is will turn out.
  const { awareness: _, generation: __, offline = false, ...options } = host.options
  // Never two connections.
  old.disconnect()
  const next = host.succeed(new Doc({ guid, collectionid, gc, gcFilter, meta }), {
    ...options,
    ...{ params, protocols, maxBackoffTime, shouldReconnect },
    connect: false,
  })
  next.on('closed', (event) => old.emit('closed', [event, old]))
  next.awareness.setLocalState(old.awareness.getLocalState())
  // Until it has taken over, it ends with the old one.
  const die = (): void => next.destroy()
  signal.addEventListener('abort', die)
  try {
    next.connect()
    await next.whenSynced
  } catch (error) {
    next.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', die)
  }
  const dropped = encodeStateAsUpdate(doc, encodeStateVector(next.doc))
  handover.active = false
  old.emit('reset', [{ ...why, provider: next, doc: next.doc, dropped }])
  old.destroy()
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
