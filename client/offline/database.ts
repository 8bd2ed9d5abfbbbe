/**
 * IndexedDB, in promises that are kept when a transaction is committed. No wrapper library: those give a
 * promise to each request, and a full disk then breaks dozens that nobody listens to; here a transaction has
 * one outcome. There is one database for all documents, because deleting a document must be a transaction:
 * deleting a database waits for every tab that has it open.
 */
import { type ErrorCode, InkwireError } from '../../shared/errors.js'

const NAME = 'inkwire'
const VERSION = 1
/** Opening can hang without an event: behind an upgrade in another tab, and by known faults of browsers. */
const OPEN_TIMEOUT_MS = 5_000

/** Keys and values are described at `Store`. */
const TABLES = ['documents', 'updates', 'unsaved'] as const
export type Tables = Record<(typeof TABLES)[number], IDBObjectStore>

/**
 * Why a connection to the database ended: somebody deletes it, a newer version takes it over, or the browser ended it.
 */
export type Ended = 'deleted' | 'outdated' | 'lost'

/** An error of the browser's as one of ours. */
export const deviceError = (cause: unknown, otherwise: ErrorCode = 'INKWIRE_DEVICE_FAILED'): InkwireError => {
  if (cause instanceof InkwireError) return cause
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause))
  const code = name === 'QuotaExceededError' ? 'INKWIRE_DEVICE_FULL' : otherwise
  return new InkwireError(code, `this device's storage: ${name}: ${message}`, { cause })
}

/**
 * Opens the database, and makes it if it isn't there.
 *
 * @param ended called at most once, when the connection is gone without `close`.
 * @throws InkwireError INKWIRE_DEVICE_UNAVAILABLE where there is no IndexedDB or it can't be opened.
 */
export const openDatabase = (ended: (why: Ended) => void): Promise<IDBDatabase> =>
  new Promise<IDBDatabase>((resolve, reject) => {
    // In a sandboxed frame even to name it throws.
    const request = indexedDB.open(NAME, VERSION)
    let late = false
    const timer = setTimeout(() => {
      late = true
      reject(new Error(`didn't open within ${OPEN_TIMEOUT_MS} ms`))
    }, OPEN_TIMEOUT_MS)
    request.onupgradeneeded = () => {
      for (const table of TABLES) request.result.createObjectStore(table)
    }
    request.onerror = () => {
      clearTimeout(timer)
      reject(request.error)
    }
    request.onsuccess = () => {
      clearTimeout(timer)
      const db = request.result
      if (late) return db.close()
      db.onversionchange = ({ newVersion }) => {
        // Whoever wants to delete or upgrade would wait for us.
        db.close()
        ended(newVersion === null ? 'deleted' : 'outdated')
      }
      db.onclose = () => ended('lost')
      resolve(db)
    }
  }).catch((cause: unknown) => {
    throw deviceError(cause, 'INKWIRE_DEVICE_UNAVAILABLE')
  })

/** Calls back with a request's result. What the callback throws aborts the transaction. */
export type Then = <T>(request: IDBRequest<T>, act: (result: T) => void) => void

/**
 * One transaction over all tables: all of it or nothing.
 *
 * @param body places its requests, at once or in callbacks of earlier ones.
 * @throws InkwireError INKWIRE_DEVICE_FULL, INKWIRE_DEVICE_FAILED, and what `body` throws of ours.
 */
export const transact = (
  db: IDBDatabase,
  body: (tables: Tables, then: Then, transaction: IDBTransaction) => void,
): Promise<void> =>
  new Promise<void>((resolve, reject) => {
    // Throws when the connection is closing.
    const transaction = db.transaction(TABLES, 'readwrite')
    let failure: unknown = null
    const guarded = (act: () => void): void => {
      try {
        act()
      } catch (error) {
        failure = error
        transaction.abort()
      }
    }
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(failure ?? transaction.error ?? new Error('aborted'))
    const table = (name: (typeof TABLES)[number]) => transaction.objectStore(name)
    const then: Then = (request, act) => {
      request.onsuccess = () => guarded(() => act(request.result))
    }
    guarded(() =>
      body(
        { documents: table('documents'), updates: table('updates'), unsaved: table('unsaved') },
        then,
        transaction,
      ),
    )
  }).catch((cause: unknown) => {
    throw deviceError(cause)
  })
