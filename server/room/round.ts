import type { Seat } from './member.js'

/** What a flush brings. */
export interface Brought {
  /** `seq`s of the first and last update; none if `to` is less. */
  readonly from: number
  readonly to: number
  /** Changes of presence, as a frame. */
  readonly changes: Uint8Array | null
  /** All of it, for everybody who lacks just that. */
  readonly shared: readonly Uint8Array[]
}

/** One flush on its way to all who were there when it began; with many, it takes several turns of the event loop. */
export class Round implements Brought {
  readonly from: number
  readonly to: number
  readonly changes: Uint8Array | null
  readonly shared: readonly Uint8Array[]
  /** How many members it is for. */
  readonly members: number
  /** When it began; and how long it took, without what came between its turns; ms. */
  started = Number.NaN
  took = 0
  readonly #seats: readonly Seat[]
  #next = 0

  constructor({ from, to, changes, shared }: Brought, seats: Iterable<Seat>) {
    this.from = from
    this.to = to
    this.changes = changes
    this.shared = shared
    this.#seats = [...seats]
    this.members = this.#seats.length
  }

  /** How many it hasn't been to. */
  get left(): number {
    return Math.max(0, this.members - this.#next)
  }

  /** The next one who hasn't left meanwhile. */
  next(): Seat | undefined {
    let seat = this.#seats[this.#next++]
    while (seat?.left) seat = this.#seats[this.#next++]
    return seat
  }

  /** It was worked on from `started` to `now`, ms. */
  worked(started: number, now: number): void {
    if (Number.isNaN(this.started)) this.started = started
    this.took += now - started
  }
}
