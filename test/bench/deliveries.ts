/** When each of a load's updates was sent, and how long each took to each reader. */
export class Deliveries {
  readonly #sentAt: Float64Array
  /** By reader, then by update; NaN: not there yet. */
  readonly #latencies: Float64Array
  #missing: number
  #lastAt = 0

  constructor(readers: number, updates: number) {
    this.#sentAt = new Float64Array(updates)
    this.#latencies = new Float64Array(readers * updates).fill(Number.NaN)
    this.#missing = this.#latencies.length
  }

  sent(update: number): void {
    this.#sentAt[update] = performance.now()
  }

  /** A reader has an update; `readAt`: when what brought it was read from the socket. Only the first time counts. */
  heard(reader: number, update: number, readAt: number): void {
    const sentAt = this.#sentAt[update]
    if (sentAt === undefined) return
    const slot = reader * this.#sentAt.length + update
    if (!Number.isNaN(this.#latencies[slot])) return
    this.#latencies[slot] = readAt - sentAt
    this.#lastAt = readAt
    this.#missing--
  }

  /** Every reader has every update. */
  get complete(): boolean {
    return this.#missing === 0
  }

  /** When the last of them was read. */
  get lastAt(): number {
    return this.#lastAt
  }

  /** All of them, ms; to be asked for when it is complete. */
  get latencies(): Float64Array {
    return this.#latencies
  }
}
