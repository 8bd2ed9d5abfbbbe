import type { Message } from '../../shared/messages.js'

/**
 * How far a connection's update messages have come, and how much of that its client knows (PROTOCOL X4). A message is
 * counted when it is taken; one that has to wait for others' edits isn't taken yet (S7).
 */
export class Receipts {
  #received = 0
  #durable = 0
  #told = { received: 0, durable: 0, mark: 0 }

  /** The number of the message that has just come. */
  next(): number {
    this.#received++
    return this.#received
  }

  /** The last message wasn't taken: it will come again, under the same number. */
  takeBack(): void {
    this.#received--
  }

  /** Whether messages were taken that aren't durable yet. */
  get open(): boolean {
    return this.#durable < this.#received
  }

  /** Up to this message all are durable. */
  confirm(message: number): void {
    this.#durable = message
  }

  /** Whether the client lacks any news of its messages. */
  get untold(): boolean {
    return this.#received !== this.#told.received || this.#durable !== this.#told.durable
  }

  /** Whether a mark is one that the client doesn't have; 0 is none. */
  isNews(mark: number): boolean {
    return mark > this.#told.mark
  }

  /** The message that tells the client all of it; from now on it is taken to know. */
  tell(mark: number): Message {
    const [received, durable] = [this.#received, this.#durable]
    this.#told = { received, durable, mark: Math.max(mark, this.#told.mark) }
    return { type: 'ack', received, durable, mark }
  }
}
