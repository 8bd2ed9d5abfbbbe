/** That a client's structs can be seen up to a clock. */
export interface Condition {
  readonly client: number
  readonly clock: number
}

/** A struct at `at`, and what has to be seen before it. */
export interface Hindrance extends Condition {
  readonly at: number
}

/** What keeps one client's structs from being seen, in order of clocks: from the first hindrance on, none can be. */
export class Hindrances {
  #list: Hindrance[] = []
  /** Those before are over. */
  #next = 0
  /** Whether another one has the same list. */
  #shared = false

  get first(): Hindrance | undefined {
    return this.#list[this.#next]
  }

  /** The first is over. */
  drop(): void {
    this.#next++
  }

  /** The first at or behind a clock. */
  from(clock: number): Hindrance | undefined {
    let low = this.#next
    let high = this.#list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#list[middle] as Hindrance).at < clock) low = middle + 1
      else high = middle
    }
    return this.#list[low]
  }

  /** @param more ascending. */
  add(more: readonly Hindrance[]): void {
    const [first] = more
    const last = this.#list.at(-1)
    if (first === undefined) return
    const inOrder = last === undefined || last.at <= first.at
    if (this.#shared || !inOrder) {
      this.#list = this.#list.slice(this.#next)
      this.#next = 0
      this.#shared = false
    }
    for (const each of more) this.#list.push(each)
    if (!inOrder) this.#list.sort((one, other) => one.at - other.at)
  }

  /** A copy that can be changed by itself, as long as this one isn't changed. */
  copy(): Hindrances {
    const copy = new Hindrances()
    copy.#list = this.#list
    copy.#next = this.#next
    copy.#shared = true
    return copy
  }
}

/** Who waits for one client to get to which clock; the one that waits for the least comes first. */
export class Queue {
  /** A heap. */
  readonly #waiting: Condition[]

  constructor(waiting: readonly Condition[] = []) {
    this.#waiting = [...waiting]
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** @param one who waits, and for which clock. */
  add(one: Condition): void {
    const heap = this.#waiting
    let at = heap.length
    for (let above = (at - 1) >> 1; at > 0 && clockAt(heap, above) > one.clock; above = (at - 1) >> 1) {
      heap[at] = heap[above] as Condition
      at = above
    }
    heap[at] = one
  }

  /** Takes out one that waits for no more than a clock. */
  take(clock: number): number | undefined {
    const heap = this.#waiting
    const first = heap[0]
    if (first === undefined || first.clock > clock) return undefined
    const last = heap.pop() as Condition
    let at = 0
    for (;;) {
      let below = at * 2 + 1
      if (clockAt(heap, below + 1) < clockAt(heap, below)) below++
      if (clockAt(heap, below) >= last.clock) break
      heap[at] = heap[below] as Condition
      at = below
    }
    if (heap.length > 0) heap[at] = last
    return first.client
  }

  copy(): Queue {
    return new Queue(this.#waiting)
  }
}

const clockAt = (heap: readonly Condition[], at: number): number =>
  heap[at]?.clock ?? Number.POSITIVE_INFINITY
