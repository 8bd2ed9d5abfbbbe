import * as Y from 'yjs'
import type { DocumentLog, Entry } from '../../server/journal/journal.js'
import { Counters } from '../../server/observe/counters.js'
import { Compaction } from '../../server/room/compaction.js'
import { Content } from '../../server/room/content.js'
import { defaultPresenceLimits } from '../../server/room/presence.js'
import { Recall } from '../../server/room/recall.js'
import { Room } from '../../server/room/room.js'
import { Turns } from '../../server/room/turns.js'
import { FakeMember } from './fake-member.js'

/** A room whose disk the test commits, and whose turns it ends. */
export const setupRoom = (
  stored: ConstructorParameters<typeof Content>[0] = { snapshot: null, tail: [] },
) => {
  const soon: (() => void)[] = []
  const later: (() => void)[] = []
  let commits = 0
  const appended: Entry[] = []
  const log: DocumentLog = {
    document: { name: 'doc', generation: '0'.repeat(32), snapshot: null, tail: [], seq: 0 },
    append: (entry) => appended.push(entry),
    hold: (entry) => appended.push(entry),
    commit: () => {
      commits++
    },
    compact: () => Promise.resolve(),
    release: () => undefined,
    letGo: () => undefined,
    snapshot: async () => null,
  }
  const remember = (task: () => void): (() => void) => {
    later.push(task)
    return () => void later.splice(later.indexOf(task), 1)
  }
  const content = new Content(stored)
  const counters = new Counters()
  const compact = () => Promise.reject(new Error('not here'))
  const onError = () => undefined
  const recall = new Recall(log, content, { counters, onError })
  let idle = 0
  const room = new Room(
    {
      name: 'doc',
      log,
      content,
      compaction: new Compaction(log, content, { compact, recall, counters, onError }),
      recall,
      onIdle: () => idle++,
    },
    {
      turns: new Turns({ soon: (task) => void soon.push(task), later: remember }),
      clock: () => 0,
      now: () => 42,
      counters,
      onFlush: () => undefined,
      presence: defaultPresenceLimits,
      maxDocumentBytes: 1024 * 1024,
    },
  )
  return {
    room,
    appended,
    idle: () => idle,
    /** How often what it holds was to be written. */
    commits: () => commits,
    /** What is to be done after a while, unless it is called off. */
    later,
    endTurn: () => {
      for (const task of soon.splice(0)) task()
    },
    /** @param holds what it says it holds; `null`: it hasn't asked yet. */
    join: (extended = false, user = '', holds: Uint8Array | null = Uint8Array.of(0, 0)): FakeMember => {
      const member = new FakeMember(extended, user)
      room.join(member)
      if (holds) room.answer(member, Y.encodeStateVectorFromUpdate(holds))
      return member
    },
  }
}

/** A client's first edits, one after the other. */
export const edits = (clientID: number, count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  doc.clientID = clientID
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < count; i++) doc.getText('t').insert(i, 'x')
  return updates
}

/** One edit of each client, each behind the one before. */
export const chain = (
  ...clients: readonly [number, number, number]
): [Uint8Array, Uint8Array, Uint8Array] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const client of clients) {
    doc.clientID = client
    doc.getText('t').insert(doc.getText('t').length, 'x')
  }
  return updates as [Uint8Array, Uint8Array, Uint8Array]
}

/** All of it as one update. */
export const whole = (updates: readonly Uint8Array[]): Uint8Array => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return Y.encodeStateAsUpdate(doc)
}

/** The presence of a client that has this id. */
export const hereIs = (id: number): Uint8Array => Uint8Array.of(1, id, 1, 2, 0x7b, 0x7d)

/** How a room is to take an edit of somebody who may write. */
export const taken = { mayWrite: true, reoffered: false }

/** And how what somebody who may write offers again: a sync step 2. */
export const offered = { mayWrite: true, reoffered: true }
