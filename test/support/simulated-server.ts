import type { Guest } from '../../server/clients/connections.js'
import { Trunk } from '../../server/clients/trunk.js'
import type { Journal } from '../../server/journal/journal.js'
import { type MemoryState, openMemoryJournal } from '../../server/journal/memory.js'
import { DEFAULT_LIMITS } from '../../server/limits/limits.js'
import { Counters } from '../../server/observe/counters.js'
import { Holdings } from '../../server/room/holdings.js'
import { lightly } from '../../server/room/light-compaction.js'
import { createRoomLoader } from '../../server/room/load.js'
import { defaultPresenceLimits } from '../../server/room/presence.js'
import { Rooms } from '../../server/room/rooms.js'
import { Turns } from '../../server/room/turns.js'
import { Session, type Transport } from '../../server/session/session.js'
import { createSlowCommits } from '../../server/session/slow-commits.js'
import { compactUpdates } from '../../server/worker/compact.js'
import { SHARED_SUBPROTOCOL, SUBPROTOCOL } from '../../shared/messages.js'
import { below } from './random-edits.js'
import type { Link, Peer } from './simulated-link.js'
import type { VirtualTime } from './virtual-time.js'

export interface SimulatedServerOptions {
  /** What lies on its disk, from one life to the next. */
  readonly disk: MemoryState
  readonly time: VirtualTime
  readonly random: () => number
  /** Memory for snapshots, bytes: with little of it they are read from the disk again, which fails now and then. */
  readonly memoryBudget: number
}

/** As the server does it, but for the thread. */
const compact = lightly({
  thoroughly: (job) => Promise.resolve(compactUpdates(job)),
  nextTurn: () => Promise.resolve(),
})

/** How often a snapshot can't be read again. */
const UNREADABLE = 0.1

/**
 * A server's rooms, sessions and journal, without sockets, threads and a disk: each commit and each compaction takes
 * until somebody says that it is done.
 */
export class SimulatedServer {
  readonly counters = new Counters()
  /** What is under way: commits and compactions. Calling one completes it. */
  readonly pending: (() => void)[] = []
  /** Errors that nothing in here accounts for. */
  readonly failures: unknown[] = []
  readonly #clock: () => number
  readonly #journal: Journal
  readonly #rooms: Rooms
  readonly #slow = createSlowCommits()
  readonly #peers = new Map<Link, Peer>()
  /** Commits complete at once. */
  #stopping = false

  constructor({ disk, time, random, memoryBudget }: SimulatedServerOptions) {
    const clock = time.now
    this.#clock = clock
    this.#journal = openMemoryJournal({
      state: disk,
      now: clock,
      randomBytes: (size) => Uint8Array.from({ length: size }, () => below(random, 256)),
      sync: () => (this.#stopping ? Promise.resolve() : new Promise((resolve) => this.pending.push(resolve))),
      reread: async () => {
        if (!this.#stopping) await new Promise<void>((resolve) => this.pending.push(resolve))
        if (random() < UNREADABLE) throw new Error('the disk is not there')
      },
    })
    this.#rooms = new Rooms({
      load: createRoomLoader({
        journal: () => Promise.resolve(this.#journal),
        compact: (job) => {
          // It works on what is there now, and answers later.
          const compacted = compact(job)
          return new Promise((resolve) => this.pending.push(() => resolve(compacted)))
        },
        keeper: new Holdings(memoryBudget, setImmediate, this.counters),
        shared: {
          turns: new Turns(),
          clock,
          now: clock,
          counters: this.counters,
          onFlush: () => undefined,
          presence: defaultPresenceLimits,
          maxDocumentBytes: DEFAULT_LIMITS.maxDocumentBytes,
        },
        // It starts from a snapshot that may have to be read.
        onCompactionError: (_, error) => memoryBudget > 0 && this.#failed(error),
        onRecallError: () => undefined,
      }),
      lingerMs: 5,
      counters: this.counters,
    })
  }

  /** Documents in memory. */
  get rooms(): number {
    return this.#rooms.size
  }

  accept(link: Link, document: string): void {
    if (link.offered.includes(SHARED_SUBPROTOCOL)) {
      const trunk = new Trunk(link, {
        maxChannels: DEFAULT_LIMITS.maxChannelsPerConnection,
        receive: (target, extended, channel) => this.#guest(this.#session(extended, channel), target),
        opening: () => undefined,
        ending: () => undefined,
      })
      this.#peers.set(link, trunk)
      link.accept(trunk, SHARED_SUBPROTOCOL)
      trunk.start()
      return
    }
    const extended = link.offered.includes(SUBPROTOCOL)
    const session = this.#session(extended, link)
    this.#peers.set(link, session)
    link.accept(session, extended ? SUBPROTOCOL : '')
    this.#enter(session, document)
  }

  #session(extended: boolean, transport: Transport): Session {
    const deps = {
      counters: this.counters,
      durability: 'fsync',
      maxMessageBytes: 16 * 2 ** 20,
      slow: this.#slow,
      refuseUpdates: () => null,
      limits: DEFAULT_LIMITS,
      clock: this.#clock,
    } as const
    return new Session(extended, transport, deps, { token: () => undefined, presence: () => undefined })
  }

  /** A document on a shared connection. */
  #guest(session: Session, document: string): Guest {
    return {
      visits: () => [{ session }],
      start: () => this.#enter(session, document),
      receive: (payload) => session.receive(payload),
      drained: () => session.drained(),
      stopReading: () => session.stopReading(),
      close: (code, reason) => session.close(code, reason),
      ended: () => session.ended(),
      fields: {},
    }
  }

  #enter(session: Session, document: string): void {
    session.permit({ access: 'write', user: '' })
    this.#rooms.open(document).then(
      (room) => session.enter(room),
      (error: unknown) => {
        this.#failed(error)
        session.close(1012, 'the server restarts')
      },
    )
  }

  /** Dies: what isn't on the disk is gone, and nothing more gets there. */
  kill(keep: () => number): void {
    this.pending.length = 0
    this.#slow.dispose()
    for (const link of this.#peers.keys()) {
      link.break(keep())
      link.forgetServer()
    }
  }

  /** Stops as the real one does: reads no more, commits what it has, tells everybody to come back. */
  async stop(): Promise<void> {
    const peers = [...this.#peers.values()]
    for (const peer of peers) peer.stopReading()
    for (const room of this.#rooms) room.flush()
    this.#stopping = true
    for (const complete of this.pending.splice(0)) complete()
    const { unsaved } = await this.#journal.close()
    if (unsaved.length > 0) this.failures.push(new Error('not all was saved'))
    for (const peer of peers) peer.close(1012, 'the server restarts')
    this.#rooms.disposeAll()
    this.#slow.dispose()
  }

  #failed(error: unknown): void {
    // Who comes while it stops finds the journal closed.
    if (!this.#stopping) this.failures.push(error)
  }
}
