import { InkwireError } from '../../shared/errors.js'
import type { Journal } from '../journal/journal.js'
import { type Compact, Compaction } from './compaction.js'
import { Content } from './content.js'
import { Room, type RoomDeps } from './room.js'

/** What it takes to load rooms. */
export interface LoaderDeps {
  readonly journal: () => Promise<Journal>
  readonly compact: Compact
  readonly shared: RoomDeps
  readonly onCompactionError: (document: string, error: unknown, final: boolean) => void
}

/** How a document becomes a room; handed to the registry of rooms. */
export const createRoomLoader =
  (deps: LoaderDeps) =>
  async (name: string, onIdle: () => void): Promise<Room> => {
    const journal = await deps.journal()
    let room: Room | null = null
    const log = await journal.open(name, (seq) => room?.committed(seq))
    try {
      const content = new Content(log.document)
      const compaction = new Compaction(log, content, {
        compact: deps.compact,
        counters: deps.shared.counters,
        onError: deps.onCompactionError,
      })
      room = new Room({ name, log, content, compaction, onIdle }, deps.shared)
      return room
    } catch (cause) {
      log.release()
      // Its records are whole, but what lies in them can't be read: never serve it as an empty document.
      throw new InkwireError('INKWIRE_DOCUMENT_DAMAGED', `"${name}" holds bytes that are no update`, {
        cause,
      })
    }
  }
