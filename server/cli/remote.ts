import { type ControlClient, connectControl } from '../control/client.js'
import type { LevelJournal } from '../journal/level.js'
import type { OpenDocuments } from '../tools/documents.js'
import { localDocuments } from '../tools/local.js'
import { FAILED, type Io, type Parts } from './context.js'
import { checkThereAreDocuments, withJournal } from './store.js'

/** By what way documents are reached. */
export type Via =
  | { readonly way: 'server'; readonly server: ControlClient }
  | { readonly way: 'folder'; readonly journal: LevelJournal }

/** Something that is done with documents. */
export type Use<T> = (documents: OpenDocuments, via: Via) => Promise<T>

/**
 * Reaches the documents of a folder for `use`: through the server that is running on it, or else by opening the folder,
 * which is created if need be.
 *
 * @param beforeOpening is done first when no server is running.
 * @throws InkwireError INKWIRE_STORE_LOCKED when another process has the folder open and doesn't answer; otherwise as
 *   {@link withJournal}.
 */
export const withDocuments = async <T>(
  parts: Parts,
  data: string,
  use: Use<T>,
  beforeOpening?: () => Promise<void>,
): Promise<T> => {
  const server = await connectControl(data)
  if (!server) {
    await beforeOpening?.()
    return withJournal(parts, data, (journal) => use(localDocuments(journal), { way: 'folder', journal }))
  }
  try {
    return await use(server, { way: 'server', server })
  } finally {
    server.close()
  }
}

/**
 * As {@link withDocuments}, but never creates anything.
 *
 * @throws InkwireError INKWIRE_NO_DOCUMENT when the folder doesn't exist or holds no documents.
 */
export const withExistingDocuments = async <T>(
  parts: Parts,
  data: string,
  use: Use<T>,
  beforeOpening?: () => Promise<void>,
): Promise<T> => {
  await checkThereAreDocuments(data)
  return withDocuments(parts, data, use, beforeOpening)
}

/** Hands long work a signal that aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
export const interruptible = async <T>(io: Io, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController()
  const dispose = io.onSignal(() => {
    if (controller.signal.aborted) io.exit(FAILED)
    else controller.abort(new Error('stopped before the end; what is done is done, and it can be run again'))
  })
  try {
    return await work(controller.signal)
  } finally {
    dispose()
  }
}
