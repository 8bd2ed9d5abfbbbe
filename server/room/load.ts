import { InkwireError } from '../../shared/errors.js'
import type { Journal } from '../journal/journal.js'
import { type Compact, Compaction } from './compaction.js'
import { Content } from './content.js'
import type { Keeper } from './holdings.js'
import { Recall } from './recall.js'
import { Room, type RoomDeps } from './room.js'

/** What it takes to load rooms. */
export interface LoaderDeps {
  readonly journal: () => Promise<Journal>
  readonly compact: Compact
  /** Says for how long rooms keep what could be read again. */
  readonly keeper: Keeper
  readonly shared: RoomDeps
  readonly onCompactionError: (document: string, error: unknown, final: boolean) => void
  /** A snapshot couldn't be read again; those who need it are told to come back. */
  readonly onRecallError: (document: string, error: unknown) => void
}

/** How a document becomes a room; handed to the registry of rooms. */
export const createRoomLoader =
  (deps: LoaderDeps) =>
  async (name: string, onIdle: () => void): Promise<Room> => {
    const journal = await deps.journal()
    let room: Room | null = null
    const log = await journal.open(name, (seq) => room?.committed(seq))
    try {
      const { counters } = deps.shared
      const content = new Content(log.document, deps.keeper)
      log.letGo()
      const recall = new Recall(log, content, { counters, onError: deps.onRecallError })
      const onError = deps.onCompactionError
      const compaction = new Compaction(log, content, { compact: deps.compact, recall, counters, onError })
      room = new Room({ name, log, content, compaction, recall, onIdle }, deps.shared)
      return room
    } catch (cause) {
      log.release()
      // Its records are whole, but what lies in them can't be read: never serve it as an empty document.
      throw new InkwireError('INKWIRE_DOCUMENT_DAMAGED', `"${name}" holds bytes that are no update`, {
        cause,
      })
    }
  }
