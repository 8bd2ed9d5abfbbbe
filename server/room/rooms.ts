import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import type { Counters } from '../observe/counters.js'
import { Exclusive } from './exclusive.js'
import { Proviso, type StoreState } from './proviso.js'
import type { Room } from './room.js'

/** What the registry needs to make and unmake rooms. */
export interface RoomsDeps {
  /** Loads a document and makes its room. */
  readonly load: (name: string, onIdle: () => void) => Promise<Room>
  /** How long an empty room is kept for those who come right back, milliseconds. */
  readonly lingerMs: number
  readonly counters: Counters
  readonly opened?: (room: Room) => void
  readonly left?: (name: string) => void
  /**
   * A change has ended after all whose outcome nobody knew when its caller was told; `error` says why it failed, or is
   * null.
   */
  readonly late?: (name: string, error: unknown) => void
}

/** Something that is done to a document while nobody has it open. */
export interface Change<T> {
  readonly store: StoreState
  /** What its members are closed with, once it is done. */
  readonly code: number
  readonly reason: string
  /** Aborts when nobody wants it any more. */
  readonly signal?: AbortSignal | undefined
  /**
   * Does it. Calls `begin` right before the first step that can't be taken back, and not at all if nothing is to be
   * done: it throws if nobody wants it any more, or the store fails.
   */
  readonly make: (begin: () => void) => Promise<T>
}

/**
 * The rooms that are open: one per document, loaded when the first one asks, gone when nobody is in it and all is
 * durable. A load that failed is forgotten at once: it is an error to those who waited for it and tried again for
 * the next.
 */
export class Rooms {
  readonly #deps: RoomsDeps
  /** Keyed by document name: a Map, since a name may be `__proto__`. */
  readonly #loading = new Map<string, Promise<Room>>()
  readonly #open = new Map<string, Room>()
  readonly #lingering = new Map<Room, NodeJS.Timeout>()
  /** Documents that something is done to which needs them closed. */
  readonly #exclusive = new Exclusive()

  constructor(deps: RoomsDeps) {
    this.#deps = deps
  }

  /** The rooms that are loaded. */
  [Symbol.iterator](): IterableIterator<Room> {
    return this.#open.values()
  }

  get size(): number {
    return this.#open.size
  }

  get(name: string): Room | undefined {
    return this.#open.get(name)
  }

  /**
   * The document's room, loaded if it isn't. Whoever asked must join it in the same turn, or it may be gone.
   *
   * @throws what the journal's `open` throws.
   */
  open(name: string): Promise<Room> {
    const open = this.#exclusive.has(name) ? undefined : this.#open.get(name)
    if (open) return Promise.resolve(open)
    const loading = this.#loading.get(name)
    if (loading) return loading
    const load = this.#load(name)
    this.#loading.set(name, load)
    return load
  }

  /**
   * Does something to a document while nobody has it open: its members are out of it, what they wrote is durable, and
   * whoever asks for it meanwhile waits. What members are told is true: they are closed with the change's code once it
   * is done, and so that they come back, with all they have, when it isn't.
   *
   * @throws InkwireError INKWIRE_STORE_FAILED, INKWIRE_STORE_CLOSED as soon as that is known, before anybody notices if
   *   it is known now; the signal's reason; what `make` throws.
   */
  async exclusively<T>(name: string, change: Change<T>): Promise<T> {
    const proviso = new Proviso(change.store, change.signal)
    proviso.check()
    // Looked up before the turn is taken: a load that starts from now on waits for it, so it mustn't wait for that.
    const loading = this.#loading.get(name)
    const work = async (free: Promise<void>): Promise<T> => {
      await proviso.during(free)
      await proviso.during(Promise.allSettled([loading]))
      return this.#make(name, change, proviso)
    }
    return this.#exclusive.take(name, change.store, work, (error) => this.#deps.late?.(name, error))
  }

  async #load(name: string): Promise<Room> {
    try {
      await this.#exclusive.free(name)
      // What was to be done to it may not have been, and it be open still.
      const open = this.#open.get(name)
      if (open) return open
      const room = await this.#deps.load(name, () => this.#idle(name))
      this.#open.set(name, room)
      this.#deps.counters.rooms++
      this.#deps.opened?.(room)
      // Those who waited join right after this; one who has left meanwhile must not leave the room open for ever.
      this.#idle(name)
      return room
    } finally {
      this.#loading.delete(name)
    }
  }

  /** Takes every room out at once; for a server that stops. */
  disposeAll(): void {
    for (const room of this.#open.values()) {
      this.#stopLingering(room)
      this.#remove(room)
    }
  }

  async #make<T>(name: string, change: Change<T>, proviso: Proviso): Promise<T> {
    proviso.check()
    const room = this.#open.get(name)
    const close = room?.dismissMembers() ?? nobody
    try {
      if (room) await this.#vacate(room, proviso)
      let begun = false
      const result = await change.make(() => {
        proviso.check()
        begun = true
      })
      const { code, reason } = begun ? change : UNCHANGED
      close(code, reason)
      return result
    } catch (error) {
      const { code, reason } = whyUnchanged(error)
      close(code, reason)
      throw error
    }
  }

  /** Takes a room out whose members are gone, once all that they wrote is durable. */
  async #vacate(room: Room, proviso: Proviso): Promise<void> {
    // Somebody whom the app sends may have come at the last moment.
    while (!room.idle) await proviso.during(room.settled())
    this.#stopLingering(room)
    // It may have gone by itself meanwhile.
    if (this.#open.get(room.name) === room) this.#remove(room)
  }

  #stopLingering(room: Room): void {
    clearTimeout(this.#lingering.get(room))
    this.#lingering.delete(room)
  }

  /** A room says that nobody is in it and all is durable. */
  #idle(name: string): void {
    const room = this.#open.get(name)
    if (!room || this.#lingering.has(room)) return
    const timer = setTimeout(() => {
      this.#lingering.delete(room)
      if (room.idle) this.#remove(room)
    }, this.#deps.lingerMs)
    this.#lingering.set(room, timer)
  }

  #remove(room: Room): void {
    this.#open.delete(room.name)
    room.dispose()
    this.#deps.counters.rooms--
    this.#deps.left?.(room.name)
  }
}

const nobody = (): void => undefined

/** To members of a document to which nothing was done. */
const UNCHANGED = { code: Code.tryLater, reason: 'the document was closed for a moment' }

/** What members are told when a change failed: whatever the reason, they are to come back with what they have. */
const whyUnchanged = (error: unknown): { readonly code: number; readonly reason: string } => {
  switch (error instanceof InkwireError ? error.code : '') {
    case 'INKWIRE_STORE_FAILED':
      return { code: Code.storageUnavailable, reason: 'the store does not take writes' }
    case 'INKWIRE_STORE_CLOSED':
      return { code: Code.restart, reason: 'the server restarts' }
    default:
      return UNCHANGED
  }
}
