import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { Documents } from '../../server/documents/documents.js'
import { openMemoryJournal } from '../../server/journal/memory.js'
import { DEFAULT_LIMITS } from '../../server/limits/limits.js'
import { Counters } from '../../server/observe/counters.js'
import { EVERYTHING } from '../../server/room/holdings.js'
import { createRoomLoader } from '../../server/room/load.js'
import { defaultPresenceLimits } from '../../server/room/presence.js'
import { Rooms } from '../../server/room/rooms.js'
import { Turns } from '../../server/room/turns.js'
import { Session } from '../../server/session/session.js'
import { encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'
import { FakeTransport } from './fake-transport.js'

/** A disk that works, fails, or lets each write wait until somebody says how it ends. */
export class FakeDisk {
  #mode: 'works' | 'fails' | 'waits' = 'works'
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []

  readonly sync = (): Promise<void> => {
    if (this.#mode === 'fails') return Promise.reject(NO_SPACE)
    if (this.#mode === 'works') return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Writes that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  wait(): void {
    this.#mode = 'waits'
  }

  work(): void {
    this.#mode = 'works'
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  fail(): void {
    this.#mode = 'fails'
    for (const { reject } of this.#waiting.splice(0)) reject(NO_SPACE)
  }
}

const NO_SPACE = new Error('No space left on device')

/** An edit of its own client, at a moment of its own. */
export const editOf = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** A server's documents, rooms and sessions on a disk of the test's. */
export const setupDocuments = () => {
  const disk = new FakeDisk()
  let now = 1000
  const journal = openMemoryJournal({ sync: disk.sync, now: () => now })
  const counters = new Counters()
  const late: (readonly [string, unknown])[] = []
  const rooms = new Rooms({
    load: createRoomLoader({
      journal: async () => journal,
      compact: () => Promise.reject(new Error('not here')),
      keeper: EVERYTHING,
      shared: {
        turns: new Turns(),
        clock: () => performance.now(),
        now: () => now,
        counters,
        onFlush: () => undefined,
        presence: defaultPresenceLimits,
        maxDocumentBytes: DEFAULT_LIMITS.maxDocumentBytes,
      },
      onCompactionError: () => undefined,
      onRecallError: () => undefined,
    }),
    lingerMs: 0,
    counters,
    late: (name, error) => void late.push([name, error]),
  })
  const revoked: string[] = []
  const documents = new Documents({
    journal: async () => journal,
    rooms,
    pool: { compact: () => Promise.reject(new Error('not here')) },
    revoke: async (user) => void revoked.push(user),
  })
  onTestFinished(async () => {
    disk.work()
    rooms.disposeAll()
    await journal.close()
  })

  /** Somebody who speaks `inkwire.1`, or doesn't, and is in the document as soon as it may be had. */
  const visit = (name: string, extended = true) => {
    const transport = new FakeTransport()
    const deps = {
      counters,
      durability: 'fsync',
      slow: { watch: () => undefined, forget: () => undefined },
      refuseUpdates: () => null,
      clock: () => performance.now(),
      limits: DEFAULT_LIMITS,
      maxMessageBytes: 2 ** 24,
    } as const
    const session = new Session(extended, transport, deps, {
      token: () => undefined,
      presence: () => undefined,
    })
    session.permit({ access: 'write', user: '' })
    const heard: Message[] = []
    const listen = (): readonly Message[] => {
      heard.push(...transport.said())
      return heard
    }
    const updates = (): Uint8Array[] =>
      listen().flatMap((each) => (each.type === 'update' || each.type === 'syncStep2' ? [each.update] : []))
    return {
      /** Settles when it is in, or can't be. */
      entered: rooms.open(name).then((room) => session.enter(room)),
      write: (text: string) => session.receive(encodeMessage({ type: 'update', update: editOf(text) })),
      ask: () => session.receive(encodeMessage({ type: 'syncStep1', stateVector: Uint8Array.of(0) })),
      /** How many of its messages it was told are safe. */
      saved: () => listen().reduce((most, each) => (each.type === 'ack' ? each.durable : most), 0),
      /** All that it was sent of the document. */
      texts: () => {
        const doc = new Y.Doc()
        for (const update of updates()) Y.applyUpdate(doc, update)
        return doc.getText('text').toString()
      },
      /** The codes that it was closed with. */
      closed: () =>
        transport.calls.filter((call) => call.startsWith('close')).map((call) => Number(call.slice(6))),
    }
  }

  return {
    disk,
    journal,
    rooms,
    documents,
    revoked,
    late,
    visit,
    /** Time goes on. */
    later: () => {
      now += 1000
      return new Date(now)
    },
    /** Whatever was only waiting for its turn has had it. */
    turns: async () => {
      for (let i = 0; i < 10; i++) await turn()
    },
  }
}
