import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { openMemoryJournal } from '../../server/journal/memory.js'
import { DEFAULT_LIMITS } from '../../server/limits/limits.js'
import { Counters } from '../../server/observe/counters.js'
import type { Compact } from '../../server/room/compaction.js'
import { EVERYTHING } from '../../server/room/holdings.js'
import { createRoomLoader } from '../../server/room/load.js'
import { defaultPresenceLimits } from '../../server/room/presence.js'
import type { Room } from '../../server/room/room.js'
import { Turns } from '../../server/room/turns.js'
import { Session } from '../../server/session/session.js'
import { compactUpdates } from '../../server/worker/compact.js'
import { encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'
import { messagesIn } from '../support/frames.js'
import { until } from '../support/until.js'

/** A room whose commits, flushes and compactions happen when a test says so. */
const setup = async () => {
  const commits: (() => void)[] = []
  const flushes: (() => void)[] = []
  const compactions: (() => void)[] = []
  const compact: Compact = (job) => {
    const compacted = compactUpdates(job)
    return new Promise((resolve) => compactions.push(() => resolve(compacted)))
  }
  let now = 0
  const counters = new Counters()
  const journal = openMemoryJournal({ sync: () => new Promise((resolve) => commits.push(resolve)) })
  const soon = (task: () => void): void => void flushes.push(task)
  const later = (task: () => void): (() => void) => {
    flushes.push(task)
    return () => undefined
  }
  const load = createRoomLoader({
    journal: async () => journal,
    compact,
    keeper: EVERYTHING,
    shared: {
      turns: new Turns({ soon, later }),
      // Each look at the clock takes 5 ms: a flush is expensive, and the next one waits.
      clock: () => (now += 5),
      now: Date.now,
      counters,
      onFlush: () => undefined,
      presence: defaultPresenceLimits,
      maxDocumentBytes: 2 ** 26,
    },
    onCompactionError: (_, error) => {
      throw error
    },
    onRecallError: (_, error) => {
      throw error
    },
  })
  const room = await load('doc', () => undefined)
  const other = await journal.open('other', () => undefined)
  const take = async (queue: (() => void)[], what: string): Promise<void> => {
    const next = await until(what, () => queue[0])
    queue.shift()
    next()
  }
  return {
    room,
    counters,
    enter: (extended = false) => enter(room, counters, extended),
    /** Another document is written to; what a room holds back goes along. */
    writeElsewhere: () => void other.append({ update: Uint8Array.of(0, 0), time: 0, author: '' }),
    flush: () => take(flushes, 'a flush is due'),
    commit: () => take(commits, 'a commit is under way'),
    compact: () => take(compactions, 'a compaction is under way'),
  }
}

const enter = (room: Room, counters: Counters, extended: boolean) => {
  const frames: Uint8Array[] = []
  const outlet = {
    congested: false,
    write: (more: readonly Uint8Array[]) => void frames.push(...more),
    stream: (pieces: Iterable<readonly Uint8Array[]>) => {
      for (const piece of pieces) frames.push(...piece)
    },
  }
  const transport = {
    outlet,
    full: false,
    close: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    probe: () => undefined,
  }
  const slow = { watch: () => undefined, forget: () => undefined }
  const limits = { limits: DEFAULT_LIMITS, maxMessageBytes: 2 ** 24 }
  const refuseUpdates = () => null
  const deps = { counters, durability: 'fsync', slow, refuseUpdates, clock: () => 0, ...limits } as const
  const session = new Session(extended, transport, deps, {
    token: () => undefined,
    presence: () => undefined,
  })
  session.permit({ access: 'write', user: '' })
  session.enter(room)
  return {
    write: (update: Uint8Array) => session.receive(encodeMessage({ type: 'update', update })),
    heard: <T extends Message['type']>(type: T) =>
      messagesIn(frames).filter((each): each is Extract<Message, { type: T }> => each.type === type),
  }
}

/** Two updates: one large enough to have the room compacted, and one more. */
const edits = (): [large: Uint8Array, small: Uint8Array] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => void updates.push(update))
  doc.getText('text').insert(0, 'x'.repeat(300_000))
  doc.getText('text').insert(0, 'y')
  const [large = Uint8Array.of(), small = Uint8Array.of()] = updates
  return [large, small]
}

describe('what isn’t on disk yet', () => {
  it('X2: does not count in the hello, since the generation may be lost with it', async () => {
    const { enter, flush, commit } = await setup()
    const [author, reader] = [enter(true), enter(true)]
    author.write(edits()[0])
    await flush()
    expect(reader.heard('hello')).toMatchObject([{ seq: 0 }])
    expect(enter(true).heard('hello')).toMatchObject([{ seq: 0 }])
    await commit()
    await until('the author knows', () => author.heard('ack').length > 0)
    expect(enter(true).heard('hello')).toMatchObject([{ seq: 1 }])
  })
})

describe('what isn’t sent on yet', () => {
  it('S3: goes out before a compaction takes it from the tail', async () => {
    const { enter, commit, flush, compact, counters, writeElsewhere } = await setup()
    const [author, reader] = [enter(), enter()]
    const [large, small] = edits()
    author.write(large)
    await flush()
    author.write(small)
    // Its flush waits. Meanwhile all is committed and compacted.
    await commit()
    await compact()
    writeElsewhere()
    await commit()
    await commit()
    await until('the snapshot is there', () => counters.compactions === 1)
    await flush()
    expect(reader.heard('update').map(({ update }) => update)).toEqual([large, small])
  })
})
