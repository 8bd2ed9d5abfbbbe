import * as Y from 'yjs'
import { type MemoryDocument, type MemoryState, openMemoryJournal } from '../../server/journal/memory.js'
import { DEFAULT_LIMITS } from '../../server/limits/limits.js'
import { Counters } from '../../server/observe/counters.js'
import { EVERYTHING } from '../../server/room/holdings.js'
import { createRoomLoader } from '../../server/room/load.js'
import { defaultPresenceLimits } from '../../server/room/presence.js'
import { Turns } from '../../server/room/turns.js'
import { FakeMember } from './fake-member.js'
import { framesOf, messagesIn } from './frames.js'

/** The state vector of who has nothing. */
const NOTHING = Uint8Array.of(0)

/**
 * What a stock client gets that comes with nothing, if the server dies now and starts again: the answer of a room that
 * was opened on what the disk holds. The disk stays as it is.
 */
export const newcomerTo = async (disk: MemoryState, document: string): Promise<Y.Doc> => {
  const copy = [...disk].map(([name, stored]): [string, MemoryDocument] => [
    name,
    { ...stored, tail: [...stored.tail] },
  ])
  const journal = openMemoryJournal({
    state: new Map(copy),
    now: () => 0,
    randomBytes: (size) => new Uint8Array(size),
  })
  const counters = new Counters()
  const load = createRoomLoader({
    journal: () => Promise.resolve(journal),
    compact: () => Promise.reject(new Error('nobody leaves')),
    keeper: EVERYTHING,
    shared: {
      turns: new Turns(),
      clock: () => 0,
      now: () => 0,
      counters,
      onFlush: () => undefined,
      presence: defaultPresenceLimits,
      maxDocumentBytes: DEFAULT_LIMITS.maxDocumentBytes,
    },
    onCompactionError: () => undefined,
    onRecallError: () => undefined,
  })
  const room = await load(document, () => undefined)
  const member = new FakeMember(false)
  room.join(member)
  const answer = room.answer(member, NOTHING)
  room.dispose()
  const doc = new Y.Doc({ guid: 'newcomer' })
  for (const message of messagesIn(framesOf(answer ?? []))) {
    if (message.type === 'syncStep2' || message.type === 'update') Y.applyUpdate(doc, message.update)
  }
  return doc
}
