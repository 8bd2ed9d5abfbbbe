import type { Counters } from '../observe/counters.js'
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
  /** Documents that something is done to which needs them closed; the promise never rejects. */
  readonly #exclusive = new Map<string, Promise<void>>()

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
   * Does something to a document while nobody has it open: its members are closed with `code`, what they wrote is
   * made durable, and whoever asks for it meanwhile waits.
   *
   * @throws what `work` throws.
   */
  async exclusively<T>(name: string, code: number, reason: string, work: () => Promise<T>): Promise<T> {
    const before = this.#exclusive.get(name)
    // Looked up before the next line: a load that starts from now on waits for this turn, so this mustn't wait for it.
    const loading = this.#loading.get(name)
    let done: () => void = () => undefined
    const turn = new Promise<void>((resolve) => {
      done = resolve
    })
    this.#exclusive.set(name, turn)
    try {
      await before
      await loading?.catch(() => undefined)
      await this.#evict(name, code, reason)
      return await work()
    } finally {
      if (this.#exclusive.get(name) === turn) this.#exclusive.delete(name)
      done()
    }
  }

  async #load(name: string): Promise<Room> {
    try {
      await this.#exclusive.get(name)
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

  async #evict(name: string, code: number, reason: string): Promise<void> {
    const room = this.#open.get(name)
    if (!room) return
    room.closeMembers(code, reason)
    await room.settled()
    this.#stopLingering(room)
    // It may have gone by itself while it settled.
    if (this.#open.get(name) === room) this.#remove(room)
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
